"""What a back end sees that reads the whole list, page by page."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.proof import model
from tests.proof.operations.back_ends import download
from tests.proof.operations.calls import call
from tests.proof.vocabulary import Op, Violation
from tests.proof.world import World


def listing(world: World, op: Op) -> None:
    """Every file that was stored throughout is seen exactly once, whatever happens between two pages."""
    key, since = world.key_of(op), world.truth.moment
    query = {"limit": str(1 + (op.variant & 1)), "order": "asc" if op.variant & 2 else "desc"}
    query |= {"deleted": "yes"} if op.variant & 4 else {}
    shown = {model.STORED} | ({model.DELETED} if "deleted" in query else set())
    seen: list[tuple[str, str]] = []
    for files in _pages(world, op, query, shown):
        seen += [(file["stored_at"], file["id"]) for file in files]
    world.require(len(set(seen)) == len(seen), f"a file was listed twice: {seen}")
    world.require(seen == sorted(seen, reverse="asc" not in query.values()), f"the list is out of order: {seen}")
    if not op.fault or op.fault.kind != "stale":
        there = {
            file_id
            for file_id in world.truth.throughout(shown, since, key)
            if "stored_at" in world.memory.items.get(file_id, {})
        }
        missed = there - {file_id for _, file_id in seen}
        world.require(not missed, f"{sorted(missed)} were there throughout, and not listed")


def _pages(
    world: World, op: Op, query: Mapping[str, str], shown: set[model.State]
) -> Iterator[list[Mapping[str, Any]]]:
    """The files of each page. One that fails is asked for again, when AWS is well."""
    cursor: dict[str, str] = {}
    while True:
        key, since = world.key_of(op), world.truth.moment
        reply = call(world, op, "list", query={**query, **cursor})
        if reply is None or reply.status != 200:
            world.recover()
            reply = call(world, op, "list", query={**query, **cursor})
        if reply is None or reply.status != 200:
            raise Violation(f"I10: list answered {reply} though nothing failed")
        files = reply.body["files"]
        world.require(len(files) <= int(query["limit"]), "a page has more files than were asked for")
        for file in files:
            file_id = file["id"]
            world.require(world.truth.was(file_id, shown, since, key), f"I11: the list showed {file_id}")
            states = {model.STORED} if "url" in file else shown - {model.STORED}
            world.require(world.truth.was(file_id, states, since, key), f"I11: a URL or none in the list for {file_id}")
            if "url" in file:
                download(world, file_id, file["url"])
        yield files
        if reply.body["next"] is None:
            return
        cursor = {"cursor": reply.body["next"]}
        _require_it_to_belong_to(world, op, query, cursor)


def _require_it_to_belong_to(world: World, op: Op, query: Mapping[str, str], cursor: Mapping[str, str]) -> None:
    """No other query takes a cursor, nor that of another key, and none that was changed. That costs no call of AWS."""
    other = {**query, **cursor, "order": "desc" if query["order"] == "asc" else "asc"}
    changed = {**query, "cursor": cursor["cursor"][::-1]}
    wrong = [(op, other), (op, changed)]
    wrong += [(Op("list", variant=op.variant ^ 8), {**query, **cursor})] if world.isolated else []
    for by, refused in wrong:
        reply = call(world, Op("list", variant=by.variant), "list", expected={400}, query=refused)
        world.require(reply and reply.body["code"] == "invalid_cursor", "a cursor of another query was taken")
