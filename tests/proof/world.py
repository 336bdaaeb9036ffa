"""The world in which the real handlers run: AWS with faults at every call, S3's events, a clock, and several at once.

Every operation is a greenlet that gives way at each AWS call, so that a schedule says exactly who goes on when.
"""

import itertools
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from greenlet import getcurrent, greenlet

from tests import support
from tests.proof import faults, model
from tests.proof.faults import Fault
from tests.proof.memory import Memory
from tests.proof.settings import FILE_LIFETIME, KEYS, START
from tests.proof.sites import Site, site_of
from tests.proof.truth import TTL, Truth
from tests.proof.vocabulary import Message, Op, Upload, Violation

# As the model calls the functions that these operations run.
_FUNCTIONS = {"ask": "upload", "begin": "upload", "request": "upload", "send": "sign", "deliver": "uploaded"}


class Task(greenlet):  # type: ignore[misc] # it comes without types
    """A running operation."""

    def __init__(self, run: Callable[[], None], number: int, operation: str, fault: Fault | None) -> None:
        super().__init__(run)
        self.number = number
        self.operation = operation
        self.fault = fault
        self.calls = 0
        self.faults: Counter[str] = Counter()

    def next_fault(self, operation: str) -> Fault | None:
        """The fault of its next AWS call."""
        call = self.calls
        self.calls += 1
        return self.fault if self.fault and self.fault.is_at(call, operation) else None


class World:
    """One stack, from the first upload to the end of a schedule. ``operations`` perform what a schedule names."""

    def __init__(
        self,
        memory: Memory,
        operations: "Mapping[str, Operation]",
        *,
        on_load: bool = False,
        isolated: bool = False,
        closed: bool = False,
        lifetime: int = FILE_LIFETIME,
    ) -> None:
        self.on_load = on_load
        self.isolated = isolated
        self.closed = closed
        self.lifetime = lifetime
        self.clock = support.Clock(START)
        self.memory = memory
        self.uploads: list[Upload] = []
        self.queue: list[Message] = []
        self.dead: list[Message] = []
        self.handled: list[dict[str, Any]] = []
        self.kept: set[str] = set()
        self.doomed: set[str] = set()
        self.undeclared: set[str] = set()
        self.requests: Counter[str] = Counter()
        self.seen: dict[str, bytes] = {}
        self.memory.multiparts.now = self.clock
        self.memory.multiparts.on_complete = self._completed
        self.truth = Truth(
            memory, self.clock, self.uploads, self.undeclared, on_load=on_load, isolated=isolated, lifetime=lifetime
        )
        self.ids = 0
        self.faults: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.sites: set[Site] = set()
        self.quiet = False
        self.alone = False
        self.trace: list[tuple[int, Site]] = []
        self._operations = operations

    # ------------------------------------------------------------ scheduling

    def run(self, *ops: Op, choices: Sequence[int] = ()) -> None:
        """Perform operations at once: at each AWS call the next choice says which goes on."""
        self.memory.refresh_indexes()
        tasks = [
            Task(self._body(op), number, _FUNCTIONS.get(op.kind, op.kind), op.fault) for number, op in enumerate(ops)
        ]
        following = itertools.chain(choices, itertools.cycle(range(len(tasks) or 1)))
        live = list(tasks)
        self.alone = len(tasks) == 1
        while live:
            task = live[next(following) % len(live)]
            self.truth.operation = task.operation
            task.switch()
            if self.truth.wrong_change:
                raise Violation(f"I9: {self.truth.wrong_change}")
            if task.dead:
                live.remove(task)
        for task in tasks:
            self.faults += task.faults

    def perform(self, operations: "Mapping[str, Operation]") -> None:
        """Have schedules name these operations."""
        self._operations = operations

    def run_freely(self, body: Callable[[], None]) -> None:
        """Run a function that may call handlers as it likes, of which the model knows nothing."""
        task = Task(body, 0, "anything", None)
        self.quiet = True
        self.truth.operation = TTL
        task.switch()

    def wait(self, seconds: int) -> None:
        """Let time pass, and DynamoDB drop the records whose time has come."""
        self.clock.advance(seconds)
        self.truth.operation = TTL
        for file_id, item in list(self.memory.items.items()):
            if "purge_at" in item and int(item["purge_at"]["N"]) < self.clock():
                self.memory.purge(file_id)

    def _body(self, op: Op) -> Callable[[], None]:
        def body() -> None:
            self.operations[op.kind] += 1
            self._operations[op.kind](self, op)

        return body

    def on_call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer an AWS call, or let it fail as the schedule says."""
        task = getcurrent()
        assert isinstance(task, Task), "an AWS call outside of an operation"
        fault = task.next_fault(name)
        site = (task.operation, *site_of(sys._getframe()), name)  # noqa: SLF001 - the way to the caller
        self.sites.add(site)
        self.trace.append((task.number, site))
        self._give_way(task)
        if fault is not None:
            task.faults[fault.kind] += 1
        if fault is not None and fault.kind == "retried":
            # The answer was lost; whatever it was, the SDK asks again later.
            self.memory.call(name, parameters)
            self._give_way(task)
        return faults.answer(self.memory, name, parameters, fault)

    def _give_way(self, task: Task) -> None:
        if task.parent is not None and not self.quiet:
            task.parent.switch()
            self.truth.operation = task.operation

    # ------------------------------------------------- for the operations

    def recover(self) -> None:
        """Let no call of the running operation fail from here on."""
        task = getcurrent()
        assert isinstance(task, Task)
        task.fault = None

    def require(self, holds: object, what: str) -> None:
        """Raises Violation where an invariant does not hold."""
        if not holds:
            raise Violation(what)

    def is_denied(self) -> bool:
        """Whether AWS has refused what the running operation did: it must fail, and loudly."""
        task = getcurrent()
        return isinstance(task, Task) and task.faults["denied"] > 0

    def is_deleted(self, upload: Upload) -> bool:
        """Whether the file of an upload is deleted now."""
        return model.state(self.memory.items.get(upload.id)) in (model.DELETED, model.EXPIRED)

    def key_of(self, op: Op) -> str | None:
        """The key with which a back end does it, None where it does not matter."""
        return KEYS[op.variant >> 3 & 1] if self.isolated or self.closed else None

    def _completed(self, key: str, version: str, contents: bytes) -> None:
        """S3 tells of what it has made of parts."""
        for upload in self.uploads:
            if upload.id == key:
                upload.versions[version] = contents
        self.queue.append(Message({"key": key, "versionId": version, "size": len(contents), "eTag": "etag"}))

    def id_of(self, number: int) -> str:
        """The id of an upload by its number; an unknown one where there is none."""
        return self.uploads[number % len(self.uploads)].id if self.uploads else "f" * 32


Operation = Callable[[World, Op], None]
"""Performs what a schedule names, and requires that what comes of it is right."""
