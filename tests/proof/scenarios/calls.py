"""Scenarios of what back ends and uploaders ask for: store, describe, delete, undo."""

from collections.abc import Mapping

from tests.proof.faults import Fault
from tests.proof.scenarios.steps import (
    ALL_PUT,
    DEAD_URL,
    INTERRUPTED_DELETE,
    LATE,
    OLD,
    PUT,
    STORED,
    SWEPT,
    TOO_LARGE_PUT,
    TWO,
    UPLOADED,
    Scenario,
)
from tests.proof.schedules import Step
from tests.proof.vocabulary import Op

SCENARIOS: Mapping[str, Scenario] = {
    "an upload that declared no type is stored": Scenario((PUT,), Op("store", (0,)), declared=False),
    "one of two uploads that declared no type is stored while the other is recorded": Scenario(
        (PUT, Step((Op("put", (0,), variant=2),))),
        Op("store", (0,)),
        (Op("deliver", (1,)),),
        # After its list was read.
        choices=(0, 0, 1, 1, 1, 1, 1),
        declared=False,
    ),
    "uploads are stored": Scenario(UPLOADED, Op("store", (0, 1)), files=2),
    "uploads are stored, and nobody answers": Scenario(UPLOADED, Op("store", (0,), Fault("never"))),
    "uploads are stored, and all is throttled": Scenario(UPLOADED, Op("store", (0,), Fault("throttled for long"))),
    "somebody else would take an upload back": Scenario(UPLOADED, Op("undo", (0,))),
    "an upload whose event was not seen is stored": Scenario((PUT,), Op("store", (0,))),
    "two uploads of which no event was seen are stored": Scenario((PUT, PUT), Op("store", (0,))),
    "an upload is stored while its event is recorded": Scenario((PUT, PUT), Op("store", (0,)), (Op("deliver", (1,)),)),
    "a stored file is deleted": Scenario(STORED, Op("delete", (0,))),
    "an upload is deleted whose event was not seen": Scenario((PUT,), Op("delete", (0,))),
    "a delete is repeated after it was interrupted": Scenario(INTERRUPTED_DELETE, Op("delete", (0,))),
    "an upload is undone": Scenario(UPLOADED, Op("undo", (0,), variant=1)),
    "an upload that was stored on load is undone": Scenario(UPLOADED, Op("undo", (0,), variant=1), on_load=True),
    "an upload is undone while it is stored": Scenario(UPLOADED, Op("undo", (0,), variant=1), (Op("store", (0,)),)),
    "a store is repeated": Scenario((*STORED, Step((), wait=1)), Op("store", (0,))),
    "an uploader would undo what is stored": Scenario(STORED, Op("undo", (0,), variant=1)),
    "an uploader would undo what was stored on load, too late": Scenario(
        (*UPLOADED, DEAD_URL), Op("undo", (0,), variant=1), on_load=True
    ),
    "files are described": Scenario(STORED, Op("info", (0,))),
    "a file is described after an overwrite": Scenario((*STORED, Step((Op("info", (0,)),)), PUT), Op("info", (0,))),
    "contents are asked for after an overwrite": Scenario((*STORED, PUT), Op("content", (0,))),
    "contents are asked for that are not stored": Scenario(UPLOADED, Op("content", (0,))),
    "contents are asked for that nobody stored in time": Scenario((*UPLOADED, OLD, SWEPT), Op("content", (0,))),
    "an image is shown that may be none": Scenario(
        (PUT, Step((Op("store", (0,)),))), Op("content", (0,), variant=1), declared=False
    ),
    "a stored file is renamed": Scenario(STORED, Op("update", (0,), variant=2)),
    "a file that has meta is renamed": Scenario((*STORED, Step((Op("update", (0,), variant=1),))), Op("update", (0,))),
    "an upload is renamed": Scenario(UPLOADED, Op("update", (0,))),
    "a file is renamed, and the write brings no record": Scenario(STORED, Op("update", (0,), Fault("untold"))),
    "a file is renamed while it is deleted": Scenario(
        STORED, Op("update", (0,)), (Op("delete", (0,)),), choices=(1, 1)
    ),
    "a deleted file is renamed": Scenario(INTERRUPTED_DELETE, Op("update", (0,))),
    "an unknown file is renamed": Scenario((), Op("update", (0,)), files=0),
    "the files are listed": Scenario(STORED, Op("list")),
    # After the two shards that are asked for one file.
    "the files are listed whose records are throttled": Scenario(
        STORED, Op("list", (), Fault("throttled for long", 2))
    ),
    "many files are listed with the deleted ones, the oldest first": Scenario(
        (*ALL_PUT, Step((Op("store", tuple(range(27))),)), Step((Op("delete", (3, 4, 5)),))),
        Op("list", variant=7),
        files=27,
    ),
    "the files are listed while one is deleted and one is stored": Scenario(
        (*TWO, Step((Op("store", (0,)),))), Op("list"), (Op("delete", (0,)), Op("store", (1,))), files=2
    ),
    "an upload in the last second is stored": Scenario((DEAD_URL, SWEPT, LATE, PUT), Op("store", (0,))),
    "an upload of exactly MaxFileSize is stored": Scenario((Step((Op("put", (0,), variant=3),)),), Op("store", (0,))),
    "an upload is stored whose type was throttled": Scenario(
        (PUT, Step((Op("store", (0,), Fault("throttled", 2)),))), Op("store", (0,)), declared=False
    ),
    "an unknown upload is deleted": Scenario((), Op("delete", (0,), variant=1), files=0),
    "an upload is stored of which another was too large": Scenario((TOO_LARGE_PUT, PUT), Op("store", (0,))),
    "more is stored than one batch takes": Scenario(ALL_PUT, Op("store", tuple(range(27))), files=27),
    "more is deleted than one batch takes": Scenario(ALL_PUT, Op("delete", tuple(range(27))), files=27),
}
