"""List the files that are stored, a page at a time.

A page begins after a place that no file leaves and no other takes, so whatever is stored and deleted meanwhile, each
file that stays is listed exactly once. Only the order comes from the index, which lags: what a file is, is read from
its record. So a page may have fewer files than were asked for, or none, and is not the last all the same.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.outcome import Problem
from filestore.errors import InvalidCursorError, TryAgainError
from filestore.use_cases.info import DescribeFiles, Description

if TYPE_CHECKING:
    from filestore.domain.ports import Places

_PLACE = re.compile(r"([0-9TZ:.-]{20,30})#([0-9a-f]{32})", re.ASCII)
_MARK = 12


class Query(NamedTuple):
    """What is listed: an owner's files by ``stored_at``, the newest or the oldest first, deleted ones or not."""

    owner: str | None
    newest_first: bool
    deleted: bool

    def cursor_after(self, place: str) -> str:
        """Returns a cursor that says where this query is to go on. It is no secret, and gives nobody a right."""
        return urlsafe_b64encode((place + self._mark(place)).encode()).decode()

    def place_of(self, cursor: str) -> str:
        """Returns the place in a cursor of this query. Raises InvalidCursorError for any other text."""
        try:
            text = b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode("ascii")
        except ValueError:
            text = ""
        place, mark = text[:-_MARK], text[-_MARK:]
        if not _PLACE.fullmatch(place) or mark != self._mark(place):
            raise InvalidCursorError("The cursor is not of this query. Begin again without one.")
        return place

    def _mark(self, place: str) -> str:
        """Tells the cursors of one query from those of another, and from what was cut or changed on its way."""
        return hashlib.sha256(f"1 {self.owner} {self.newest_first} {self.deleted} {place}".encode()).hexdigest()[:_MARK]


class Page(NamedTuple):
    """Files in their order, and the cursor of the next page: None where there is none."""

    files: tuple[Description, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class ListFiles:
    """Lists files."""

    places: Places
    descriptions: DescribeFiles

    def list(self, query: Query, *, limit: int, cursor: str | None) -> Page:
        """List at most ``limit`` of the files that are stored, and where the query says so those that were.

        Raises InvalidCursorError, and TryAgainError where a record could not be read: it may be a file's.
        """
        start = None if cursor is None else query.place_of(cursor)
        places, end = self.places.after(start, owner=query.owner, limit=limit, newest_first=query.newest_first)
        described = self.descriptions.describe(
            [place.partition("#")[2] for place in places], owner=query.owner, deleted=query.deleted, nonstored=False
        )
        if Problem.TRY_AGAIN in described.problems.values():
            raise TryAgainError()
        return Page(described.files, None if end is None else query.cursor_after(end))

    def cut(self, query: Query, page: Page, size: int) -> Page:
        """Returns the first ``size`` files of a page, with a cursor to the others."""
        if size >= len(page.files):
            return page
        last = page.files[size - 1].file
        return Page(page.files[:size], query.cursor_after(f"{last.stored_at}#{last.id}"))
