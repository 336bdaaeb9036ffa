"""An upload in parts: what S3 tells of it, and for how long it may go on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.clock import seconds
from filestore.domain.file import URL_MARGIN

if TYPE_CHECKING:
    from filestore.domain.file import File, ObjectVersion

_DAY = 24 * 3600

BACKSTOP = 7 * _DAY
"""Seconds after which the bucket's lifecycle rule drops the parts of an upload that did not end (template.yaml)."""

MAX_AGE = 6 * _DAY
"""Seconds for which URLs of parts are signed, from the begin of an upload."""

MAX_URL_LIFE = _DAY
"""Seconds for which the URL of a part works, at most: the last of them is dead before the lifecycle rule acts."""


class Part(NamedTuple):
    """A part that S3 has; ``checksum`` is its CRC64NVME in base64, None where S3 does not tell."""

    number: int
    size: int
    etag: str
    checksum: str | None


class Unfinished(NamedTuple):
    """An upload in parts that S3 has; it was begun at this time, in seconds since the epoch."""

    key: str
    upload_id: str
    begun_at: float


class Completed(NamedTuple):
    """What S3 made of the parts, and the CRC64NVME of the whole in base64, None where S3 does not tell."""

    version: ObjectVersion
    checksum: str | None


def lease_ends_at(file: File, late_upload_margin: int) -> int:
    """When nobody can go on with an upload any more: the margin after its last URL, and at most BACKSTOP in all."""
    ends_at = file.url_expires_at + max(URL_MARGIN, late_upload_margin)
    return ends_at if file.upload_id is None else min(ends_at, int(seconds(file.created_at)) + BACKSTOP)
