"""Scenarios of two keys, each with files of its own."""

from collections.abc import Mapping

from tests.proof.scenarios.steps import PUT, TWO, UPLOADED, Scenario
from tests.proof.schedules import Step
from tests.proof.vocabulary import Op

_OTHERS = 8
_STORED_BY_ANOTHER = (*UPLOADED, Step((Op("store", (0,), variant=_OTHERS),)))

SCENARIOS: Mapping[str, Scenario] = {
    "an upload becomes the key's that stores it": Scenario(UPLOADED, Op("store", (0,)), isolated=True),
    "an upload whose event was not seen becomes the key's that stores it": Scenario(
        (PUT,), Op("store", (0,)), isolated=True
    ),
    "two keys store one upload": Scenario(
        UPLOADED, Op("store", (0,)), (Op("store", (0,), variant=_OTHERS),), isolated=True
    ),
    "a key would store another's": Scenario(_STORED_BY_ANOTHER, Op("store", (0,)), isolated=True),
    "a key would see another's": Scenario(_STORED_BY_ANOTHER, Op("info", (0,), variant=6), isolated=True),
    "a key would be led to another's contents": Scenario(_STORED_BY_ANOTHER, Op("content", (0,)), isolated=True),
    "a key would list another's": Scenario(
        (*TWO, Step((Op("store", (0,), variant=_OTHERS), Op("store", (1,))))), Op("list"), files=2, isolated=True
    ),
    "a key would rename another's": Scenario(_STORED_BY_ANOTHER, Op("update", (0,)), isolated=True),
    "a key renames an upload that nobody stored": Scenario(UPLOADED, Op("update", (0,)), isolated=True),
    "a key would delete another's": Scenario(_STORED_BY_ANOTHER, Op("delete", (0,)), isolated=True),
    "a key deletes an upload that nobody stored": Scenario(UPLOADED, Op("delete", (0,)), isolated=True),
    "a key deletes an upload while another stores it": Scenario(
        UPLOADED, Op("delete", (0,)), (Op("store", (0,), variant=_OTHERS),), isolated=True
    ),
    "a key deletes an upload while it stores it itself": Scenario(
        UPLOADED,
        Op("delete", (0,)),
        (Op("store", (0,)),),
        # Between the statement for what it owns and the one for what nobody does.
        choices=(0, 0, 1, 1),
        isolated=True,
    ),
    "a key deletes its own": Scenario(
        (*UPLOADED, Step((Op("store", (0,)),))), Op("delete", (0,)), isolated=True
    ),
}  # fmt: skip
