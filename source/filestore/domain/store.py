"""Store uploads: from now on they are kept until they are deleted."""

from collections.abc import Sequence
from dataclasses import dataclass

from filestore.domain.outcome import Outcome, Problem, problem_of
from filestore.errors import StoredOnLoadError
from filestore.model import Clock, timestamp
from filestore.settings import Settings
from filestore.storage.bucket import Bucket
from filestore.storage.repository import Attempt, FileRepository, Refused, Throttled


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """Stores uploads."""

    files: FileRepository
    bucket: Bucket
    settings: Settings
    clock: Clock

    def __call__(self, ids: Sequence[str]) -> Outcome:
        """Store these files. One that is stored already counts, and keeps the date it was stored at.

        An upload whose S3 event has not been seen yet is looked up in the bucket and recorded first.
        Raises StoredOnLoadError where files are stored as they arrive.
        """
        if self.settings.store_on_load:
            raise StoredOnLoadError("Configured to store files at the time of upload.")
        problems = self._store(ids)
        unseen = [file_id for file_id, problem in problems.items() if problem is Problem.NOT_UPLOADED]
        problems |= self._store_unseen(unseen)
        return Outcome(
            tuple(file_id for file_id in ids if problems.get(file_id) is None),
            {file_id: problem for file_id, problem in problems.items() if problem is not None},
        )

    def _store(self, ids: Sequence[str]) -> dict[str, Problem | None]:
        attempts = self.files.store(ids, stored_at=timestamp(self.clock()))
        return {file_id: _problem(attempt) for file_id, attempt in attempts.items()}

    def _store_unseen(self, ids: Sequence[str]) -> dict[str, Problem | None]:
        versions = self.bucket.versions(ids)
        problems: dict[str, Problem | None] = {file_id: Problem.TRY_AGAIN for file_id in ids if file_id not in versions}
        max_size = self.settings.max_file_size
        fitting = (
            [version for version in found if version.size <= max_size and version.is_lasting]
            for found in versions.values()
        )
        attempts = self.files.record_and_store_uploads(
            [found[0] for found in fitting if found], at=timestamp(self.clock()), max_size=max_size
        )
        problems |= {file_id: _problem(attempt) for file_id, attempt in attempts.items()}
        # The event was recorded at the same moment: then these can be stored like any other.
        recorded = [file_id for file_id, problem in problems.items() if problem is Problem.NOT_STORED]
        return problems | self._store(recorded)


def _problem(attempt: Attempt) -> Problem | None:
    match attempt:
        case Throttled():
            return Problem.TRY_AGAIN
        case Refused(file) if file is None or file.stored_at is None or file.deleted_at is not None:
            return problem_of(file)
        case _:
            return None
