"""Ask for an upload: a record that waits for the contents, and a URL to PUT them to, or a plan of their parts."""

from __future__ import annotations

import hmac
import mimetypes
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import splitext
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import URL_MARGIN, Checksum, File, UploadLink, hash_token
from filestore.domain.idempotency import RequestKey
from filestore.domain.lifecycle import OVER
from filestore.domain.plan import MAX_SINGLE, MAX_SIZE, PARTS_ALGORITHM, Plan, plan, plan_of
from filestore.errors import FileTooLargeError, KeyReusedError
from filestore.settings import Settings

if TYPE_CHECKING:
    from filestore.domain.ports import Files, Links, MultipartUploads

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


class UploadInParts(NamedTuple):
    """An upload that may start, part by part."""

    id: str
    plan: Plan
    token: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class BeginUpload:
    """Registers uploads. Those of more than ``threshold`` bytes come in parts."""

    files: Files
    links: Links
    uploads: MultipartUploads
    settings: Settings
    threshold: int
    clock: Clock

    def is_in_parts(self, size: int, checksum: Checksum | None, wish: bool | None) -> bool:
        """Whether an upload of ``size`` bytes comes in parts: as the client wishes, or else if it is large.

        S3 has of parts no checksum of the whole but a CRC, so what declares another is one PUT, if that can be.
        """
        if wish is not None:
            return wish
        is_one_put = checksum is not None and checksum.algorithm != PARTS_ALGORITHM and size <= MAX_SINGLE
        return size > self.threshold and not is_one_put

    def begin(
        self,
        *,
        name: str,
        size: int | None = None,
        content_type: str | None = None,
        checksum: Checksum | None = None,
        meta: Mapping[str, str] | None = None,
        request: RequestKey | None = None,
    ) -> Upload | UploadInParts:
        """Register an upload of ``size`` bytes; what is declared is what S3 will insist on.

        The same ``request`` begins the same upload, and its URL expires when the first one does. If that came in
        parts, as the stack's parameters were then, it still does.

        Raises FileTooLargeError for a size above MaxFileSize, or above what one PUT can bring, and KeyReusedError.
        """
        self._check(size, MAX_SINGLE)
        file, token = self._new_file(name, size, content_type, checksum, meta, request=request)
        link = self.links.upload(file.id, size=size, content_type=content_type, checksum=checksum)
        existing = self.files.create(file._replace(type_from=None if content_type else "name"))
        if existing is not None and request is not None:
            return self._again(existing, request, size, content_type, checksum)
        return Upload(id=file.id, link=link, token=token, expires_at=timestamp(file.url_expires_at))

    def begin_in_parts(
        self,
        *,
        name: str,
        size: int,
        content_type: str | None = None,
        checksum: Checksum | None = None,
        meta: Mapping[str, str] | None = None,
        request: RequestKey | None = None,
    ) -> Upload | UploadInParts:
        """Register an upload of ``size`` bytes in parts. S3's id of it goes into the record, and to nobody else.

        S3's upload is begun first: one without a record holds no bytes, and the sweep finds it. A record without an
        upload would promise what cannot be. Raises FileTooLargeError for a size above MaxFileSize.
        """
        self._check(size, MAX_SIZE)
        planned = plan(size)
        file, token = self._new_file(name, size, content_type, checksum, meta, request=request)
        upload_id = self.uploads.begin(file.id, content_type=file.type)
        existing = self.files.create(file._replace(upload_id=upload_id, part_size=planned.part_size))
        if existing is not None and request is not None:
            # What S3 has begun just now is without a record, as above.
            return self._again(existing, request, size, content_type, checksum)
        return UploadInParts(id=file.id, plan=planned, token=token, expires_at=timestamp(file.url_expires_at))

    def _again(
        self, file: File, request: RequestKey, size: int | None, content_type: str | None, checksum: Checksum | None
    ) -> Upload | UploadInParts:
        """The upload that the same request began before, as its record says it."""
        token, expires_at = self._token_again(file, request), timestamp(file.url_expires_at)
        if file.upload_id is not None:
            return UploadInParts(id=file.id, plan=plan_of(file), token=token, expires_at=expires_at)
        life = file.url_expires_at - int(self.clock())
        link = self.links.upload(file.id, size=size, content_type=content_type, checksum=checksum, life=life)
        return Upload(id=file.id, link=link, token=token, expires_at=expires_at)

    def _token_again(self, file: File, request: RequestKey) -> str:
        """The token of an upload that the same request began before, as long as it may go on."""
        token = request.token(file.token_salt or "")
        if not hmac.compare_digest(hash_token(token), file.token_hash or ""):
            raise KeyReusedError("This Idempotency-Key came with another body before. Take a new one for each upload.")
        if file.state in OVER or self.clock() >= file.url_expires_at:
            raise KeyReusedError("The upload of this Idempotency-Key is over. Take a new one for each upload.")
        return token

    def _check(self, size: int | None, limit: int) -> None:
        limit = min(limit, self.settings.max_file_size)
        if size is not None and size > limit:
            raise FileTooLargeError(f"The size is {size} bytes, at most {limit} are taken.")

    def _new_file(
        self,
        name: str,
        size: int | None,
        content_type: str | None,
        checksum: Checksum | None,
        meta: Mapping[str, str] | None,
        *,
        request: RequestKey | None,
    ) -> tuple[File, str]:
        """A pending file and the token of its upload."""
        salt = None if request is None else secrets.token_hex(16)
        token = secrets.token_urlsafe(32) if request is None or salt is None else request.token(salt)
        now = self.clock()
        url_expires_at = int(now) + self.settings.signed_url_expiration
        sweep_at = url_expires_at + URL_MARGIN
        file = File(
            id=secrets.token_hex(16) if request is None else request.file_id,
            name=name,
            type=content_type or _type_of(name),
            size=size,
            meta=meta,
            checksum=checksum,
            token_hash=hash_token(token),
            token_salt=salt,
            created_at=timestamp(now),
            url_expires_at=url_expires_at,
            sweep_at=sweep_at,
            purge_at=sweep_at + _PURGE_AFTER,
        )
        return file, token


def _type_of(name: str) -> str:
    # A compressed file has the ending of its compression, which is none of these types.
    return _TYPES.get(splitext(name)[1].lower(), "application/octet-stream")
