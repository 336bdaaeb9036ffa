"""An upload has arrived: pin the file to the version that came first, and drop every other.

S3's events come late, more than once and in any order; whichever version is recorded first is the file for good, so
that whoever still holds the upload URL cannot change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import File, ObjectVersion, Receipt
from filestore.domain.lifecycle import OVER
from filestore.domain.outcome import Applied, Attempt, Refused, Throttled
from filestore.settings import Settings
from filestore.use_cases.types import types_told

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket, Files


_NO_RECEIPTS: Mapping[str, Receipt] = {}


class Recorded(NamedTuple):
    """What became of the uploads; ``bytes`` are those of the recorded ones."""

    recorded: int
    bytes: int
    removed: int
    unfinished: frozenset[ObjectVersion]


@dataclass(frozen=True, slots=True)
class RecordUploads:
    """Records uploads, from S3's events or from what the sweep found in the bucket."""

    files: Files
    bucket: Bucket
    settings: Settings
    clock: Clock

    def record(self, uploads: Iterable[ObjectVersion], *, are_due: bool = False) -> Recorded:
        """Record each file's first upload and remove the object versions that belong to no file.

        One larger than MaxFileSize is none: where no size was declared, S3 takes whatever comes. Nor is one without a
        version of its own, which could not be pinned. ``unfinished`` are those that were throttled, or that may still
        give way to another: repeat them. Where the files ``are_due`` they are so no longer.
        """
        versions: dict[str, list[ObjectVersion]] = {}
        for upload in sorted(
            dict.fromkeys(uploads), key=lambda upload: (not upload.is_lasting, self._is_too_large(upload))
        ):
            versions.setdefault(upload.key, []).append(upload)
        recorded: list[ObjectVersion] = []
        unwanted: list[ObjectVersion] = []
        unfinished: set[ObjectVersion] = set()
        # One attempt per file tells which version it is pinned to, and that never changes.
        attempts = self._record([first for first, *_ in versions.values() if first.is_lasting], are_due=are_due)
        for file_id, (first, *others) in versions.items():
            match attempts.get(file_id):
                case Applied():
                    recorded.append(first)
                    unwanted += others
                case Refused(current) if current is None or _is_final(current):
                    unwanted += [version for version in (first, *others) if not _is_version_of(version, current)]
                case Refused():
                    # Pending: only what is too large is no file for sure.
                    for version in (first, *others):
                        (unwanted.append if self._is_too_large(version) else unfinished.add)(version)
                case None if first.is_lasting:
                    # It is not there any more, so one of the others may be the file.
                    unfinished.update(others)
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
        """What became of each; one that is not in the bucket any more is left out."""
        attempts = self.pin(uploads, {}, are_due=are_due)
        undeclared = [upload for upload in uploads if self._has_no_type(upload, attempts[upload.key])]
        if not undeclared:
            return attempts
        types, gone = types_told(self.bucket, undeclared)
        attempts |= {upload.key: Throttled() for upload in undeclared}
        attempts |= self.pin([upload for upload in undeclared if upload.key in types], types, are_due=are_due)
        return {file_id: attempt for file_id, attempt in attempts.items() if file_id not in gone}

    def pin(
        self,
        uploads: Sequence[ObjectVersion],
        types: Mapping[str, str | None],
        receipts: Mapping[str, Receipt] = _NO_RECEIPTS,
        *,
        are_due: bool = False,
    ) -> dict[str, Attempt]:
        """Pin each file to its upload, with the type and the checksum given. Returns what became of each."""
        now, max_size = self.clock(), self.settings.max_file_size
        if self.settings.store_on_load:
            return self.files.record_and_store_uploads(
                uploads, at=timestamp(now), max_size=max_size, types=types, receipts=receipts
            )
        lifetime = self.settings.unstored_file_lifetime
        return self.files.record_uploads(
            uploads,
            uploaded_at=timestamp(now),
            # When the URL is dead the sweep looks anyway, and it sets a later time itself: only for the few that nobody
            # has stored by then, as moving a file is two writes of the index.
            sweep_at=int(now) + lifetime if are_due or lifetime < self.settings.signed_url_expiration else None,
            max_size=max_size,
            types=types,
            receipts=receipts,
        )

    def _has_no_type(self, upload: ObjectVersion, attempt: Attempt) -> bool:
        """Whether the upload was refused for nothing but a type that nobody has declared."""
        return (
            isinstance(attempt, Refused)
            and attempt.current is not None
            and attempt.current.type_from is not None
            and not _is_final(attempt.current)
            and not self._is_too_large(upload)
        )

    def _is_too_large(self, upload: ObjectVersion) -> bool:
        return upload.size > self.settings.max_file_size


def _is_final(file: File) -> bool:
    """Whether the record says which version is the file, or that none is any more."""
    return file.version_id is not None or file.state in OVER


def _is_version_of(upload: ObjectVersion, file: File | None) -> bool:
    return file is not None and file.state not in OVER and file.version_id == upload.version_id
