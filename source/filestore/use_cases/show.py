"""Describe one file."""

from __future__ import annotations

from dataclasses import dataclass

from filestore.domain.outcome import Problem
from filestore.errors import TryAgainError, UnknownFileError
from filestore.use_cases.info import DescribeFiles, Description


@dataclass(frozen=True, slots=True)
class ShowFile:
    """Describes one file, by the rules for several."""

    descriptions: DescribeFiles

    def show(self, file_id: str, *, owner: str | None, deleted: bool, nonstored: bool) -> Description:
        """Describe the file if it is stored and not deleted. The flags let in what they let in for several.

        Raises UnknownFileError, which says why in its message, and TryAgainError where the record could not be read.
        """
        described = self.descriptions.describe([file_id], owner=owner, deleted=deleted, nonstored=nonstored)
        for description in described.files:
            return description
        problem = described.problems[file_id]
        if problem is Problem.TRY_AGAIN:
            raise TryAgainError(problem.message)
        raise UnknownFileError(problem.message)
