"""The list under traffic, and over tables of different sizes: the real handlers, by turns at each call of AWS."""

from collections import Counter
from collections.abc import Iterator

from tests import support
from tests.proof.indexes import Item
from tests.proof.proving import Proving
from tests.proof.vocabulary import Op
from tests.proof.world import World

FILES = 10_000
WRITERS = 8
# Ten of each moment, so that many pages end in the middle of one.
OF_A_MOMENT = 10


def item(number: int) -> Item:
    """The record of a stored file; its id is in one of sixteen shards, as evenly as random ones are."""
    file_id = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}{number:016x}"
    minutes, milliseconds = divmod(number // OF_A_MOMENT, 60_000)
    moment = f"2026-01-01T00:{minutes:02}:{milliseconds / 1000:06.3f}Z"
    return {
        "id": {"S": file_id},
        "name": {"S": "a.txt"},
        "type": {"S": "text/plain"},
        "created_at": {"S": moment},
        "uploaded_at": {"S": moment},
        "stored_at": {"S": moment},
        "url_expires_at": {"N": "1"},
        "version_id": {"S": "v"},
        "list_shard": {"S": file_id[0]},
        "list_place": {"S": f"{moment}#{file_id}"},
    }


def world_of(proof: Proving, files: int) -> World:
    """A world with so many stored files, in all sixteen shards, of which the model knows nothing."""
    world = proof.world(page=FILES)
    world.ids = 32
    world.memory.on_write = lambda *_: None
    world.memory.items.update((each["id"]["S"], each) for each in map(item, range(files)))
    return world


def listed(**query: str) -> Iterator[str]:
    """Every id in the list."""
    while True:
        body = support.call("list", query={"limit": "1000", **query}).body
        yield from (file["id"] for file in body["files"])
        if body["next"] is None:
            return
        query["cursor"] = body["next"]


def test_every_file_that_is_there_throughout_is_listed_exactly_once(proof: Proving) -> None:
    """10,000 files; 8 writers store and delete between any two calls of two readers, one for each order."""
    world = world_of(proof, FILES)
    there = list(world.memory.items)
    doomed = there[::7]
    kept = set(there) - set(doomed)
    seen: dict[str, Counter[str]] = {}
    stored: list[str] = []

    def read(_: World, op: Op) -> None:
        order = ("asc", "desc")[op.variant]
        seen[order] = Counter(listed(order=order))

    def write(_: World, op: Op) -> None:
        """Stores two files and deletes one of them and two that were there, until both have read all."""
        own = doomed[op.variant :: WRITERS]
        while len(seen) < 2:
            uploads = [support.call("upload", {"name": "a", "type": "text/plain"}).body["id"] for _ in range(2)]
            told = [{"key": file_id, "versionId": "v", "size": 1, "eTag": "e"} for file_id in uploads]
            assert support.invoke("uploaded", support.upload_event(*told)) == {"batchItemFailures": []}
            assert support.call("store", uploads).body == uploads
            stored.append(uploads[1])
            gone = [uploads[0], *own[:2]]
            del own[:2]
            assert support.call("delete", gone).body == gone

    world.perform({"read": read, "write": write})
    world.run(*(Op("read", variant=n) for n in range(2)), *(Op("write", variant=n) for n in range(WRITERS)))

    deleted = {file_id for file_id in doomed if "deleted_at" in world.memory.items[file_id]}
    assert len(stored) > 100
    assert len(deleted) > 200
    for counts in seen.values():
        assert set(counts.values()) == {1}
        assert kept <= counts.keys()
    assert deleted - seen["asc"].keys(), "some were deleted before they were come to"
    assert sorted(listed_now(world)) == sorted(kept | (set(doomed) - deleted) | set(stored))


def listed_now(world: World) -> list[str]:
    """What is in the list when nothing happens any more."""
    found: list[str] = []
    world.run_freely(lambda: found.extend(listed()))
    return found


def test_a_page_costs_the_same_calls_in_a_table_ten_times_as_large(proof: Proving) -> None:
    def calls(files: int, limit: int) -> Counter[str]:
        world = world_of(proof, files)

        def page() -> None:
            assert len(support.call("list", query={"limit": str(limit)}).body["files"]) == limit

        world.run_freely(page)
        return Counter(call for _, (*_, call) in world.trace)

    for limit, reads in ((1, 1), (100, 1), (101, 2), (1000, 10)):
        expected = {"Query": 16, "BatchGetItem": reads}
        assert calls(1_100, limit) == calls(11_000, limit) == expected
