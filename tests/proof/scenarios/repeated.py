"""Scenarios of requests with an Idempotency-Key: where anybody may ask, and where only back ends may."""

from collections.abc import Mapping

from tests.proof.faults import Fault
from tests.proof.scenarios.steps import Scenario
from tests.proof.schedules import Step
from tests.proof.vocabulary import Op

_OTHERS = 8
_ASKED = Step((Op("request", (0,)),))
_ASKED_BY_ANOTHER = Step((Op("request", (0,), variant=_OTHERS),))

SCENARIOS: Mapping[str, Scenario] = {
    "an upload is asked for with a key": Scenario((), Op("request", (0,)), files=0),
    "an upload is asked for with a key again": Scenario((_ASKED,), Op("request", (0,)), files=0),
    "an upload is asked for with a key again, with another body": Scenario(
        (_ASKED,), Op("request", (0,), variant=1), files=0
    ),
    "an upload is asked for with a key again, later": Scenario(
        (Step((Op("request", (0,)),), wait=600),), Op("request", (0,)), files=0
    ),
    "an upload is asked for with one key twice at once": Scenario(
        (), Op("request", (0,)), (Op("request", (0,)),), choices=(1, 0, 1, 0), files=0
    ),
    "an upload is asked for with a key, and the SDK asks again when the file is stored": Scenario(
        (),
        Op("request", (0,), Fault("retried")),
        (Op("request", (0,)), Op("put", (0,)), Op("deliver", (0,)), Op("store", (0,))),
        choices=(0, 0, 1, 1, 1, 1, 1, 1, 1, 0),
        files=0,
    ),
    "a stranger asks where only back ends may": Scenario((), Op("ask", variant=4), closed=True, files=0),
    "a back end asks with the key of another's request": Scenario(
        (_ASKED_BY_ANOTHER,), Op("request", (0,)), closed=True, files=0
    ),
    "a back end asks again with the key of another's request": Scenario(
        (_ASKED, _ASKED_BY_ANOTHER), Op("request", (0,)), closed=True, files=0
    ),
    "two back ends ask with one key at once": Scenario(
        (), Op("request", (0,)), (Op("request", (0,), variant=_OTHERS),), choices=(1, 0, 1, 0), closed=True, files=0
    ),
}
