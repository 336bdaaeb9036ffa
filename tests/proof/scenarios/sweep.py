"""Scenarios of the sweep: what it adopts, puts off, removes and finishes."""

from collections.abc import Mapping

from tests.proof.faults import Fault
from tests.proof.scenarios.steps import (
    ALL_PUT,
    DEAD_URL,
    FILE_OVER,
    INTERRUPTED_DELETE,
    LAST_SECOND_LEFT,
    LATE,
    LOST,
    OLD,
    OVER,
    PUT,
    STORED,
    SWEPT,
    TOO_LARGE_PUT,
    TWO,
    UPLOADED,
    Scenario,
)
from tests.proof.schedules import Step
from tests.proof.settings import SHORT_LIFETIME
from tests.proof.vocabulary import Op

SCENARIOS: Mapping[str, Scenario] = {
    "the sweep adopts an upload that declared no type": Scenario(
        (PUT, Step((Op("lose", (0,)),)), DEAD_URL), Op("sweep"), declared=False
    ),
    "the sweep has a pending upload wait": Scenario((DEAD_URL,), Op("sweep")),
    "the sweep adopts an upload in the last second": Scenario(
        (DEAD_URL, SWEPT, LATE, PUT, LOST, Step((), wait=1)), Op("sweep")
    ),
    "the sweep watches a deleted file to the last second": Scenario(
        (*UPLOADED, Step((Op("delete", (0,)),)), DEAD_URL, SWEPT, LATE, PUT, LOST, Step((), wait=1)), Op("sweep")
    ),
    "the sweep watches an undone upload to the last second": Scenario(
        (*UPLOADED, Step((Op("undo", (0,), variant=1),)), DEAD_URL, SWEPT, LATE, PUT, LOST, Step((), wait=1)),
        Op("sweep"),
    ),
    "the sweep watches an expired upload to the last second": Scenario(
        (*UPLOADED, FILE_OVER, SWEPT, LAST_SECOND_LEFT, PUT, LOST, Step((), wait=1)), Op("sweep")
    ),
    "an upload ends while the sweep has it wait": Scenario(
        (DEAD_URL,), Op("sweep"), (Op("put", (0,)), Op("deliver", (0,))), choices=(0, 0, 0, 0, 1, 1, 1)
    ),
    "the sweep removes a pending record": Scenario((OVER,), Op("sweep")),
    "another sweep removes a pending record, and its key begins an upload anew": Scenario(
        (Step((Op("request", (0,)),)), OVER),
        Op("sweep"),
        (Op("sweep"), Op("request", (0,))),
        # The first has looked for an object in vain.
        choices=(0,) * 6 + (1,) * 40,
        files=0,
    ),
    "the sweep removes an upload without a version": Scenario(
        (Step((Op("put_unversioned", (0,)),)), OVER), Op("sweep")
    ),
    "the sweep removes an upload without a version beside one that is too large": Scenario(
        (Step((Op("put_unversioned", (0,)),)), TOO_LARGE_PUT, LOST, OVER), Op("sweep")
    ),
    "the sweep adopts an upload beside one without a version": Scenario(
        (Step((Op("put_unversioned", (0,)),)), PUT, LOST, DEAD_URL), Op("sweep")
    ),
    "the sweep finishes two deletes of which S3 throttled the objects": Scenario(
        (
            *TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            OVER,
            Step((Op("sweep", fault=Fault("throttled deletion")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "the sweep finishes two deletes of which S3 throttled the lists": Scenario(
        (
            *TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            OVER,
            Step((Op("sweep", fault=Fault("unlistable")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "the sweep finishes two deletes of which S3 did not mention the objects": Scenario(
        (
            *TWO,
            Step((Op("delete", (0, 1), Fault("died after", 0)),)),
            OVER,
            Step((Op("sweep", fault=Fault("unconfirmed")),)),
        ),
        Op("sweep"),
        files=2,
        page=2,
    ),
    "an undone upload that S3 would not delete outlasts a month": Scenario(
        (
            *UPLOADED,
            Step((Op("undo", (0,), Fault("undeletable"), variant=1),), wait=31 * 24 * 3600),
        ),
        Op("sweep"),
    ),
    "a pending record is left alone by TTL for a week": Scenario((Step((), wait=7 * 24 * 3600),), Op("sweep")),
    "a slow upload ends while the sweep removes its record": Scenario(
        (OVER,),
        Op("sweep"),
        (Op("put", (0,), variant=6), Op("deliver", (0,))),
        # Just before the record is dropped, and after its object was looked for in vain.
        choices=(0, 0, 0, 0, 1, 1, 1),
    ),
    "the sweep adopts an upload whose event was lost": Scenario(
        (PUT, Step((Op("lose", (0,)),)), DEAD_URL), Op("sweep")
    ),
    "the sweep adopts one of two uploads": Scenario((PUT, PUT, DEAD_URL), Op("sweep")),
    "the sweep stores what it adopts": Scenario((PUT, DEAD_URL), Op("sweep"), on_load=True),
    "the sweep puts an upload off to the end of its lifetime": Scenario((*UPLOADED, DEAD_URL), Op("sweep")),
    "the sweep expires an upload": Scenario((*UPLOADED, OLD), Op("sweep")),
    "the sweep expires an upload whose URL works": Scenario(
        (*UPLOADED, Step((), wait=SHORT_LIFETIME)), Op("sweep"), lifetime=SHORT_LIFETIME
    ),
    "the sweep removes an upload that is too large": Scenario((TOO_LARGE_PUT, DEAD_URL), Op("sweep")),
    "the sweep removes an upload that is too large and that S3 would not delete for a month": Scenario(
        (
            TOO_LARGE_PUT,
            Step((Op("lose", (0,)),)),
            DEAD_URL,
            Step((Op("sweep", fault=Fault("undeletable")),), wait=31 * 24 * 3600),
        ),
        Op("sweep"),
    ),
    "the sweep expires an upload while it is stored": Scenario(
        (*UPLOADED, OLD),
        Op("sweep"),
        (Op("store", (0,)),),
        # After its record was read.
        choices=(0, 0, 0, 1, 1),
    ),
    "the sweep puts an upload off while it is stored": Scenario(
        (*UPLOADED, DEAD_URL), Op("sweep"), (Op("store", (0,)),), choices=(0, 0, 0, 1, 1, 1)
    ),
    "the sweep puts an upload off while it is deleted": Scenario(
        (*UPLOADED, DEAD_URL), Op("sweep"), (Op("delete", (0,)),), choices=(0, 0, 0, 1, 1, 1)
    ),
    "the sweep finishes a delete whose URL works": Scenario(INTERRUPTED_DELETE, Op("sweep")),
    "the sweep finishes what S3 would not delete for a month": Scenario(
        (*UPLOADED, OLD, Step((Op("sweep", fault=Fault("undeletable")),), wait=31 * 24 * 3600)), Op("sweep")
    ),
    "the sweep finishes a delete": Scenario((*INTERRUPTED_DELETE, DEAD_URL), Op("sweep")),
    "the sweep removes what came after the delete": Scenario(
        (*STORED, Step((Op("delete", (0,)),)), PUT, Step((Op("lose", (0,)),)), DEAD_URL), Op("sweep")
    ),
    "the sweep removes what came after its first look": Scenario(
        (
            *STORED,
            Step((Op("delete", (0,)),)),
            Step((Op("sweep"),)),
            PUT,
            Step((Op("lose", (0,)),)),
            DEAD_URL,
        ),
        Op("sweep"),
    ),
    "more is due than one page takes": Scenario((*ALL_PUT, DEAD_URL), Op("sweep"), files=27),
}
