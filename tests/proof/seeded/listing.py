"""Seeded bugs in the list of stored files."""

from collections.abc import Mapping
from typing import Any

from filestore.storage.items import list_shard
from filestore.storage.places import ListIndex
from filestore.storage.statements import Statements
from filestore.use_cases.info import DescribeFiles, Descriptions
from filestore.use_cases.list import ListFiles, Page, Query
from tests.proof.seeded.patching import Bug, change, statement, within


def _by_time_alone(original: Any, index: ListIndex, place: str | None, **values: Any) -> Any:
    if place is not None:
        # Beyond every place of that moment.
        place = f"{place.partition('#')[0]}{'#' if values['newest_first'] else '#~'}"
    return original(index, place, **values)


def _beyond_what_is_known(
    _: Any, index: ListIndex, place: str | None, *, owner: str | None, limit: int, newest_first: bool
) -> Any:
    shards = [list_shard(shard, owner) for shard in index.shards]
    asked = [index._of(shard, place, limit=limit, newest_first=newest_first) for shard in shards]  # noqa: SLF001
    places = sorted((place for found, _ in asked for place in found), reverse=newest_first)
    return places[:limit], places[limit - 1] if any(end for _, end in asked) and len(places) >= limit else None


def _eventually(original: Any, statements: Any, ids: Any) -> Any:
    found, throttled = original(statements, ids)
    answer = statements._client.batch_get_item(  # noqa: SLF001
        RequestItems={statements._table: {"Keys": [{"id": {"S": each}} for each in found], "ConsistentRead": False}}  # noqa: SLF001
    )
    return (found, throttled) if answer else ({}, set())


def _without_what_was_throttled(original: Any, descriptions: Any, ids: Any, **values: Any) -> Any:
    return Descriptions(original(descriptions, ids, **values).files, {})


def _ending_with_an_empty_page(original: Any, *args: Any, **values: Any) -> Any:
    page = original(*args, **values)
    return page if page.files else Page((), None)


BUGS: Mapping[str, Bug] = {
    "a cursor goes by the time alone": change(ListIndex, "after", _by_time_alone),
    "a page goes beyond what one shard has told": change(ListIndex, "after", _beyond_what_is_known),
    "the list shows deleted files": within(
        ListFiles, "list", DescribeFiles, "describe", lambda original, *args, **values: original(
            *args, **values | {"deleted": True}
        ),
    ),
    "the list believes a read that may be old": within(ListFiles, "list", Statements, "read", _eventually),
    "the list leaves out what was throttled": within(
        ListFiles, "list", DescribeFiles, "describe", _without_what_was_throttled
    ),
    "the list ends at a page without files": change(ListFiles, "list", _ending_with_an_empty_page),
    "a cursor of another query is taken": change(
        Query, "_mark", lambda original, query, place: original(query._replace(newest_first=True), place)
    ),
    "a file that was stored on load is not in the list": statement(
        'SET "list_shard"=? SET "list_place"=? REMOVE "sweep_shard" REMOVE "sweep_at" REMOVE "purge_at"',
        'SET "list"=? SET "list"=? REMOVE "list" REMOVE "sweep_shard" REMOVE "sweep_at" REMOVE "purge_at"',
    ),
    "a file that was deleted is not in the list any more": statement(
        'SET "sweep_at"=? REMOVE "purge_at" WHERE', 'SET "sweep_at"=? REMOVE "list_place" REMOVE "purge_at" WHERE'
    ),
}  # fmt: skip
