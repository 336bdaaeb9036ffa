"""Delete files: first the record says so, then the bytes go, and the sweep finishes what was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import File, ObjectVersion
from filestore.domain.lifecycle import OVER
from filestore.domain.outcome import Applied, Outcome, Problem, Refused, Throttled

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket, Files


@dataclass(frozen=True, slots=True)
class DeleteFiles:
    """Deletes files."""

    files: Files
    bucket: Bucket
    clock: Clock

    def delete(self, ids: Sequence[str], *, owner: str | None) -> Outcome:
        """Delete these files of an owner, whatever their state. One that is deleted already counts.

        Once marked a file is deleted for good: if removing its bytes fails here, the sweep does it.
        """
        now = self.clock()
        problems: dict[str, Problem] = {}
        marked: list[File] = []
        files = self.files.of(owner)
        for file_id, attempt in files.delete(ids, deleted_at=timestamp(now), sweep_at=int(now)).items():
            match attempt:
                case Applied(File() as file):
                    marked.append(file)
                case Refused(None):
                    problems[file_id] = Problem.UNKNOWN
                case Refused(File() as file) if file.state in OVER:
                    # Deleted before; while the sweep is not through with it, its bytes may still be there.
                    if file.sweep_at is not None:
                        marked.append(file)
                case Refused() | Throttled():
                    problems[file_id] = Problem.TRY_AGAIN
        self.bucket.delete(pinned_versions(marked))
        return Outcome(tuple(file_id for file_id in ids if file_id not in problems), problems)


def pinned_versions(files: Sequence[File]) -> list[ObjectVersion]:
    """The object versions that are these files; one that was never uploaded has none."""
    return [ObjectVersion(key=file.id, version_id=file.version_id) for file in files if file.version_id is not None]
