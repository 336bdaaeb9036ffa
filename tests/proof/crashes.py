"""The crash table: every operation is killed before and after each of its AWS calls, and then has to come right.

What comes next is the sweep alone, or the client's retry and then the sweep.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.proof.schedules import Step
from tests.proof.world import (
    FILE_LIFETIME,
    LATE_MARGIN,
    SHORT_LIFETIME,
    URL_LIFETIME,
    URL_MARGIN,
    Fault,
    Op,
    Proving,
    Violation,
    World,
)

_PUT = Step((Op("put", (0,)),))
_TOO_LARGE_PUT = Step((Op("put", (0,), variant=5),))
_DELIVERED = Step((Op("deliver", (0,)),))
_UPLOADED = (_PUT, _DELIVERED)
_STORED = (*_UPLOADED, Step((Op("store", (0,)),)))
_INTERRUPTED_DELETE = (*_STORED, Step((Op("delete", (0,), Fault("died after", 0)),)))
_ALL_PUT = (Step(tuple(Op("put", (number,)) for number in range(27))),)
_DEAD_URL = Step((), wait=URL_LIFETIME + URL_MARGIN)
_OVER = Step((), wait=URL_LIFETIME + LATE_MARGIN)
_OLD = Step((), wait=FILE_LIFETIME + URL_LIFETIME)
_SWEPT = Step((Op("sweep"),))
_LOST = Step((Op("lose", (0,)),))
_LATE = Step((), wait=LATE_MARGIN - URL_MARGIN - 1)
_FILE_OVER = Step((), wait=FILE_LIFETIME)
_LAST_SECOND_LEFT = Step((), wait=URL_LIFETIME + LATE_MARGIN - FILE_LIFETIME - 1)
_TWO = (Step((Op("put", (0,)), Op("put", (1,)))), Step((Op("deliver", (0, 1)),)))


@dataclass(frozen=True)
class Scenario:
    """What was before, and what is then killed; ``meanwhile`` runs beside it, by turns."""

    before: tuple[Step, ...]
    op: Op
    meanwhile: tuple[Op, ...] = ()
    choices: tuple[int, ...] = ()
    on_load: bool = False
    lifetime: int = FILE_LIFETIME
    files: int = 1
    page: int = 1
    declared: bool = True


_SCENARIOS: Mapping[str, Scenario] = {
    "an upload is asked for": Scenario((), Op("ask")),
    "an upload is asked for, and the SDK asks twice": Scenario((), Op("ask", fault=Fault("retried"))),
    "an upload is recorded": Scenario((_PUT,), Op("deliver", (0,))),
    "an upload is recorded and stored on load": Scenario((_PUT,), Op("deliver", (0,)), on_load=True),
    "an upload that declared no type is recorded": Scenario((_PUT,), Op("deliver", (0,)), declared=False),
    "an upload that declared no type is recorded and stored on load": Scenario(
        (_PUT,), Op("deliver", (0,)), on_load=True, declared=False
    ),
    "two uploads that declared no type are recorded": Scenario(
        (_PUT, Step((Op("put", (0,), variant=2),))), Op("deliver", (0, 1)), declared=False
    ),
    "one of two uploads that declared no type is recorded while the other is": Scenario(
        (_PUT, Step((Op("put", (0,), variant=2),))),
        Op("deliver", (0,)),
        (Op("deliver", (1,)),),
        # After it was refused for having no type.
        choices=(0, 1, 1, 1, 1, 1),
        declared=False,
    ),
    "an upload that declared no type is stored": Scenario((_PUT,), Op("store", (0,)), declared=False),
    "one of two uploads that declared no type is stored while the other is recorded": Scenario(
        (_PUT, Step((Op("put", (0,), variant=2),))),
        Op("store", (0,)),
        (Op("deliver", (1,)),),
        # After its list was read.
        choices=(0, 0, 1, 1, 1, 1, 1),
        declared=False,
    ),
    "the sweep adopts an upload that declared no type": Scenario(
        (_PUT, Step((Op("lose", (0,)),)), _DEAD_URL), Op("sweep"), declared=False
    ),
    "two uploads to one URL are recorded": Scenario((_PUT, _PUT), Op("deliver", (0, 1))),
    "an overwrite of a stored file is removed": Scenario((*_STORED, _PUT), Op("deliver", (0,))),
    "an upload after the delete is removed": Scenario(
        (*_STORED, Step((Op("delete", (0,)),)), _PUT), Op("deliver", (0,))
    ),
    "a slow upload without a record is removed": Scenario(
        (_OVER, _SWEPT, Step((Op("put", (0,), variant=6),))), Op("deliver", (0,))
    ),
    "a slow upload of a deleted file is removed": Scenario(
        (*_STORED, Step((Op("delete", (0,)),)), _OLD, Step((Op("sweep"),)), Step((Op("put", (0,), variant=6),))),
        Op("deliver", (0,)),
    ),
    "uploads are stored": Scenario(_UPLOADED, Op("store", (0, 1)), files=2),
    "an upload whose event was not seen is stored": Scenario((_PUT,), Op("store", (0,))),
    "two uploads of which no event was seen are stored": Scenario((_PUT, _PUT), Op("store", (0,))),
    "an upload is stored while its event is recorded": Scenario(
        (_PUT, _PUT), Op("store", (0,)), (Op("deliver", (1,)),)
    ),
    "a stored file is deleted": Scenario(_STORED, Op("delete", (0,))),
    "an upload is deleted whose event was not seen": Scenario((_PUT,), Op("delete", (0,))),
    "a delete is repeated after it was interrupted": Scenario(_INTERRUPTED_DELETE, Op("delete", (0,))),
    "an upload is undone": Scenario(_UPLOADED, Op("undo", (0,), variant=1)),
    "an upload that was stored on load is undone": Scenario(_UPLOADED, Op("undo", (0,), variant=1), on_load=True),
    "an upload is undone while it is stored": Scenario(_UPLOADED, Op("undo", (0,), variant=1), (Op("store", (0,)),)),
    "a store is repeated": Scenario((*_STORED, Step((), wait=1)), Op("store", (0,))),
    "an uploader would undo what is stored": Scenario(_STORED, Op("undo", (0,), variant=1)),
    "an uploader would undo what was stored on load, too late": Scenario(
        (*_UPLOADED, _DEAD_URL), Op("undo", (0,), variant=1), on_load=True
    ),
    "files are described": Scenario(_STORED, Op("info", (0,))),
    "a file is described after an overwrite": Scenario((*_STORED, Step((Op("info", (0,)),)), _PUT), Op("info", (0,))),
    "the sweep has a pending upload wait": Scenario((_DEAD_URL,), Op("sweep")),
    "an upload in the last second is recorded": Scenario((_DEAD_URL, _SWEPT, _LATE, _PUT), Op("deliver", (0,))),
    "an upload in the last second is stored": Scenario((_DEAD_URL, _SWEPT, _LATE, _PUT), Op("store", (0,))),
    "the sweep adopts an upload in the last second": Scenario(
        (_DEAD_URL, _SWEPT, _LATE, _PUT, _LOST, Step((), wait=1)), Op("sweep")
    ),
    "the sweep watches a deleted file to the last second": Scenario(
        (*_UPLOADED, Step((Op("delete", (0,)),)), _DEAD_URL, _SWEPT, _LATE, _PUT, _LOST, Step((), wait=1)), Op("sweep")
    ),
    "the sweep watches an undone upload to the last second": Scenario(
        (*_UPLOADED, Step((Op("undo", (0,), variant=1),)), _DEAD_URL, _SWEPT, _LATE, _PUT, _LOST, Step((), wait=1)),
        Op("sweep"),
    ),
    "the sweep watches an expired upload to the last second": Scenario(
        (*_UPLOADED, _FILE_OVER, _SWEPT, _LAST_SECOND_LEFT, _PUT, _LOST, Step((), wait=1)), Op("sweep")
    ),
    "an upload ends while the sweep has it wait": Scenario(
        (_DEAD_URL,), Op("sweep"), (Op("put", (0,)), Op("deliver", (0,))), choices=(0, 0, 0, 0, 1, 1, 1)
    ),
    "the sweep removes a placeholder": Scenario((_OVER,), Op("sweep")),
    "the sweep removes an upload without a version": Scenario(
        (Step((Op("put_unversioned", (0,)),)), _OVER), Op("sweep")
    ),
    "the sweep removes an upload without a version beside one that is too large": Scenario(
        (Step((Op("put_unversioned", (0,)),)), _TOO_LARGE_PUT, _LOST, _OVER), Op("sweep")
    ),
    "the sweep adopts an upload beside one without a version": Scenario(
        (Step((Op("put_unversioned", (0,)),)), _PUT, _LOST, _DEAD_URL), Op("sweep")
    ),
    "an upload of exactly MaxFileSize is recorded": Scenario(
        (Step((Op("put", (0,), variant=3),)),), Op("deliver", (0,))
    ),
    "an upload of exactly MaxFileSize is recorded whose type was not declared": Scenario(
        (Step((Op("put", (0,), variant=3),)),), Op("deliver", (0,)), declared=False
    ),
    "an upload of exactly MaxFileSize is stored": Scenario((Step((Op("put", (0,), variant=3),)),), Op("store", (0,))),
    "the sweep finishes two deletes of which S3 throttled the objects": Scenario(
        (
            *_TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            _OVER,
            Step((Op("sweep", fault=Fault("throttled deletion")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "the sweep finishes two deletes of which S3 throttled the lists": Scenario(
        (
            *_TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            _OVER,
            Step((Op("sweep", fault=Fault("unlistable")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "the sweep finishes two deletes of which S3 did not mention the objects": Scenario(
        (
            *_TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            _OVER,
            Step((Op("sweep", fault=Fault("unconfirmed")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "an overwrite that S3 did not mention is removed": Scenario(
        (*_STORED, _PUT, Step((Op("deliver", (0,), Fault("unconfirmed")),))), Op("deliver", (0,))
    ),
    "an upload is recorded whose type was throttled": Scenario(
        (_PUT, Step((Op("deliver", (0,), Fault("throttled", 1)),))), Op("deliver", (0,)), declared=False
    ),
    "an upload is stored whose type was throttled": Scenario(
        (_PUT, Step((Op("store", (0,), Fault("throttled", 2)),))), Op("store", (0,)), declared=False
    ),
    "an undone upload that S3 would not delete outlasts a month": Scenario(
        (
            *_UPLOADED,
            Step((Op("undo", (0,), Fault("undeletable"), variant=1),), wait=31 * 24 * 3600),
        ),
        Op("sweep"),
    ),
    "a duplicate of a stored file brings no record": Scenario(
        (*_STORED, Step((Op("deliver", (0,), Fault("silent"), variant=2),))), Op("deliver", (0,), variant=2)
    ),
    "a duplicate of a stored file is denied": Scenario(
        (*_STORED, Step((Op("deliver", (0,), Fault("denied"), variant=2),))), Op("deliver", (0,), variant=2)
    ),
    "an unknown upload is deleted": Scenario((), Op("delete", (0,), variant=1), files=0),
    "a pending record is left alone by TTL for a week": Scenario((Step((), wait=7 * 24 * 3600),), Op("sweep")),
    "a slow upload ends while the sweep removes its placeholder": Scenario(
        (_OVER,),
        Op("sweep"),
        (Op("put", (0,), variant=6), Op("deliver", (0,))),
        # Just before the record is dropped, and after its object was looked for in vain.
        choices=(0, 0, 0, 0, 1, 1, 1),
    ),
    "the sweep adopts an upload whose event was lost": Scenario(
        (_PUT, Step((Op("lose", (0,)),)), _DEAD_URL), Op("sweep")
    ),
    "the sweep adopts one of two uploads": Scenario((_PUT, _PUT, _DEAD_URL), Op("sweep")),
    "the sweep stores what it adopts": Scenario((_PUT, _DEAD_URL), Op("sweep"), on_load=True),
    "the sweep puts an upload off to the end of its lifetime": Scenario((*_UPLOADED, _DEAD_URL), Op("sweep")),
    "the sweep expires an upload": Scenario((*_UPLOADED, _OLD), Op("sweep")),
    "the sweep expires an upload whose URL works": Scenario(
        (*_UPLOADED, Step((), wait=SHORT_LIFETIME)), Op("sweep"), lifetime=SHORT_LIFETIME
    ),
    "an upload that is too large is removed": Scenario((_TOO_LARGE_PUT,), Op("deliver", (0,))),
    "an upload is stored of which another was too large": Scenario((_TOO_LARGE_PUT, _PUT), Op("store", (0,))),
    "the sweep removes an upload that is too large": Scenario((_TOO_LARGE_PUT, _DEAD_URL), Op("sweep")),
    "the sweep removes an upload that is too large and that S3 would not delete for a month": Scenario(
        (
            _TOO_LARGE_PUT,
            Step((Op("lose", (0,)),)),
            _DEAD_URL,
            Step((Op("sweep", fault=Fault("undeletable")),), wait=31 * 24 * 3600),
        ),
        Op("sweep"),
    ),
    "the sweep expires an upload while it is stored": Scenario(
        (*_UPLOADED, _OLD),
        Op("sweep"),
        (Op("store", (0,)),),
        # After its record was read.
        choices=(0, 0, 0, 1, 1),
    ),
    "the sweep puts an upload off while it is stored": Scenario(
        (*_UPLOADED, _DEAD_URL), Op("sweep"), (Op("store", (0,)),), choices=(0, 0, 0, 1, 1, 1)
    ),
    "the sweep puts an upload off while it is deleted": Scenario(
        (*_UPLOADED, _DEAD_URL), Op("sweep"), (Op("delete", (0,)),), choices=(0, 0, 0, 1, 1, 1)
    ),
    "the sweep finishes a delete whose URL works": Scenario(_INTERRUPTED_DELETE, Op("sweep")),
    "the sweep finishes what S3 would not delete for a month": Scenario(
        (*_UPLOADED, _OLD, Step((Op("sweep", fault=Fault("undeletable")),), wait=31 * 24 * 3600)), Op("sweep")
    ),
    "the sweep finishes a delete": Scenario((*_INTERRUPTED_DELETE, _DEAD_URL), Op("sweep")),
    "the sweep removes what came after the delete": Scenario(
        (*_STORED, Step((Op("delete", (0,)),)), _PUT, Step((Op("lose", (0,)),)), _DEAD_URL), Op("sweep")
    ),
    "the sweep removes what came after its first look": Scenario(
        (
            *_STORED,
            Step((Op("delete", (0,)),)),
            Step((Op("sweep"),)),
            _PUT,
            Step((Op("lose", (0,)),)),
            _DEAD_URL,
        ),
        Op("sweep"),
    ),
    "more is due than one page takes": Scenario((*_ALL_PUT, _DEAD_URL), Op("sweep"), files=27),
    "more is stored than one batch takes": Scenario(_ALL_PUT, Op("store", tuple(range(27))), files=27),
    "more is deleted than one batch takes": Scenario(_ALL_PUT, Op("delete", tuple(range(27))), files=27),
}
SCENARIOS = tuple(_SCENARIOS)


@dataclass(frozen=True)
class Crash:
    """A row: killed ``before`` or ``after`` this call, or ``not at all``, and what came of it."""

    scenario: str
    function: str
    domain: str
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
        world.settle()
    except Violation as wrong:
        return str(wrong)
    return ""


def _arrange(proof: Proving, scenario: Scenario) -> World:
    world = proof.world(on_load=scenario.on_load, lifetime=scenario.lifetime, page=scenario.page)
    world.run(*[Op("ask", variant=int(not scenario.declared))] * scenario.files)
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
