"""Describe files, with a link to download those that are stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from filestore.domain.disposition import attachment
from filestore.domain.outcome import Problem, problem_of
from filestore.model import File
from filestore.storage.links import LinkSigner
from filestore.storage.repository import FileRepository


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

    files: FileRepository
    links: LinkSigner

    def __call__(self, ids: Sequence[str], *, deleted: bool = False, nonstored: bool = False) -> Descriptions:
        """Describe those of these files that are stored and not deleted.

        ``deleted`` lets in every deleted one, expired uploads and such as were never stored among them;
        ``nonstored`` lets in those that are neither stored nor deleted.
        """
        found, throttled = self.files.get(ids)
        described: list[Description] = []
        problems: dict[str, Problem] = {}
        for file_id in ids:
            file = found.get(file_id)
            if file_id in throttled:
                problems[file_id] = Problem.TRY_AGAIN
            elif file is not None and _is_shown(file, deleted=deleted, nonstored=nonstored):
                described.append(Description(file, self._url(file)))
            else:
                problems[file_id] = problem_of(file)
        return Descriptions(tuple(described), problems)

    def _url(self, file: File) -> str | None:
        if file.stored_at is None or file.deleted_at is not None or file.version_id is None:
            return None
        return self.links.download(
            file.id,
            version_id=file.version_id,
            content_type=file.type,
            content_disposition=attachment(file.name),
        )


def _is_shown(file: File, *, deleted: bool, nonstored: bool) -> bool:
    if file.deleted_at is not None:
        return deleted
    return file.stored_at is not None or nonstored
