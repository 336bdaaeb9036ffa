"""The proof has teeth: whatever is broken on purpose is caught."""

import random
from collections.abc import Callable, Sequence

from tests import hygiene
from tests.proof import crashes
from tests.proof.bugs import BUGS, ROOMS
from tests.proof.crashes import SCENARIOS, crash
from tests.proof.exploring import explore
from tests.proof.fuzz import Fuzz
from tests.proof.proving import Proving
from tests.proof.vocabulary import Op
from tests.support import ROOT


def by_guessing(proof: Proving) -> str:
    """Ids must not follow from what a generator has said before."""
    world = proof.world()
    for _ in range(2):
        random.seed(1)
        world.run(Op("ask"))
    return "" if len({upload.id for upload in world.uploads}) == 2 else "the same id twice"


def by_fuzzing(proof: Proving) -> str:
    Fuzz(proof, 1).run(400)
    return ""


def by_crashing(proof: Proving, scenarios: Sequence[str] = SCENARIOS) -> str:
    for scenario in scenarios:
        for row in crash(proof, scenario, thorough=False):
            if row.violation:
                return f"{row.violation} ({scenario})"
    return ""


def by_few_schedules(proof: Proving) -> str:
    return by_schedules(proof, 40)


def by_schedules(proof: Proving, count: int = 1000, number: int = 1) -> str:
    explored = explore(proof, count, number=number, shrink=False)
    return (
        explored.counterexample and f"{explored.counterexample.splitlines()[-1].strip()} (after {explored.schedules})"
    )


# What bugs are about, and in which scenarios that happens; otherwise in those of calls.
_NEARBY = {
    **{room: (room,) for room in crashes.ROOMS},
    "objects": ("sweep", "arriving", "calls"),
    "records": ("calls", "repeated", "sweep"),
}

CHECKS: tuple[Callable[[Proving], str], ...] = (
    by_guessing,
    by_few_schedules,
    by_fuzzing,
    by_crashing,
    by_schedules,
)


def checks(bug: str) -> tuple[Callable[[Proving], str], ...]:
    """All of them, after the crashes that the bug is about."""

    def by_the_crashes_nearby(proof: Proving) -> str:
        return by_crashing(
            proof, [each for room in _NEARBY.get(ROOMS[bug], ("calls",)) for each in crashes.ROOMS[room]]
        )

    first, *others = CHECKS
    return first, by_the_crashes_nearby, *others


def verdict(check: Callable[[Proving], str], proof: Proving) -> str:
    try:
        return check(proof)
    except Exception as error:  # noqa: BLE001 - whatever a handler lets through
        return f"{type(error).__name__}: {error}"


def test_every_seeded_bug_is_caught(proof: Proving, report: Callable[[str, object], None]) -> None:
    caught: dict[str, str] = {}
    # Some of them leak on purpose.
    proof.watch = hygiene.Watch()
    for name, bug in BUGS.items():
        with bug():
            for check in checks(name):
                what = verdict(check, proof)
                if what:
                    caught[name] = f"{check.__name__.replace('_', ' '):24} {what:.100}"
                    break
    proof.watch = hygiene.watch
    missed = [name for name in BUGS if name not in caught]
    report(
        f"Seeded bugs: {len(caught)} of {len(BUGS)} caught (* a known defect of the original)",
        "\n".join(f"{name:82} {caught.get(name, 'MISSED')}" for name in BUGS),
    )
    assert missed == []
    assert f"breaks them in {len(BUGS)} ways" in (ROOT / "README.md").read_text()


def test_without_a_bug_nothing_is_caught(proof: Proving) -> None:
    assert [check(proof) for check in CHECKS[:-1]] == [""] * 4
