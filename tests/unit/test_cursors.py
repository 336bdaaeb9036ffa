"""The cursors of lists, and what is read of what they lead to."""

from types import SimpleNamespace
from typing import Any

import pytest

from filestore.errors import InvalidCursorError
from filestore.use_cases.list import ListFiles, Query

QUERY = Query(owner="key", newest_first=True, deleted=False)
ID = "0123456789abcdef" * 2
PLACE = f"2026-01-01T00:00:00.000Z#{ID}"


def test_a_cursor_leads_where_it_was_made() -> None:
    assert QUERY.place_of(QUERY.cursor_after(PLACE)) == PLACE


@pytest.mark.parametrize("added", ["!", " ", "\n", "é"])
@pytest.mark.parametrize("at", [0, 7, None])
def test_a_cursor_in_which_something_stands_between_is_none(added: str, at: int | None) -> None:
    cursor = QUERY.cursor_after(PLACE)
    place = len(cursor) if at is None else at
    with pytest.raises(InvalidCursorError):
        QUERY.place_of(cursor[:place] + added + cursor[place:])


@pytest.mark.parametrize("place", ["", "elsewhere", f"{PLACE} ", PLACE.upper(), f"2026#{ID}"])
def test_a_cursor_that_leads_to_no_place_is_none(place: str) -> None:
    """How it is marked is no secret."""
    with pytest.raises(InvalidCursorError):
        QUERY.place_of(QUERY.cursor_after(place))


def test_only_files_of_whoever_asks_are_described() -> None:
    """The index lags, and may name others."""
    asked: list[Any] = []

    def describe(ids: list[str], **how: object) -> Any:
        asked.append((ids, how))
        return SimpleNamespace(files=(), problems={})

    places: Any = SimpleNamespace(after=lambda *_, **__: ([PLACE], None))
    descriptions: Any = SimpleNamespace(describe=describe)
    assert ListFiles(places, descriptions).list(QUERY, limit=1, cursor=None) == ((), None)
    assert asked == [([ID], {"owner": "key", "deleted": False, "nonstored": False})]
