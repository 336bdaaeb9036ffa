"""Schedules: what happens, in which order, with which faults; run in a world, and told to people."""

from dataclasses import dataclass

from tests.proof.faults import Fault
from tests.proof.proving import Proving
from tests.proof.settings import FILE_LIFETIME, START, URL_LIFETIME, URL_MARGIN
from tests.proof.settling import settle
from tests.proof.vocabulary import Op
from tests.proof.world import World

MONTH = 31 * 24 * 3600
# What has happened before a schedule: the last delete was interrupted, so the bytes are still there.
BEGINNINGS: tuple[tuple[tuple[str, Fault | None], ...], ...] = (
    (),
    (("put", None),),
    (("put", None), ("deliver", None)),
    (("put", None), ("deliver", None), ("store", None)),
    (("put", None), ("deliver", None), ("delete", Fault("died after"))),
    (("send", None),),
    (("send", None), ("complete", None)),
    # S3 has put the parts together, and nobody knows.
    (("send", None), ("complete", Fault("died after", 4)), ("parts", None)),
)


@dataclass(frozen=True)
class Step:
    """Operations at once, and how long it takes until the next step. ``choices`` say who goes on at each AWS call.

    The next step is not before ``until``, in seconds after the first uploads were asked for, and if it is ``swept``
    after a sweep that nothing disturbs but this fault.
    """

    ops: tuple[Op, ...]
    choices: tuple[int, ...] = ()
    wait: int = 0
    until: int = 0
    swept: bool = False
    fault: Fault | None = None


@dataclass(frozen=True)
class Schedule:
    """Steps, after ``files`` uploads were asked for; a month in which S3 deletes nothing may come at the end.

    ``begun`` is how far the uploads got: as ``BEGINNINGS`` say. AWS's pages have ``page`` entries. The bits of
    ``undeclared`` say of which uploads no type was declared, those of ``in_parts`` which come in parts.
    """

    steps: tuple[Step, ...]
    files: int = 1
    on_load: bool = False
    isolated: bool = False
    closed: bool = False
    lifetime: int = FILE_LIFETIME
    month: bool = False
    page: int = 1
    undeclared: int = 0
    in_parts: int = 0
    begun: int = 0

    def __str__(self) -> str:
        """For people to read."""
        on_load = ", StoreOnLoad=True" if self.on_load else ", KeyIsolation=True" if self.isolated else ""
        closed = ", PublicUpload=False" if self.closed else ""
        asked = f"{self.files} uploads are asked for, without a type {self.undeclared:b}, in parts {self.in_parts:b}"
        asked += "".join(f", {kind}" for kind, _ in BEGINNINGS[self.begun])
        lines = [f"{asked}, UnstoredFileLifetime={self.lifetime}{on_load}{closed}"]
        for step in self.steps:
            lines.append(f"  at once, {step.choices}:" if len(step.ops) > 1 else "  then:")
            lines += [f"    {op}" for op in step.ops]
            if step.wait:
                lines.append(f"  {step.wait} seconds pass")
            if step.until:
                lines.append(f"  until {step.until}")
            lines += [f"  a sweep, {step.fault}"] if step.swept else []
        return "\n".join([*lines, *(["  a month passes, in which S3 deletes nothing"] if self.month else [])])


def run(proof: Proving, schedule: Schedule) -> World:
    """Run a schedule to its end. Raises Violation where an invariant does not hold."""
    world = proof.world(
        on_load=schedule.on_load,
        isolated=schedule.isolated and not schedule.on_load,
        closed=schedule.closed,
        lifetime=schedule.lifetime,
        page=schedule.page,
    )
    world.run(
        *(
            Op("begin" if schedule.in_parts >> number & 1 else "ask", variant=(schedule.undeclared >> number) & 1)
            for number in range(schedule.files)
        )
    )
    files = tuple(range(schedule.files))
    for kind, fault in BEGINNINGS[schedule.begun]:
        # An upload has an event of its own, everything else is done in one call.
        each = kind in ("put", "send", "complete", "parts")
        world.run(*(Op(kind, (number,), fault) for number in files) if each else [Op(kind, files, fault)])
    for step in schedule.steps:
        world.run(*step.ops, choices=step.choices)
        wait = max(step.wait, int(START + step.until - world.clock()))
        if wait > 0:
            world.wait(wait)
        if step.swept:
            world.run(Op("sweep", fault=step.fault))
    if schedule.month:
        world.wait(URL_LIFETIME + URL_MARGIN)
        world.run(Op("sweep", fault=Fault("undeletable")))
        world.wait(MONTH)
    settle(world)
    return world
