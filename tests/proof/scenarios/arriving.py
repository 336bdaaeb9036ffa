"""Scenarios of what arrives: uploads that are asked for, and the events that tell of them."""

from collections.abc import Mapping

from tests.proof.faults import Fault
from tests.proof.scenarios.steps import DEAD_URL, LATE, OLD, OVER, PUT, STORED, SWEPT, TOO_LARGE_PUT, Scenario
from tests.proof.schedules import Step
from tests.proof.vocabulary import Op

SCENARIOS: Mapping[str, Scenario] = {
    "an upload is asked for": Scenario((), Op("ask")),
    "an upload is asked for, and the SDK asks twice": Scenario((), Op("ask", fault=Fault("retried"))),
    "an upload is recorded": Scenario((PUT,), Op("deliver", (0,))),
    "an upload is recorded and stored on load": Scenario((PUT,), Op("deliver", (0,)), on_load=True),
    "an upload that declared no type is recorded": Scenario((PUT,), Op("deliver", (0,)), declared=False),
    "an upload that declared no type is recorded and stored on load": Scenario(
        (PUT,), Op("deliver", (0,)), on_load=True, declared=False
    ),
    "two uploads that declared no type are recorded": Scenario(
        (PUT, Step((Op("put", (0,), variant=2),))), Op("deliver", (0, 1)), declared=False
    ),
    "one of two uploads that declared no type is recorded while the other is": Scenario(
        (PUT, Step((Op("put", (0,), variant=2),))),
        Op("deliver", (0,)),
        (Op("deliver", (1,)),),
        # After it was refused for having no type.
        choices=(0, 1, 1, 1, 1, 1),
        declared=False,
    ),
    "two uploads to one URL are recorded": Scenario((PUT, PUT), Op("deliver", (0, 1))),
    "an overwrite of a stored file is removed": Scenario((*STORED, PUT), Op("deliver", (0,))),
    "an upload after the delete is removed": Scenario((*STORED, Step((Op("delete", (0,)),)), PUT), Op("deliver", (0,))),
    "a slow upload without a record is removed": Scenario(
        (OVER, SWEPT, Step((Op("put", (0,), variant=6),))), Op("deliver", (0,))
    ),
    "a slow upload of a deleted file is removed": Scenario(
        (*STORED, Step((Op("delete", (0,)),)), OLD, Step((Op("sweep"),)), Step((Op("put", (0,), variant=6),))),
        Op("deliver", (0,)),
    ),
    "an upload in the last second is recorded": Scenario((DEAD_URL, SWEPT, LATE, PUT), Op("deliver", (0,))),
    "an upload of exactly MaxFileSize is recorded": Scenario(
        (Step((Op("put", (0,), variant=3),)),), Op("deliver", (0,))
    ),
    "an upload of exactly MaxFileSize is recorded whose type was not declared": Scenario(
        (Step((Op("put", (0,), variant=3),)),), Op("deliver", (0,)), declared=False
    ),
    "an overwrite that S3 did not mention is removed": Scenario(
        (*STORED, PUT, Step((Op("deliver", (0,), Fault("unconfirmed")),))), Op("deliver", (0,))
    ),
    "an upload is recorded whose type was throttled": Scenario(
        (PUT, Step((Op("deliver", (0,), Fault("throttled", 1)),))), Op("deliver", (0,)), declared=False
    ),
    "a duplicate of a stored file brings no record": Scenario(
        (*STORED, Step((Op("deliver", (0,), Fault("silent"), variant=2),))), Op("deliver", (0,), variant=2)
    ),
    "a duplicate of a stored file is denied": Scenario(
        (*STORED, Step((Op("deliver", (0,), Fault("denied"), variant=2),))), Op("deliver", (0,), variant=2)
    ),
    "an upload that is too large is removed": Scenario((TOO_LARGE_PUT,), Op("deliver", (0,))),
}
