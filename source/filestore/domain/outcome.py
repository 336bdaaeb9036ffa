"""The answer to a batch: what was done, and for every id that is left out, why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from filestore.model import Deletion, File


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """Ids that are now in the state asked for, in the order asked, and the problem of every other id."""

    ids: tuple[str, ...]
    problems: Mapping[str, Problem] = field(default_factory=dict)


def problem_of(file: File | None) -> Problem:
    """Why this file, as it is, cannot be stored or shown."""
    if file is None:
        return Problem.UNKNOWN
    if file.deleted_at is not None:
        return Problem.EXPIRED if file.deletion is Deletion.EXPIRED else Problem.DELETED
    if file.uploaded_at is None:
        return Problem.NOT_UPLOADED
    return Problem.NOT_STORED
