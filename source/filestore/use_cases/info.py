"""Describe files, with a link to download those that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.disposition import attachment
from filestore.domain.file import File
from filestore.domain.lifecycle import OVER, UNSTORED, State
from filestore.domain.outcome import Problem, problem_of

if TYPE_CHECKING:
    from filestore.domain.ports import Files, Links


class Description(NamedTuple):
    """A file and, while it is stored, the URL to download it."""

    file: File
    url: str | None


class Descriptions(NamedTuple):
    """Files in the order asked for, and the problem of every other id."""

    files: tuple[Description, ...]
    problems: dict[str, Problem]


@dataclass(frozen=True, slots=True)
class DescribeFiles:
    """Describes files."""

    files: Files
    links: Links

    def describe(self, ids: Sequence[str], *, owner: str | None, deleted: bool, nonstored: bool) -> Descriptions:
        """Describe those of these files of an owner that are stored and not deleted.

        ``deleted`` lets in every deleted one, expired uploads and such as were never stored among them;
        ``nonstored`` lets in those that are neither stored nor deleted.
        """
        shown = {State.STORED} | (OVER if deleted else set()) | (UNSTORED if nonstored else set())
        files = self.files.of(owner)
        found, throttled = files.get(ids)
        described: list[Description] = []
        problems: dict[str, Problem] = {}
        for file_id in ids:
            file = found.get(file_id)
            if file_id in throttled:
                problems[file_id] = Problem.TRY_AGAIN
            elif file is not None and file.state in shown:
                described.append(Description(file, self.url(file)))
            else:
                problems[file_id] = problem_of(file)
        return Descriptions(tuple(described), problems)

    def url(self, file: File) -> str | None:
        """The URL to download a file, None unless it is stored."""
        if file.state is not State.STORED or file.version_id is None:
            return None
        return self.links.download(
            file.id,
            version_id=file.version_id,
            content_type=file.type,
            content_disposition=attachment(file.name),
        )
