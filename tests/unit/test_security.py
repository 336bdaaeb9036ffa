"""SECURITY.md: every threat has a control, and the tests that it names are there."""

import ast
import re

import pytest

from tests.support import ROOT

ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
TESTS = sorted({name for *_, tests in ROWS for name in re.findall(r"`([^`]+)`", tests)})


def test_threats_are_numbered_and_many() -> None:
    assert [int(number) for number, *_ in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) >= 27


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_threat_has_a_control_and_a_test(row: tuple[str, str, str, str]) -> None:
    _, threat, control, tests = row
    assert len(threat) > 10
    assert len(control) > 10
    assert re.fullmatch(r"(`tests/\S+::\S+` ?)+", tests)


@pytest.mark.parametrize("test", TESTS)
def test_every_test_that_is_named_is_there(test: str) -> None:
    path, *names = test.split("::")
    body = ast.parse((ROOT / path).read_text()).body
    for name in names:
        (found,) = [node for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name]
        body = found.body
    assert names[-1].startswith("test_")
