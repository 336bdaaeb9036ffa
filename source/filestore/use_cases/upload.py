"""Ask for an upload: a record that waits for the contents, and a URL to PUT them to."""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import splitext
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import URL_MARGIN, Checksum, File, UploadLink, hash_token
from filestore.errors import FileTooLargeError
from filestore.settings import Settings

if TYPE_CHECKING:
    from filestore.domain.ports import Files, Links

# How long DynamoDB's TTL leaves alone what the sweep should have removed: LateUploadMargin at its longest, and a week.
_PURGE_AFTER = 2 * 7 * 24 * 3600

# The types that Python ships. They are in types_map until somebody calls guess_type() or the like, which adds the
# machine's own; MimeTypes() has them at any time, but would read the machine's first.
_TYPES = mimetypes.MimeTypes().types_map[True] if mimetypes.inited else mimetypes.types_map


class Upload(NamedTuple):
    """An upload that may start."""

    id: str
    link: UploadLink
    token: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class BeginUpload:
    """Registers uploads."""

    files: Files
    links: Links
    settings: Settings
    clock: Clock

    def begin(
        self,
        *,
        name: str,
        size: int | None = None,
        content_type: str | None = None,
        checksum: Checksum | None = None,
        meta: Mapping[str, str] | None = None,
    ) -> Upload:
        """Register an upload of ``size`` bytes; what is declared is what S3 will insist on.

        Raises FileTooLargeError for a size above MaxFileSize.
        """
        if size is not None and size > self.settings.max_file_size:
            raise FileTooLargeError(f"The size is {size} bytes, at most {self.settings.max_file_size} are taken.")
        file_id = secrets.token_hex(16)
        token = secrets.token_urlsafe(32)
        now = self.clock()
        link = self.links.upload(file_id, size=size, content_type=content_type, checksum=checksum)
        url_expires_at = int(now) + self.settings.signed_url_expiration
        sweep_at = url_expires_at + URL_MARGIN
        self.files.create(
            File(
                id=file_id,
                name=name,
                type=content_type or _type_of(name),
                type_from=None if content_type else "name",
                size=size,
                meta=meta,
                checksum=checksum,
                token_hash=hash_token(token),
                created_at=timestamp(now),
                url_expires_at=url_expires_at,
                sweep_at=sweep_at,
                purge_at=sweep_at + _PURGE_AFTER,
            )
        )
        return Upload(id=file_id, link=link, token=token, expires_at=timestamp(url_expires_at))


def _type_of(name: str) -> str:
    # A compressed file has the ending of its compression, which is none of these types.
    return _TYPES.get(splitext(name)[1].lower(), "application/octet-stream")
