"""Many schedules, and the smallest that fails."""

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.proof.drawing import schedules
from tests.proof.proving import Proving
from tests.proof.schedules import Schedule, run
from tests.proof.world import World


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
