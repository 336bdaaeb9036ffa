"""Lead to the contents of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.disposition import attachment, inline
from filestore.domain.lifecycle import UNSTORED, State
from filestore.domain.media_type import shown_as
from filestore.domain.outcome import problem_of
from filestore.errors import NotStoredError, TryAgainError, UnknownFileError

if TYPE_CHECKING:
    from filestore.domain.ports import Files, Links


@dataclass(frozen=True, slots=True)
class LinkContent:
    """Links the contents of files."""

    files: Files
    links: Links

    def link(self, file_id: str, *, owner: str | None, method: str, is_shown: bool) -> str:
        """Returns a URL of the file's contents, for a GET or a HEAD.

        With ``is_shown`` a browser shows them, if their type cannot script; else they are saved.
        Raises UnknownFileError where there are none, NotStoredError where they are not stored, TryAgainError.
        """
        files = self.files.of(owner)
        found, throttled = files.get([file_id])
        if throttled:
            raise TryAgainError()
        file = found.get(file_id)
        if file is not None and file.state in UNSTORED:
            raise NotStoredError(problem_of(file).message)
        if file is None or file.state is not State.STORED or file.version_id is None:
            raise UnknownFileError(problem_of(file).message)
        shown = shown_as(file.type) if is_shown else None
        return self.links.download(
            file.id,
            version_id=file.version_id,
            content_type=shown or file.type,
            content_disposition=inline(file.name) if shown else attachment(file.name),
            method=method,
        )
