"""Ask for an upload: a record that waits for the contents, and a URL to PUT them to."""

import hashlib
import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from filestore.errors import FileTooLargeError
from filestore.model import Checksum, Clock, File, timestamp
from filestore.settings import Settings
from filestore.storage.links import LinkSigner, UploadLink
from filestore.storage.repository import FileRepository

# After its URL has expired an upload may still be on its way for a moment: clocks differ, and S3 looks at the
# expiry when a request begins.
URL_MARGIN = 60

# How long DynamoDB's TTL leaves alone what the sweep should have removed.
_PURGE_AFTER = 7 * 24 * 3600

# The types that Python ships, not those of the machine it happens to run on.
_TYPES = mimetypes.MimeTypes()


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that may start."""

    id: str
    link: UploadLink
    token: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class BeginUpload:
    """Registers uploads."""

    files: FileRepository
    links: LinkSigner
    settings: Settings
    clock: Clock

    def __call__(
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


def hash_token(token: str) -> str:
    """What is kept of an upload token. It is 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def _type_of(name: str) -> str:
    # The folder keeps what stands before a colon from being taken for a URL's scheme.
    guessed, encoding = _TYPES.guess_type(f"folder/{name}")
    return guessed if guessed and not encoding else "application/octet-stream"
