"""Schedules: what happens, in which order, with which faults; drawn at random, run in a world, and reported."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.proof.faults import FAULTS, Fault
from tests.proof.proving import Proving
from tests.proof.settings import FILE_LIFETIME, LATE_MARGIN, SHORT_LIFETIME, START, URL_LIFETIME, URL_MARGIN
from tests.proof.settling import settle
from tests.proof.vocabulary import Op
from tests.proof.world import World

MONTH = 31 * 24 * 3600
# What has happened before a schedule: the last delete was interrupted, so the bytes are still there.
_BEGINNINGS: tuple[tuple[tuple[str, Fault | None], ...], ...] = (
    (),
    (("put", None),),
    (("put", None), ("deliver", None)),
    (("put", None), ("deliver", None), ("store", None)),
    (("put", None), ("deliver", None), ("delete", Fault("died after"))),
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

    ``begun`` is how far the uploads got: as ``_BEGINNINGS`` say. AWS's pages have ``page`` entries. The bits of
    ``undeclared`` say of which uploads no type was declared.
    """

    steps: tuple[Step, ...]
    files: int = 1
    on_load: bool = False
    lifetime: int = FILE_LIFETIME
    month: bool = False
    page: int = 1
    undeclared: int = 0
    begun: int = 0

    def __str__(self) -> str:
        """For people to read."""
        on_load = ", StoreOnLoad=True" if self.on_load else ""
        asked = f"{self.files} uploads are asked for, without a type {self.undeclared:b}"
        asked += "".join(f", {kind}" for kind, _ in _BEGINNINGS[self.begun])
        lines = [f"{asked}, UnstoredFileLifetime={self.lifetime}{on_load}"]
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
    world = proof.world(on_load=schedule.on_load, lifetime=schedule.lifetime, page=schedule.page)
    world.run(*(Op("ask", variant=(schedule.undeclared >> number) & 1) for number in range(schedule.files)))
    files = tuple(range(schedule.files))
    for kind, fault in _BEGINNINGS[schedule.begun]:
        # An upload has an event of its own, everything else is done in one call.
        world.run(*(Op(kind, (number,)) for number in files) if kind == "put" else [Op(kind, files, fault)])
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


# What changes files most often comes most often.
_KINDS = (
    ["put"] * 5
    + ["deliver"] * 5
    + ["store"] * 5
    + ["delete"] * 3
    + ["undo"] * 3
    + ["sweep"] * 3
    + ["info"] * 2
    + ["ask", "lose", "redrive", "put_unversioned"]
)
# Where something ends, and the seconds beside it.
_BOUNDARIES = [
    end + beside
    for end in (
        SHORT_LIFETIME,
        SHORT_LIFETIME,
        SHORT_LIFETIME,
        URL_LIFETIME,
        URL_LIFETIME + URL_MARGIN,
        FILE_LIFETIME,
        URL_LIFETIME + LATE_MARGIN,
        URL_LIFETIME + LATE_MARGIN + FILE_LIFETIME,
    )
    for beside in (-1, 0, 1)
]
# Faults of one AWS call, drawn for the operations that make it.
_OF_STATEMENTS = ["silent", "elsewhere", "untold", "denied"]
_OF_LISTS = ["unlistable", "cut off"]
_OF_DELETIONS = ["undeletable", "throttled deletion", "unconfirmed"]
_OWN_FAULTS = {
    "deliver": _OF_STATEMENTS + _OF_DELETIONS,
    "store": _OF_STATEMENTS + _OF_LISTS,
    "delete": _OF_STATEMENTS + _OF_DELETIONS,
    "undo": _OF_STATEMENTS + _OF_DELETIONS,
    "sweep": ["stale", "denied", *_OF_LISTS, *_OF_DELETIONS],
}
_ANY_FAULTS = sorted(FAULTS.keys() - {kind for kinds in _OWN_FAULTS.values() for kind in kinds})


def _ops_of(kind: str) -> st.SearchStrategy[Op]:
    faults = st.builds(
        Fault,
        kind=st.sampled_from(_ANY_FAULTS) | st.sampled_from(_OWN_FAULTS.get(kind, _ANY_FAULTS)),
        call=st.sampled_from([0, 0, 0, 1, 1, 2, 3]),
        part=st.integers(0, 15),
    )
    return st.builds(
        Op,
        kind=st.just(kind),
        files=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=3).map(tuple),
        fault=st.none() | faults,
        variant=st.integers(0, 7),
    )


_OPS_BY_KIND = {kind: _ops_of(kind) for kind in _KINDS}
_ops = st.sampled_from(_KINDS).flatmap(_OPS_BY_KIND.__getitem__)
_steps = st.builds(
    Step,
    ops=st.lists(_ops, min_size=1, max_size=3).map(tuple),
    choices=st.lists(st.integers(0, 2), max_size=8).map(tuple),
    wait=st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, 1, 600, 1800, 3660]),
    until=st.just(0) | st.sampled_from(_BOUNDARIES),
    swept=st.sampled_from([False, False, True]),
    fault=st.none() | st.builds(Fault, kind=st.sampled_from(_OWN_FAULTS["sweep"]), part=st.integers(0, 15)),
)
schedules = st.builds(
    Schedule,
    steps=st.lists(_steps, min_size=3, max_size=10).map(tuple),
    files=st.sampled_from([1, 1, 2, 3]),
    on_load=st.sampled_from([False, False, False, True]),
    lifetime=st.sampled_from([FILE_LIFETIME, SHORT_LIFETIME]),
    month=st.sampled_from([False, False, False, True]),
    page=st.sampled_from([1, 2]),
    undeclared=st.integers(0, 7),
    begun=st.integers(0, len(_BEGINNINGS) - 1),
)


@dataclass
class Report:
    """What was run."""

    schedules: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    sites: set[tuple[str, str, str, str]] = field(default_factory=set)
    writes: int = 0
    seconds: float = 0
    counterexample: str = ""

    def add(self, world: World) -> None:
        self.schedules += 1
        self.operations += world.operations
        self.faults += world.faults
        self.sites |= world.sites
        self.writes += world.truth.writes

    def __str__(self) -> str:
        """For people to read."""
        pace = f"{self.seconds:.0f} s, {self.schedules / max(self.seconds, 0.001):.0f} a second"
        return f"""\
schedules {self.schedules}, violations {1 if self.counterexample else 0} ({pace})
operations {self.operations.total()}: {_counted(self.operations)}
changes of records {self.writes}
faults {self.faults.total()}: {_counted(self.faults)}
call sites {len(self.sites)} (function, use case, storage, AWS call)
{f"minimal counterexample:{chr(10)}{self.counterexample}" if self.counterexample else ""}"""


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


def explore(
    proof: Proving, count: int, *, number: int, shrink: bool = True, check: Callable[[], None] = lambda: None
) -> Report:
    """Run so many schedules, the same for the same number. ``counterexample`` is the smallest that fails."""
    report = Report()
    failed: list[str] = []

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(schedules)
    def every(schedule: Schedule) -> None:
        check()
        try:
            world = run(proof, schedule)
        except Exception as error:
            failed.append(f"{schedule}\n  {type(error).__name__}: {error}")
            raise
        if not failed:
            report.add(world)

    started = time.monotonic()
    try:
        every()
    except Exception:
        if not failed:
            raise
        report.counterexample = failed[-1]
    report.seconds = time.monotonic() - started
    return report


COUNT = int(os.environ.get("SCHEDULES") or 1000)
SEED = int(os.environ.get("SEED") or 2026)
