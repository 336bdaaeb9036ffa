"""A new function is in every list: of one that forgot it nobody would see that it is not measured or proven."""

import ast
import re

import pytest

from bench.events import OPERATIONS
from tests.proof import drawing, fuzz, proving
from tests.support import ROOT, SWAGGER, TEMPLATE
from tests.unit import test_costs, test_isolation

FUNCTIONS = {
    name.removesuffix("Function").lower()
    for name, resource in TEMPLATE["Resources"].items()
    if resource["Type"] == "AWS::Serverless::Function"
}
ROUTES = {
    f"{method.upper()} {path}": operation
    for path, item in SWAGGER["paths"].items()
    for method, operation in item.items()
    if "operationId" in operation
}


def test_of_what_is_measured() -> None:
    assert set(OPERATIONS) == FUNCTIONS
    assert {operation for operation, _ in test_costs.CALLS} == FUNCTIONS
    assert test_costs.MODULES.keys() == FUNCTIONS


def test_of_what_is_fuzzed() -> None:
    assert set(fuzz._ENDPOINTS) == {operation["operationId"] for operation in ROUTES.values()}  # noqa: SLF001


def test_of_what_happens_in_random_schedules() -> None:
    assert set(drawing._KINDS) == proving.OPERATIONS.keys()  # noqa: SLF001


def test_of_the_routes_that_keep_keys_apart() -> None:
    of_back_ends = {route for route, operation in ROUTES.items() if operation.get("security") == [{"ApiKey": []}]}
    tried = {re.split(r"\?| with ", route)[0] for route in test_isolation.ROUTES}
    assert tried == of_back_ends


def test_of_the_rights_that_are_used() -> None:
    module = ast.parse((ROOT / "tests/unit/test_rights_used.py").read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(module) if isinstance(node, ast.FunctionDef)}
    assert {f"test_{name}" for name in FUNCTIONS} <= names


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("template.yaml", r"each of the (\w+) functions .* (\w+) times as much and 100"),
        ("docs/deploying.md", r"limit of (\w+) times as much and 100"),
        ("docs/parameters.md", r"each of the (\w+) functions may"),
        ("docs/performance.md", r"zips that it makes of the (\w+) folders|for all (\w+)\)"),
    ],
)
def test_of_the_texts_that_say_how_many_there_are(document: str, words: str) -> None:
    text = " ".join((ROOT / document).read_text(encoding="utf-8").split())
    said = {word for found in re.findall(words, text) for word in (found if isinstance(found, tuple) else (found,))}
    assert said - {""} == {{14: "fourteen", 15: "fifteen", 16: "sixteen"}[len(FUNCTIONS)]}
