"""Random schedules over the real handlers: every invariant holds in all of them."""

from collections.abc import Callable

from tests.proof.exploring import COUNT, SEED, explore
from tests.proof.faults import FAULTS
from tests.proof.proving import Proving
from tests.proof.sites import call_sites

# What takes a race, or a lost answer, at one certain call: few schedules have it, and the crash table always.
RARE = {
    ("CompleteUpload._attest", "Bucket.checksum"),
    ("CompleteUpload._attest", "FileRepository.attest"),
    ("CompleteUpload._record", "FileRepository.attest"),
    ("_read", "FileRepository.get"),
}


def test_no_schedule_breaks_an_invariant(proof: Proving, report: Callable[[str, object], None]) -> None:
    """The same ones each time; ``make proof SCHEDULES=10000 SEED=7`` runs more and others."""
    explored = explore(proof, COUNT, number=SEED)
    report(f"Random schedules, SEED={SEED}", explored)
    assert not explored.counterexample, explored.counterexample
    assert explored.schedules >= COUNT
    assert explored.faults.keys() == FAULTS.keys(), "a kind of fault that never came"
    assert call_sites() - {(use_case, storage) for _, use_case, storage, _ in explored.sites} <= RARE
