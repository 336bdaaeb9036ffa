"""Store uploads: from now on they are kept until they are deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import File
from filestore.domain.lifecycle import State
from filestore.domain.outcome import Attempt, Outcome, Problem, Refused, Throttled, problem_of
from filestore.errors import StoredOnLoadError
from filestore.settings import Settings
from filestore.use_cases.types import types_told

if TYPE_CHECKING:
    from filestore.domain.ports import Bucket, Files


@dataclass(frozen=True, slots=True)
class StoreFiles:
    """Stores uploads."""

    files: Files
    bucket: Bucket
    settings: Settings
    clock: Clock

    def store(self, ids: Sequence[str], *, owner: str | None) -> Outcome:
        """Store these files for an owner. One that is stored already counts, and keeps the date it was stored at.

        An upload whose S3 event has not been seen yet is looked up in the bucket and recorded first.
        Raises StoredOnLoadError where files are stored as they arrive.
        """
        if self.settings.store_on_load:
            raise StoredOnLoadError("Configured to store files at the time of upload. There is nothing to do.")
        files = self.files.of(owner)
        problems, unseen = self._store(files, ids)
        problems |= self._store_unseen(files, unseen)
        # An event was recorded at the same moment: now these can be stored like any other.
        problems |= self._store(
            files, [file_id for file_id, problem in problems.items() if problem is Problem.NOT_STORED]
        )[0]
        return Outcome(
            tuple(file_id for file_id in ids if problems.get(file_id) is None),
            {file_id: _reason(problem) for file_id, problem in problems.items() if problem is not None},
        )

    def _store(self, files: Files, ids: Sequence[str]) -> tuple[dict[str, Problem | None], dict[str, File]]:
        """The problems, and the files of which nobody has seen an upload."""
        attempts = files.store(ids, stored_at=timestamp(self.clock()))
        problems = {file_id: _problem(attempt) for file_id, attempt in attempts.items()}
        unseen = {
            file_id: attempt.current
            for file_id, attempt in attempts.items()
            if isinstance(attempt, Refused) and attempt.current and problems[file_id] is Problem.NOT_UPLOADED
        }
        return problems, unseen

    def _store_unseen(self, files: Files, unseen: Mapping[str, File]) -> dict[str, Problem | None]:
        versions = self.bucket.versions(list(unseen))
        max_size = self.settings.max_file_size
        fitting = (
            [version for version in found if version.size <= max_size and version.is_lasting]
            for found in versions.values()
        )
        uploads = [found[0] for found in fitting if found]
        undeclared = [upload for upload in uploads if unseen[upload.key].type_from is not None]
        types, gone = types_told(self.bucket, undeclared)
        known = [upload for upload in uploads if unseen[upload.key].type_from is None or upload.key in types]
        attempts = files.record_and_store_uploads(known, at=timestamp(self.clock()), max_size=max_size, types=types)
        looked_at = versions.keys() - {upload.key for upload in uploads}
        return {
            **{file_id: Problem.NOT_UPLOADED if file_id in looked_at else Problem.TRY_AGAIN for file_id in unseen},
            # What was seen is gone again, so the record says more by now.
            **dict.fromkeys(gone, Problem.NOT_STORED),
            **{file_id: _problem(attempt) for file_id, attempt in attempts.items()},
        }


def _problem(attempt: Attempt) -> Problem | None:
    match attempt:
        case Throttled():
            return Problem.TRY_AGAIN
        case Refused(file) if file is None or file.state is not State.STORED:
            return problem_of(file)
        case _:
            return None


def _reason(problem: Problem) -> Problem:
    # Refused, though its record says that it can be stored: nothing is known.
    return Problem.TRY_AGAIN if problem is Problem.NOT_STORED else problem
