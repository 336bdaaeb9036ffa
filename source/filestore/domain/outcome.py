"""What became of a change, and the answer to a batch: what was done, and for every id that is left out, why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from filestore.domain.file import File
from filestore.domain.lifecycle import State


class Applied(NamedTuple):
    """The change was made; the file is as it was just before, None where that was not asked for or not told."""

    before: File | None


class Refused(NamedTuple):
    """The condition did not hold; the file is as it is, None where a consistent read has found no record."""

    current: File | None


class Throttled(NamedTuple):
    """There was no answer in time; nothing is known."""


Attempt = Applied | Refused | Throttled


class Problem(StrEnum):
    """Why an id is left out of an answer."""

    UNKNOWN = "unknown"
    DELETED = "deleted"
    EXPIRED = "expired"
    NOT_UPLOADED = "not_uploaded"
    NOT_STORED = "not_stored"
    TRY_AGAIN = "try_again"

    @property
    def message(self) -> str:
        """The same for people."""
        return _MESSAGES[self]


_MESSAGES: Mapping[Problem, str] = {
    Problem.UNKNOWN: "There is no such file.",
    Problem.DELETED: "The file was deleted.",
    Problem.EXPIRED: "Nobody stored the upload within its lifetime, so it was removed.",
    Problem.NOT_UPLOADED: "The file was requested but its contents have not been uploaded.",
    Problem.NOT_STORED: "The file is not stored.",
    Problem.TRY_AGAIN: "It cannot be done now, or the answer is full. Repeat the call for this file: it is harmless.",
}

_PROBLEMS: Mapping[State, Problem] = {
    State.PENDING: Problem.NOT_UPLOADED,
    State.UPLOADED: Problem.NOT_STORED,
    # Nobody asks: a stored file can be stored and shown.
    State.STORED: Problem.NOT_STORED,
    State.DELETED: Problem.DELETED,
    State.EXPIRED: Problem.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ids that are now in the state asked for, in the order asked, and the problem of every other id."""

    ids: tuple[str, ...]
    problems: Mapping[str, Problem]


def problem_of(file: File | None) -> Problem:
    """Why this file, as it is, cannot be stored or shown."""
    return Problem.UNKNOWN if file is None else _PROBLEMS[file.state]
