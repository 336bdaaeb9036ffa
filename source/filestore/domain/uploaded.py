"""An upload has arrived: pin the file to the version that came first, and drop every other.

S3's events come late, more than once and in any order; whichever version is recorded first is the file for good, so
that whoever still holds the upload URL cannot change it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from filestore.model import Clock, File, ObjectVersion, timestamp
from filestore.settings import Settings
from filestore.storage.bucket import Bucket
from filestore.storage.repository import Applied, Attempt, FileRepository, Refused


class Recorded(NamedTuple):
    """What became of the uploads; ``bytes`` are those of the recorded ones."""

    recorded: int
    bytes: int
    removed: int
    unfinished: frozenset[ObjectVersion]


@dataclass(frozen=True, slots=True)
class RecordUploads:
    """Records uploads, from S3's events or from what the sweep found in the bucket."""

    files: FileRepository
    bucket: Bucket
    settings: Settings
    clock: Clock

    def __call__(self, uploads: Iterable[ObjectVersion], *, are_due: bool = False) -> Recorded:
        """Record each file's first upload and remove the object versions that belong to no file.

        One larger than MaxFileSize is none: where no size was declared, S3 takes whatever comes. Nor is one without a
        version of its own, which could not be pinned. ``unfinished`` are those that AWS throttled, or that may still
        give way to another: repeat them. Where the files ``are_due`` they are so no longer.
        """
        versions: dict[str, list[ObjectVersion]] = {}
        for upload in sorted(
            dict.fromkeys(uploads), key=lambda upload: (not upload.is_lasting, self._is_too_large(upload))
        ):
            versions.setdefault(upload.key, []).append(upload)
        recorded: list[ObjectVersion] = []
        unwanted: list[ObjectVersion] = []
        unfinished = {upload for of_file in versions.values() if not of_file[0].is_lasting for upload in of_file}
        firsts = [first for first, *_ in versions.values() if first.is_lasting]
        # One attempt per file tells which version it is pinned to, and that never changes.
        for file_id, attempt in self._record(firsts, are_due=are_due).items():
            first, *others = versions[file_id]
            match attempt:
                case Applied():
                    recorded.append(first)
                    unwanted += others
                case Refused(current) if current is None or _is_final(current) or self._is_too_large(first):
                    unwanted += [version for version in (first, *others) if not _is_version_of(version, current)]
                case _:
                    unfinished.update((first, *others))
        remaining = self.bucket.delete(unwanted)
        kept = [version for version in unwanted if version.key in remaining]
        return Recorded(
            recorded=len(recorded),
            bytes=sum(upload.size for upload in recorded),
            removed=len(unwanted) - len(kept),
            unfinished=frozenset(unfinished.union(kept)),
        )

    def _record(self, uploads: Sequence[ObjectVersion], *, are_due: bool) -> dict[str, Attempt]:
        now = self.clock()
        if self.settings.store_on_load:
            return self.files.record_and_store_uploads(uploads, at=timestamp(now), max_size=self.settings.max_file_size)
        lifetime = self.settings.unstored_file_lifetime
        return self.files.record_uploads(
            uploads,
            uploaded_at=timestamp(now),
            # When the URL is dead the sweep looks anyway, and it sets a later time itself: only for the few that nobody
            # has stored by then, as moving a file is two writes of the index.
            sweep_at=int(now) + lifetime if are_due or lifetime < self.settings.signed_url_expiration else None,
            max_size=self.settings.max_file_size,
        )

    def _is_too_large(self, upload: ObjectVersion) -> bool:
        return upload.size > self.settings.max_file_size


def _is_final(file: File) -> bool:
    """Whether the record says which version is the file, or that none is any more."""
    return file.version_id is not None or file.deleted_at is not None


def _is_version_of(upload: ObjectVersion, file: File | None) -> bool:
    return file is not None and file.deleted_at is None and file.version_id == upload.version_id
