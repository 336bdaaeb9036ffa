"""The crash table: every operation is killed before and after each of its AWS calls, and then has to come right.

What comes next is the sweep alone, or the client's retry and then the sweep.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.proof.faults import Fault
from tests.proof.proving import Proving
from tests.proof.scenarios import arriving, calls, in_parts, ownership, repeated, sweep
from tests.proof.scenarios.steps import Scenario
from tests.proof.settling import settle
from tests.proof.vocabulary import Op, Violation
from tests.proof.world import World

_ROOMS = (arriving, calls, in_parts, ownership, repeated, sweep)
_SCENARIOS: Mapping[str, Scenario] = {name: each for room in _ROOMS for name, each in room.SCENARIOS.items()}
SCENARIOS = tuple(_SCENARIOS)

ROOMS: Mapping[str, tuple[str, ...]] = {room.__name__.rpartition(".")[2]: tuple(room.SCENARIOS) for room in _ROOMS}
"""The scenarios by what they are about."""


@dataclass(frozen=True)
class Crash:
    """A row: killed ``before`` or ``after`` this call, or ``not at all``, and what came of it."""

    scenario: str
    function: str
    use_case: str
    storage: str
    call: str
    when: str
    then: str
    violation: str = ""


def crash(proof: Proving, name: str, *, thorough: bool = True) -> Iterator[Crash]:
    """The rows of a scenario; if not ``thorough``, those after the calls that may have changed something."""
    scenario = _SCENARIOS[name]
    yield Crash(name, "", "", "", "", "not at all", "the sweep", _violation(proof, scenario, scenario.op))
    sites = _calls(proof, scenario)
    for number, site in enumerate(sites):
        # Of many calls at one place the first two and the last.
        if sites[:number].count(site) > 1 and site in sites[number + 1 :]:
            continue
        if site[-1] in ("Query", "ListObjectVersions") and not thorough:
            continue
        for when in ("before", "after") if thorough else ("after",):
            for then in ("the sweep", "a retry, the sweep") if thorough else ("the sweep",):
                killed = _killed(scenario.op, number, when)
                yield Crash(name, *site, when, then, _violation(proof, scenario, killed, retry=then != "the sweep"))


def _violation(proof: Proving, scenario: Scenario, op: Op, *, retry: bool = False) -> str:
    try:
        world = _arrange(proof, scenario)
        world.run(op, *scenario.meanwhile, choices=scenario.choices)
        if retry:
            world.run(scenario.op)
        settle(world)
    except Violation as wrong:
        return str(wrong)
    return ""


def _arrange(proof: Proving, scenario: Scenario) -> World:
    world = proof.world(
        on_load=scenario.on_load,
        isolated=scenario.isolated,
        closed=scenario.closed,
        lifetime=scenario.lifetime,
        page=scenario.page,
    )
    kind = "begin" if scenario.in_parts else "ask"
    world.run(*[Op(kind, variant=int(not scenario.declared))] * scenario.files)
    for step in scenario.before:
        world.run(*step.ops)
        world.wait(step.wait)
    return world


def _calls(proof: Proving, scenario: Scenario) -> list[tuple[str, str, str, str]]:
    """The AWS calls of the operation when nothing goes wrong."""
    world = _arrange(proof, scenario)
    world.trace = []
    world.run(scenario.op, *scenario.meanwhile, choices=scenario.choices)
    return [site for task, site in world.trace if task == 0]


def _killed(op: Op, call: int, when: str) -> Op:
    return Op(op.kind, op.files, Fault(f"died {when}", call), op.variant)
