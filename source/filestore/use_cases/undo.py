"""Take back an upload: the uploader's undo and cancel."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import File, hash_token
from filestore.domain.lifecycle import OVER, State
from filestore.domain.outcome import Applied, Attempt, Refused, Throttled
from filestore.errors import AlreadyStoredError, InvalidTokenError, TryAgainError, UnknownFileError
from filestore.settings import Settings
from filestore.use_cases.delete import pinned_versions

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket, Files, MultipartUploads


@dataclass(frozen=True, slots=True)
class UndoUpload:
    """Takes uploads back."""

    files: Files
    bucket: Bucket
    uploads: MultipartUploads
    settings: Settings
    clock: Clock

    def undo(self, file_id: str, token: str) -> None:
        """Delete an upload that no back end has stored; where files are stored as they arrive, until its URL expires.

        One in parts is aborted, and may be taken back for as long as it goes on.
        Repeating it is harmless. Raises UnknownFileError, InvalidTokenError, AlreadyStoredError, TryAgainError.
        """
        now = self.clock()
        token_hash = hash_token(token)
        attempt = self._attempt(file_id, token_hash, now, even_stored=self.settings.store_on_load)
        if self.settings.store_on_load and isinstance(attempt, Refused) and _goes_on(attempt.current):
            # The URLs of its parts have expired, or the token is another's.
            attempt = self._attempt(file_id, token_hash, now, even_stored=False)
        match attempt:
            case Applied(File() as file):
                self._remove(file)
            case Refused(None):
                raise UnknownFileError("There is no such file.")
            case Refused(File(token_hash=known)) if known is None or not hmac.compare_digest(known, token_hash):
                raise InvalidTokenError("The token is not this upload's.")
            case Refused(File() as file) if file.state in OVER:
                # Deleted before; while the sweep is not through with it, its bytes may still be there.
                if file.sweep_at is not None:
                    self._remove(file)
            case Refused(File(state=State.STORED)):
                raise AlreadyStoredError("The file is stored. Only the back end can delete it.")
            case Refused() if self.settings.store_on_load:
                raise InvalidTokenError("The token has expired.")
            case Refused() | Throttled():
                raise TryAgainError("It could not be done now. Repeat the call: it is harmless.")

    def _attempt(self, file_id: str, token_hash: str, now: float, *, even_stored: bool) -> Attempt:
        return self.files.undo(
            file_id, token_hash=token_hash, deleted_at=timestamp(now), sweep_at=int(now), even_stored=even_stored
        )

    def _remove(self, file: File) -> None:
        if file.unfinished_upload is not None:
            self.uploads.abort(*file.unfinished_upload)
        self.bucket.delete(pinned_versions([file]))


def _goes_on(file: File | None) -> bool:
    """Whether the file is an upload in parts that has not ended."""
    return file is not None and file.upload_id is not None and file.state is State.PENDING
