"""Scenarios of uploads in parts: begin, sign, look, complete, take back, abandon."""

from collections.abc import Mapping

from tests.proof.faults import Fault
from tests.proof.scenarios.steps import DEAD_URL, LOST, OVER, SENT, SWEPT, Scenario
from tests.proof.schedules import Step
from tests.proof.vocabulary import Op

COMPLETE = Op("complete", (0,), variant=2)
COMPLETED = Step((COMPLETE,))
# After its read of the record and three pages of parts.
LOST_ANSWER = Step((Op("complete", (0,), Fault("died after", 4)),))
UNDO = Op("undo", (0,), variant=1)
HALF = Step((Op("send", (0,), variant=1),))

SCENARIOS: Mapping[str, Scenario] = {
    "an upload in parts is begun": Scenario((), Op("begin"), files=0),
    "parts are signed": Scenario((), Op("send", (0,)), in_parts=True),
    "parts are signed for a token of another upload": Scenario(
        (Step((), wait=600),), Op("send", (0,), variant=5), files=2, in_parts=True
    ),
    "an upload in parts is completed with a token of another": Scenario(
        (SENT,), Op("complete", (0,), variant=6), files=2, in_parts=True
    ),
    "parts are signed of an unknown upload": Scenario(
        (OVER, Step((Op("delete", (0,)),))), Op("send", (0,)), in_parts=True
    ),
    "parts are signed at the last moment": Scenario((HALF, OVER), Op("send", (0,)), (Op("sweep"),), in_parts=True),
    "parts are looked for": Scenario((HALF,), Op("parts", (0,)), in_parts=True),
    "parts are looked for after S3 has put them together": Scenario(
        (SENT, LOST_ANSWER), Op("parts", (0,)), in_parts=True
    ),
    "an upload in parts is completed": Scenario((SENT,), COMPLETE, in_parts=True),
    "an upload in parts is completed and stored": Scenario((SENT,), COMPLETE, in_parts=True, on_load=True),
    "an upload in parts is completed again": Scenario((SENT, COMPLETED), COMPLETE, in_parts=True),
    "an upload in parts is completed after its answer was lost": Scenario((SENT, LOST_ANSWER), COMPLETE, in_parts=True),
    "an upload in parts is completed after its answer was lost, and its event was first": Scenario(
        (SENT, LOST_ANSWER, Step((Op("deliver", (0,)),))), COMPLETE, in_parts=True
    ),
    "an upload in parts is completed with another checksum after its answer was lost": Scenario(
        (SENT, LOST_ANSWER), Op("complete", (0,), variant=5), in_parts=True
    ),
    "an upload in parts is completed while its event is recorded": Scenario(
        (SENT,), COMPLETE, (Op("deliver", (0,)),), choices=(0, 0, 0, 0, 0, 0, 1, 1, 1), in_parts=True
    ),
    "the event of an upload in parts comes while it is completed": Scenario(
        (SENT,), COMPLETE, (Op("sweep"), Op("deliver", (0,))), choices=(0, 0, 0, 0, 2, 2), in_parts=True
    ),
    "an upload in parts whose bytes are others is completed": Scenario(
        (Step((Op("send", (0,), variant=4),)),), COMPLETE, in_parts=True
    ),
    "an upload in parts is completed while it is taken back": Scenario((SENT,), COMPLETE, (UNDO,), in_parts=True),
    "an upload in parts is completed that somebody else would take back": Scenario(
        (SENT, Step((Op("undo", (0,)),))), COMPLETE, in_parts=True
    ),
    "an upload in parts is taken back": Scenario((HALF,), UNDO, in_parts=True),
    "an upload in parts is taken back again": Scenario((HALF, Step((UNDO,))), UNDO, in_parts=True),
    "an upload in parts is taken back where it would be stored": Scenario(
        (HALF, DEAD_URL), UNDO, in_parts=True, on_load=True
    ),
    "the sweep gives an upload in parts up": Scenario((HALF, DEAD_URL, SWEPT, OVER), Op("sweep"), in_parts=True),
    "the sweep gives up what somebody goes on with": Scenario(
        (HALF, OVER), Op("sweep"), (Op("send", (0,)),), in_parts=True
    ),
    "the sweep gives up what somebody goes on with, a little later": Scenario(
        (HALF, OVER), Op("sweep"), (Op("send", (0,)),), choices=(0, 0, 0, 0, 0, 0, 1, 1), in_parts=True
    ),
    "the sweep finds a part that was on its way": Scenario(
        (HALF, OVER, Step((Op("sweep", fault=Fault("part on its way")),))), Op("sweep"), in_parts=True
    ),
    "the sweep records what S3 has put together": Scenario(
        (SENT, LOST_ANSWER, LOST, DEAD_URL), Op("sweep"), in_parts=True
    ),
    "the sweep ends an upload without a record": Scenario(
        (Step((Op("begin", fault=Fault("died after", 0)),)), OVER), Op("sweep"), files=0
    ),
    "the sweep leaves alone what has a record": Scenario((SENT, DEAD_URL, SENT, SWEPT), COMPLETE, in_parts=True),
    "a back end deletes an upload in parts": Scenario((HALF,), Op("delete", (0,)), in_parts=True),
}
