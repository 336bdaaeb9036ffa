"""A file, and the object versions that its contents lie in.

Values are named tuples: a frozen dataclass with slots costs every cold start four times as much to define.
"""

import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from filestore.domain.lifecycle import State

# After its URL has expired an upload may still be on its way for a moment, as clocks differ: the sweep looks then.
# S3 looks at the expiry when a request begins, so a slow upload may end much later (LateUploadMargin).
URL_MARGIN = 60

_ID = re.compile(r"[0-9a-f]{32}")


def is_file_id(text: str) -> bool:
    """Whether the text has the form of a file id: 128 bits in lower-case hexadecimal."""
    return _ID.fullmatch(text) is not None


def hash_token(token: str) -> str:
    """Returns what is kept of an upload token. It is 256 random bits, so a plain hash cannot be searched."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


class Deletion(StrEnum):
    """Why a file was deleted."""

    REQUESTED = "requested"
    UNDONE = "undone"
    EXPIRED = "expired"


class Checksum(NamedTuple):
    """What the uploader says the contents hash to; S3 refuses other contents."""

    algorithm: str
    value: str


class Receipt(NamedTuple):
    """A checksum that S3 has verified for the contents; ``source`` is ``s3`` where it computed it, too."""

    checksum: Checksum
    source: str | None = None


class UploadLink(NamedTuple):
    """A URL to PUT contents to, and the headers that have to go with them."""

    url: str
    headers: Mapping[str, str]


class File(NamedTuple):
    """A file as its record has it. Timestamps are RFC 3339 text, ``*_at`` numbers are seconds since the epoch.

    ``type_from`` says what a type was taken from that nobody has declared, until the upload tells a better one.
    ``owner`` is the id of the key that stored the file, where each key has files of its own.
    ``token_salt`` is of an upload that was asked for with an Idempotency-Key: its token follows from both.
    ``upload_id`` (S3's) and ``part_size`` (bytes) are those of an upload in parts. ``checksum_from`` says that S3 has
    computed the checksum; otherwise the uploader has declared it.
    """

    id: str
    name: str
    type: str
    created_at: str
    url_expires_at: int
    type_from: str | None = None
    size: int | None = None
    meta: Mapping[str, str] | None = None
    checksum: Checksum | None = None
    checksum_from: str | None = None
    token_hash: str | None = None
    token_salt: str | None = None
    upload_id: str | None = None
    part_size: int | None = None
    uploaded_at: str | None = None
    stored_at: str | None = None
    deleted_at: str | None = None
    deletion: Deletion | None = None
    version_id: str | None = None
    etag: str | None = None
    sweep_at: int | None = None
    purge_at: int | None = None
    owner: str | None = None

    def is_known_to(self, owner: str | None) -> bool:
        """Whether a back end with this key's id may know of the file: its own, or one that nobody has stored.

        None is every back end, where they share all files.
        """
        return owner is None or (self.owner == owner if self.stored_at is not None else self.owner is None)

    @property
    def state(self) -> State:
        """Where the file is in its life. What happened last counts."""
        if self.deleted_at is not None:
            return State.EXPIRED if self.deletion is Deletion.EXPIRED else State.DELETED
        if self.stored_at is not None:
            return State.STORED
        return State.PENDING if self.uploaded_at is None else State.UPLOADED

    @property
    def unfinished_upload(self) -> tuple[str, str] | None:
        """Key and id of the upload in parts that S3 may still have: none once it became an object version."""
        return (self.id, self.upload_id) if self.upload_id is not None and self.version_id is None else None


# What S3 calls the version of an object that came while the bucket was not versioned.
NO_VERSION = "null"


class ObjectVersion(NamedTuple):
    """One version of an object in the bucket; its key is the file's id, its size in bytes."""

    key: str
    version_id: str
    size: int = 0
    etag: str = ""

    @property
    def is_lasting(self) -> bool:
        """Whether another upload leaves it as it is. One without a version of its own would be overwritten."""
        return self.version_id != NO_VERSION
