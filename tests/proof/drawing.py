"""Schedules drawn at random: what changes files, near the times at which something ends, with any fault."""

import hypothesis.strategies as st

from tests.proof.faults import FAULTS, Fault
from tests.proof.schedules import BEGINNINGS, Schedule, Step
from tests.proof.settings import FILE_LIFETIME, LATE_MARGIN, SHORT_LIFETIME, URL_LIFETIME, URL_MARGIN
from tests.proof.vocabulary import Op

# What changes files most often comes most often.
_KINDS = (
    ["put"] * 5
    + ["deliver"] * 5
    + ["store"] * 5
    + ["delete"] * 3
    + ["undo"] * 3
    + ["sweep"] * 3
    + ["info"] * 2
    + ["send"] * 5
    + ["complete"] * 6
    + ["begin"] * 2
    + ["request", "update"] * 2
    + ["ask", "content", "lose", "redrive", "put_unversioned", "list"]
    + ["parts"] * 3
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
_OF_ABORTS = ["part on its way"]
_OF_DELETIONS = ["undeletable", "throttled deletion", "unconfirmed"]
_OWN_FAULTS = {
    "deliver": _OF_STATEMENTS + _OF_DELETIONS,
    "store": _OF_STATEMENTS + _OF_LISTS,
    "delete": _OF_STATEMENTS + _OF_DELETIONS,
    "update": _OF_STATEMENTS,
    "undo": _OF_STATEMENTS + _OF_DELETIONS + _OF_ABORTS,
    "list": ["stale"],
    "send": _OF_STATEMENTS,
    "complete": _OF_STATEMENTS + _OF_LISTS + _OF_ABORTS,
    "sweep": ["stale", "denied", *_OF_LISTS, *_OF_DELETIONS, *_OF_ABORTS],
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
        variant=st.integers(0, 15),
    )


# The first goes on alone until its sixth call: of one that completes an upload the one after S3's answer.
_AFTER_SIX = (0,) * 6 + (1,) * 3
_OPS_BY_KIND = {kind: _ops_of(kind) for kind in _KINDS}
_ops = st.sampled_from(_KINDS).flatmap(_OPS_BY_KIND.__getitem__)
_COMPLETED_AND_HEARD_OF = (Op("complete", (0,)), Op("deliver", (0,)))
_steps = st.builds(
    Step,
    ops=st.lists(_ops, min_size=1, max_size=3).map(tuple) | st.just(_COMPLETED_AND_HEARD_OF),
    choices=st.lists(st.integers(0, 2), max_size=8).map(tuple) | st.just(_AFTER_SIX),
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
    isolated=st.sampled_from([False, False, True]),
    closed=st.sampled_from([False, False, True]),
    lifetime=st.sampled_from([FILE_LIFETIME, SHORT_LIFETIME]),
    month=st.sampled_from([False, False, False, True]),
    page=st.sampled_from([1, 2]),
    undeclared=st.integers(0, 7),
    in_parts=st.sampled_from([0, 0, 1, 2, 7]),
    begun=st.integers(0, len(BEGINNINGS) - 1),
)
