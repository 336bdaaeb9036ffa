"""Give a file another name or other meta."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.file import File
from filestore.domain.lifecycle import OVER
from filestore.domain.outcome import Applied, Refused, problem_of
from filestore.errors import DeletedError, TryAgainError, UnknownFileError
from filestore.use_cases.info import DescribeFiles, Description

if TYPE_CHECKING:
    from filestore.domain.ports import Files


@dataclass(frozen=True, slots=True)
class UpdateFile:
    """Changes what is said of a file; its contents and its state stay."""

    files: Files
    descriptions: DescribeFiles

    def update(
        self, file_id: str, *, owner: str | None, name: str | None, meta: Mapping[str, str] | None
    ) -> Description:
        """Change what is given, in one write, and describe the file as it is now. ``meta`` replaces all of it.

        Raises UnknownFileError, DeletedError, TryAgainError. Repeating it is harmless.
        """
        files = self.files.of(owner)
        attempt = files.update(file_id, name=name, meta=meta)
        match attempt:
            case Applied(None):
                file = _read(files, file_id)
            case Applied(File() as before):
                file = before._replace(
                    name=before.name if name is None else name, meta=before.meta if meta is None else meta
                )
            case Refused(None):
                raise UnknownFileError(problem_of(None).message)
            case Refused(File() as found) if found.state in OVER:
                raise DeletedError(problem_of(found).message)
            case _:
                raise TryAgainError()
        return Description(file, self.descriptions.url(file))


def _read(files: Files, file_id: str) -> File:
    """The file after a change that brought no record."""
    found, _ = files.get([file_id])
    if file_id not in found:
        raise TryAgainError()
    return found[file_id]
