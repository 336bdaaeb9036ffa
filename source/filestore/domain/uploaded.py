"""An upload has arrived: pin the file to the version that came first, and drop every other.

S3's events come late, more than once and in any order; whichever version is recorded first is the file for good, so
that whoever still holds the upload URL cannot change it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from filestore.model import Clock, File, ObjectVersion, timestamp
from filestore.settings import Settings
from filestore.storage.bucket import Bucket
from filestore.storage.repository import Applied, Attempt, FileRepository, Refused, Throttled


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

    def __call__(self, uploads: Iterable[ObjectVersion]) -> Recorded:
        """Record each file's first upload and remove the object versions that belong to no file.

        ``unfinished`` are those that AWS throttled: repeat them.
        """
        recorded: list[ObjectVersion] = []
        unwanted: list[ObjectVersion] = []
        unfinished: set[ObjectVersion] = set()
        for round_ in _one_per_file(uploads):
            for file_id, attempt in self._record(round_).items():
                upload = round_[file_id]
                match attempt:
                    case Applied():
                        recorded.append(upload)
                    case Refused(current) if current is None or not _is_version_of(upload, current):
                        unwanted.append(upload)
                    case Throttled():
                        unfinished.add(upload)
        remaining = self.bucket.delete(unwanted)
        unfinished.update(upload for upload in unwanted if upload.key in remaining)
        return Recorded(
            recorded=len(recorded),
            bytes=sum(upload.size for upload in recorded),
            removed=len(unwanted) - len(remaining),
            unfinished=frozenset(unfinished),
        )

    def _record(self, uploads: Mapping[str, ObjectVersion]) -> dict[str, Attempt]:
        now = self.clock()
        if self.settings.store_on_load:
            return self.files.record_and_store_uploads(uploads.values(), at=timestamp(now))
        return self.files.record_uploads(
            uploads.values(),
            uploaded_at=timestamp(now),
            sweep_at=int(now) + self.settings.unstored_file_lifetime,
        )


def _is_version_of(upload: ObjectVersion, file: File) -> bool:
    return file.deleted_at is None and file.version_id == upload.version_id


def _one_per_file(uploads: Iterable[ObjectVersion]) -> Sequence[Mapping[str, ObjectVersion]]:
    """Rounds in which no file comes twice, as one batch of statements demands; the order of each file's is kept."""
    rounds: list[dict[str, ObjectVersion]] = []
    for upload in dict.fromkeys(uploads):
        for round_ in rounds:
            if upload.key not in round_:
                round_[upload.key] = upload
                break
        else:
            rounds.append({upload.key: upload})
    return rounds
