"""Which seeded bugs the random schedules catch without the rest of the proof, and with which seeds: make teeth SEEDS=5.

What only some seeds catch is caught by luck.
"""

import sys
from collections.abc import Sequence
from functools import partial

import tests.conftest  # noqa: F401 - nothing here may reach a real account
from tests import hygiene
from tests.proof.bugs import BUGS
from tests.proof.exploring import COUNT
from tests.proof.proving import proving
from tests.proof.test_teeth import by_schedules, verdict


def main(seeds: int, wanted: Sequence[str]) -> None:
    """A line for each bug as soon as it is known: after how many schedules it was caught with each seed."""
    with proving() as proof:
        # Some of them leak on purpose.
        proof.watch = hygiene.Watch()
        for name in BUGS:
            if not wanted or any(part in name for part in wanted):
                with BUGS[name]():
                    caught = [
                        verdict(partial(by_schedules, count=COUNT, number=seed), proof) for seed in range(1, seeds + 1)
                    ]
                sys.stdout.write(f"{name:84} {' '.join(f'{_after(what):>5}' for what in caught)}\n")
                sys.stdout.flush()


def _after(what: str) -> str:
    return what.rpartition("(after ")[2].rstrip(")") if "(after" in what else what[:30] or "-"


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
