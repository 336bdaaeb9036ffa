"""Sign the URLs of parts, and have the upload live on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import URL_MARGIN, File, UploadLink, hash_token
from filestore.domain.multipart import MAX_AGE, MAX_URL_LIFE
from filestore.domain.outcome import Applied, Refused
from filestore.domain.plan import plan_of
from filestore.errors import FieldError, InvalidBodyError, TryAgainError, UploadEndedError
from filestore.settings import Settings
from filestore.use_cases.opened import admitted, require_pending

if TYPE_CHECKING:
    from filestore.domain.ports import Files, Links


class WantedPart(NamedTuple):
    """A part to be sent, and its CRC64NVME in base64 if it is declared."""

    number: int
    checksum: str | None = None


class SignedParts(NamedTuple):
    """The parts by their numbers, each with its link, and when these stop working."""

    links: Sequence[tuple[int, UploadLink]]
    expires_at: str


@dataclass(frozen=True, slots=True)
class SignParts:
    """Signs the URLs of parts."""

    files: Files
    links: Links
    settings: Settings
    clock: Clock

    def sign(self, file_id: str, token: str, wanted: Sequence[WantedPart]) -> SignedParts:
        """Sign a PUT of each part, its size and checksum included. Whoever asks keeps the upload from being abandoned.

        Raises UnknownFileError, InvalidTokenError, InvalidBodyError for a part that the plan has not, TryAgainError,
        and where no part can be sent any more NotInPartsError, AlreadyUploadedError or UploadEndedError.
        """
        now = self.clock()
        life = min(self.settings.signed_url_expiration, MAX_URL_LIFE)
        file = self._renewed(file_id, token, now, int(now) + life)
        plan = plan_of(file)
        beyond = [
            FieldError(f"/parts/{place}/part_number", f"This upload has the parts 1 to {plan.part_count}.")
            for place, part in enumerate(wanted)
            if part.number > plan.part_count
        ]
        if beyond:
            raise InvalidBodyError(beyond)
        return SignedParts(
            [
                (
                    part.number,
                    self.links.part(
                        file_id,
                        file.upload_id or "",
                        part.number,
                        size=plan.size_of(part.number),
                        checksum=part.checksum,
                        life=life,
                    ),
                )
                for part in wanted
            ],
            timestamp(int(now) + life),
        )

    def _renewed(self, file_id: str, token: str, now: float, url_expires_at: int) -> File:
        """The file, once its record says until when these URLs work."""
        attempt = self.files.renew(
            file_id,
            token_hash=hash_token(token),
            begun_after=timestamp(now - MAX_AGE),
            url_expires_at=url_expires_at,
            sweep_at=url_expires_at + URL_MARGIN,
        )
        match attempt:
            case Applied(File() as file):
                return file
            case Refused(current):
                file = admitted(current, token)
                require_pending(file)
                if file.url_expires_at >= url_expires_at:
                    # A call beside this one has seen to it.
                    return file
                raise UploadEndedError("The upload was begun too long ago. Begin another.")
        raise TryAgainError("It could not be done now. Repeat the call: it is harmless.")
