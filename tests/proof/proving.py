"""The real handlers, made to run in one world after the other."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from filestore import wiring
from filestore.storage import aws
from filestore.storage.due import DueFiles
from filestore.storage.items import SHARDS
from filestore.storage.places import ListIndex
from filestore.storage.repository import FileRepository
from tests import hygiene
from tests.proof.memory import Memory
from tests.proof.operations import back_ends, browsers, events, in_parts, listing, repeated, sweep
from tests.proof.settings import FILE_LIFETIME, PART_SIZE, SETTINGS
from tests.proof.world import Operation, World

OPERATIONS: Mapping[str, Operation] = {
    "ask": browsers.ask,
    "request": repeated.request,
    "put": browsers.put,
    "put_unversioned": browsers.put_unversioned,
    "undo": browsers.undo,
    "begin": in_parts.begin,
    "send": in_parts.send,
    "parts": in_parts.parts,
    "complete": in_parts.complete,
    "lose": events.lose,
    "deliver": events.deliver,
    "redrive": events.redrive,
    "store": back_ends.store,
    "info": back_ends.info,
    "content": back_ends.content,
    "update": back_ends.update,
    "list": listing.listing,
    "delete": back_ends.delete,
    "sweep": sweep.sweep,
}
"""What may happen in a schedule."""


class _Serial:
    """A thread pool that does one thing after the other, so that a schedule decides the order."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> "_Serial":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        return map(function, items)


class Proving:
    """Makes the handlers run in worlds of their own, one after the other."""

    def __init__(self) -> None:
        self._world: World | None = None
        self.new_memory: Callable[[], Memory] = Memory
        self.log: list[str] = []
        self.watch = hygiene.watch

    def world(
        self,
        *,
        on_load: bool = False,
        isolated: bool = False,
        closed: bool = False,
        lifetime: int = FILE_LIFETIME,
        page: int = 1,
    ) -> World:
        """A new world, in which the handlers run from now on; AWS's pages have so many entries."""
        self.log.clear()
        self._world = World(
            self.new_memory(), OPERATIONS, on_load=on_load, isolated=isolated, closed=closed, lifetime=lifetime
        )
        self._world.memory.page = max(self._world.memory.page, page)
        settings = {
            **SETTINGS,
            "STORE_ON_LOAD": str(on_load),
            "KEY_ISOLATION": str(isolated),
            "PUBLIC_UPLOAD": str(not closed),
            "UNSTORED_FILE_LIFETIME": str(lifetime),
        }
        with mock.patch.dict("os.environ", settings):
            clear_caches(wiring)
            wiring.settings()
            wiring.key_is_needed()
        return self._world

    def on_call(self, name: str, parameters: Mapping[str, Any]) -> Any:
        assert self._world
        return self._world.on_call(name, parameters)

    def write(self, line: str) -> None:
        """A line of the functions' log, which is JSON."""
        if line.strip():
            json.loads(line)
            self.log.append(line)
            self.watch.line(line)

    def flush(self) -> None:
        """As a stream has it."""

    def new_id(self, octets: int) -> str:
        """What stands in for an id drawn at random."""
        assert self._world
        self._world.ids += 1
        digest = hashlib.sha256(str(self._world.ids).encode()).hexdigest()[1 : 2 * octets]
        # Two in each shard, so that one page of the sweep has several.
        return f"{(self._world.ids - 1) // 2 % 16:x}{digest}"

    def shards(self, shards: Sequence[str], _: int) -> list[str]:
        """Those that have files, and an empty one: of the others no schedule would tell anything."""
        assert self._world
        first = list(shards[: (self._world.ids + 1) // 2 + 1])
        # Ids that follow from a key are anywhere.
        return first + sorted({file_id[0] for file_id in self._world.memory.items} - {*first})

    def now(self) -> float:
        assert self._world
        return self._world.clock()


def clear_caches(module: Any) -> None:
    """Have a module make its singletons anew."""
    for member in vars(module).values():
        if hasattr(member, "cache_clear"):
            member.cache_clear()


@contextmanager
def proving() -> Iterator[Proving]:
    """The handlers on AWS in memory."""
    proof = Proving()
    with (
        mock.patch.dict("os.environ", SETTINGS),
        mock.patch("filestore.wiring.now", proof.now),
        mock.patch("filestore.storage.at_once.ThreadPoolExecutor", _Serial),
        # Parts of a few bytes: what is planned of them is a pure function, with tests of its own.
        mock.patch("filestore.domain.plan.MIB", 1),
        mock.patch("filestore.domain.plan._USUAL_PART_SIZE", PART_SIZE),
        mock.patch("filestore.wiring.FileRepository", lambda *args: FileRepository(*args, sleep=lambda _: None)),
        mock.patch("filestore.storage.due.DueFiles", lambda *args: DueFiles(*args, sleep=lambda _: None)),
        # The same in every run, and the first file in the shard that is swept first.
        mock.patch("filestore.use_cases.upload.secrets.token_hex", proof.new_id),
        mock.patch("filestore.use_cases.sweep.random.sample", proof.shards),
        mock.patch.object(ListIndex, "shards", property(lambda _: proof.shards(SHARDS, 0))),
        mock.patch("filestore.telemetry.logger.registered_handler.stream", proof),
        # Each line comes by once, not once more for every handler of pytest.
        mock.patch.object(logging.getLogger("filestore"), "propagate", False),
    ):
        clear_caches(aws)
        # Every call and every page passes here. Below it botocore would spend most of the time of a schedule.
        for client in (aws.dynamodb(), aws.s3(), aws.s3_once()):
            client._make_api_call = proof.on_call  # type: ignore[union-attr]  # noqa: SLF001
        yield proof
    clear_caches(aws)
    clear_caches(wiring)
