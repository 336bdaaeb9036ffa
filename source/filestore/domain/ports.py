"""What the use cases ask of storage. ``filestore.storage`` keeps these promises, with DynamoDB and S3.

Methods raise NoAnswerError where a call was not answered, StorageError where it was refused for good, and
ThrottledError where it was throttled and the method has no other word for that. Those that change several files return
what became of each, by its id. They are protocols for the type checker:
no function pays for them at run time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from filestore.domain.file import Checksum, File, ObjectVersion, Receipt, UploadLink
from filestore.domain.lifecycle import State
from filestore.domain.multipart import Completed, Part, Unfinished
from filestore.domain.outcome import Attempt


class Files(Protocol):
    """The records of files. Every change is one conditional write of one record, and only ``create`` makes one."""

    def of(self, owner: str | None) -> "Files":
        """The files that a back end with this key's id may know of; None for all. Others are as if there were none.

        What is stored by way of it becomes the owner's.
        """

    def create(self, file: File) -> File | None:
        """Write the record of a file that nobody has uploaded yet. Finding this very record is no error.

        Returns the one that an earlier request with the same Idempotency-Key has made, None where there is none.
        """

    def get(self, ids: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        """Read files as they are now. Returns the files by id, and the ids that were throttled.

        An id that is in neither has no record: the table was read for it.
        """

    def record_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        uploaded_at: str,
        sweep_at: int | None,
        max_size: int,
        types: Mapping[str, str | None] = ...,
        receipts: Mapping[str, Receipt] = ...,
    ) -> dict[str, Attempt]:
        """Pin each file to the version that was uploaded, unless it has one or is deleted.

        It is due at ``sweep_at``; None leaves that as it is. A version of more than ``max_size`` bytes is refused,
        which tells the version that is the file, if one is. So is one of a file that declared no type, which the
        refusal tells too, unless ``types`` has the file: with its type, or None to keep what its name says.
        """

    def record_and_store_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        at: str,
        max_size: int,
        types: Mapping[str, str | None] = ...,
        receipts: Mapping[str, Receipt] = ...,
    ) -> dict[str, Attempt]:
        """Like ``record_uploads``, and stored in the same write."""

    def attest(self, upload: ObjectVersion, receipt: Receipt) -> Attempt:
        """Add the checksum of the version that a file is pinned to already."""

    def renew(self, file_id: str, *, token_hash: str, begun_after: str, url_expires_at: int, sweep_at: int) -> Attempt:
        """Have a pending upload in parts, which the token opens, be due at ``sweep_at``.

        Refused where it was begun before ``begun_after``, and where another call has given it more time already.
        """

    def store(self, ids: Iterable[str], *, stored_at: str) -> dict[str, Attempt]:
        """Store the files that are uploaded; nothing is left to sweep for them."""

    def update(self, file_id: str, *, name: str | None, meta: Mapping[str, str] | None) -> Attempt:
        """Give a file that is not deleted another name, other meta, or both; None leaves what there is."""

    def delete(self, ids: Iterable[str], *, deleted_at: str, sweep_at: int) -> dict[str, Attempt]:
        """Mark files as deleted, whatever their state. Their objects are still to be removed: due at ``sweep_at``."""

    def undo(self, file_id: str, *, token_hash: str, deleted_at: str, sweep_at: int, even_stored: bool) -> Attempt:
        """Mark the upload that the token belongs to as deleted. A stored one is refused.

        With ``even_stored`` a stored one is taken as well, and any is refused whose URL has expired by ``sweep_at``.
        """


class DueFiles(Protocol):
    """The records of the files for which something is still to be done. Changes are as those of ``Files``."""

    @property
    def shards(self) -> Sequence[str]:
        """Where files wait for the sweep."""

    def pages(self, shard: str, *, now: int) -> Iterator[list[File]]:
        """Pages of the files of this shard that are due, the longest due first, as their records are now.

        Raises TryAgainError after a page of which some stayed throttled.
        """

    def expire(self, ids: Iterable[str], *, deleted_at: str) -> dict[str, Attempt]:
        """Mark uploads that nobody stored as expired. They stay due: their objects are still there."""

    def abandon(self, ids: Iterable[str], *, deleted_at: str, now: int) -> dict[str, Attempt]:
        """Mark pending uploads that are due as expired, unless they are not due any more. They stay due."""

    def keep_pending(self, ids: Iterable[str]) -> dict[str, Attempt]:
        """Keep TTL from dropping pending records whose bytes have arrived."""

    def remove_pending(self, ids: Iterable[str], *, now: int) -> dict[str, Attempt]:
        """Drop the records of uploads that never happened, if they are still due."""

    def finish_deletion(self, purge_at: Mapping[str, int | None]) -> dict[str, Attempt]:
        """Take deleted files whose objects are gone out of the sweep; TTL may drop the record at a time, or never."""

    def sweep_later(self, sweep_at: Mapping[str, int], states: frozenset[State]) -> dict[str, Attempt]:
        """Move files to a later time in the sweep, each to its own, while they are in one of these states."""


class Places(Protocol):
    """Where the stored files are in the list: each at a place of its own, ``stored_at#id``, for good."""

    def after(
        self, place: str | None, *, owner: str | None, limit: int, newest_first: bool
    ) -> tuple[list[str], str | None]:
        """Read at most ``limit`` places of this owner that come next after this one, or first; and where to go on.

        That is None where there are no more. There may be fewer though there are more, where files lie unevenly. What
        was stored just now may be missing; deleted files are there.
        """


class Bucket(Protocol):
    """The versions of the files' objects."""

    def versions(self, keys: Sequence[str]) -> dict[str, list[ObjectVersion]]:
        """Every version of each key's object, oldest first; a key without an object has an empty list.

        A key that is throttled is left out, and so is one whose list does not say that it has come to its end.
        """

    def content_types(self, versions: Sequence[ObjectVersion]) -> dict[str, str | None]:
        """The Content-Type that these versions were uploaded with, by key; None of one that is not there any more.

        A key that is throttled or refused is left out.
        """

    def checksum(self, version: ObjectVersion) -> str | None:
        """The CRC64NVME of the whole of it; None where nobody has one. Raises ThrottledError."""

    def delete(self, versions: Iterable[ObjectVersion]) -> set[str]:
        """Delete these versions; one that is gone already is no error. Returns the keys of which some remain."""


class MultipartUploads(Protocol):
    """Uploads in parts."""

    def begin(self, key: str, *, content_type: str) -> str:
        """Begin an upload. Returns its id. No call is repeated: two uploads would come of it."""

    def parts(self, key: str, upload_id: str) -> list[Part] | None:
        """Every part that there is, by number; None where there is no such upload."""

    def complete(self, file: File, parts: Sequence[Part], checksum: str | None) -> Completed | None:
        """Make an object of the parts, if it has the CRC64NVME given; None where there is no such upload.

        Raises ChecksumMismatchError.
        """

    def abort(self, key: str, upload_id: str) -> bool:
        """Drop what came of an upload; one that is gone already is no error. Returns whether that was done."""

    def end(self, uploads: Sequence[tuple[str, str]]) -> set[str]:
        """Drop uploads, by key and id, and look whether anything is left. Returns the keys of which something is."""

    def unfinished(self) -> Iterator[list[Unfinished]]:
        """Pages of the uploads that there are."""


class Links(Protocol):
    """Presigned URLs, the only way in which contents travel."""

    def upload(
        self,
        key: str,
        *,
        size: int | None = None,
        content_type: str | None = None,
        checksum: Checksum | None = None,
        life: int | None = None,
    ) -> UploadLink:
        """Sign a PUT. What is given is signed, so that S3 refuses anything else. ``size`` is in bytes.

        The URL works for ``life`` seconds, or for as long as the stack says.
        """

    def part(self, key: str, upload_id: str, number: int, *, size: int, checksum: str | None, life: int) -> UploadLink:
        """Sign a PUT of one part of ``size`` bytes, and of this CRC64NVME. The URL works for ``life`` seconds."""

    def download(
        self, key: str, *, version_id: str, content_type: str, content_disposition: str, method: str = ...
    ) -> str:
        """Sign a GET, or a HEAD, of exactly this version, answered with no header of the uploader's."""
