"""No input by anybody ends in anything but an answer, or makes a record."""

import os
from collections.abc import Callable

from tests.proof.exploring import SEED
from tests.proof.fuzz import Fuzz
from tests.proof.proving import Proving

COUNT = int(os.environ.get("FUZZ") or 5000)


def test_hostile_input_is_answered(proof: Proving, report: Callable[[str, object], None]) -> None:
    """The same each time; ``make fuzz`` makes 100,000 calls."""
    fuzz = Fuzz(proof, SEED)
    fuzz.run(COUNT)
    counted = ", ".join(f"{status} {count}" for status, count in sorted(fuzz.statuses.items()))
    report(f"Fuzz: {COUNT} calls, no exception, no 5xx, no record for an unknown id, no answer over 6 MB", counted)
    lives = ", ".join(f"{status} {count}" for status, count in sorted(fuzz.lives.items()))
    report("Files with dear names and meta, a hundred described at once", f"{lives}; {fuzz.fullest} did not fit")
    assert fuzz.statuses.total() == COUNT
    assert fuzz.lives.keys() == {200, 400}
