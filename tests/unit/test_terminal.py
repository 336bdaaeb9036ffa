"""What strangers write reaches a terminal as text: no escapes, no forged lines, nothing turned around."""

import json

import pytest

from local.journal import Journal
from local.terminal import printable
from ops import audit, target
from ops.errors import OperatorError, run
from ops.logs import lines
from ops.redrive import describe

CLEAR = "\x1b[2J"
RAISED = {"level": "ERROR", "message": f"failed{CLEAR}", "exception_name": f"Fault{CLEAR}\nx"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("report ä 文 😀.pdf", "report ä 文 😀.pdf"),
        ("\x1b[2J", r"\u001b[2J"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x9b2J", r"\u009b2J"),
        ("\x00\x07\x7f", r"\u0000\u0007\u007f"),
        ("fdp.\u202eexe", r"fdp.\u202eexe"),
        ("\u2028\u2029\u200b\ufeff", r"\u2028\u2029\u200b\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\udb40\udc41"),
    ],
)
def test_what_prints_nothing_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert json.loads(f'"{shown}"') == text


@pytest.fixture
def journal() -> tuple[Journal, list[str]]:
    printed: list[str] = []
    journal = Journal(printed.append)
    journal.open("bucket")
    return journal, printed


def test_the_journal_shows_paths_and_errors_as_text(journal: tuple[Journal, list[str]]) -> None:
    written, printed = journal
    written.page_request("GET", f"/{CLEAR}\r\n12:00:00  PUT /files  200", 404)
    written.emulator_line(json.dumps(RAISED))
    assert [line[10:].rstrip() for line in printed] == [
        r"GET page /\u001b[2J\r\n12:00:00  PUT /files  200  404",
        r"error in a function: failed\u001b[2J Fault\u001b[2J\nx",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "request DELETE /bucket/x 200 0.1",
        "WARNING rejected key request DELETE /bucket/x 200 0.1",
        "[2026-11-25 12:00:00 +0000] [7] [INFO] request GET /x request DELETE /bucket/x 200 0.1",
        "[2026-11-25 12:00:00 +0000] [7] [WARNING] request DELETE /bucket/x 200 0.1",
    ],
)
def test_the_journal_takes_no_other_line_for_a_request(journal: tuple[Journal, list[str]], line: str) -> None:
    written, printed = journal
    written.emulator_line(line)
    assert printed == []
    written.emulator_line("[2026-11-25 12:00:00 +0000] [7] [INFO] request DELETE /bucket/x 200 0.1")
    assert len(printed) == 1


class Logs:
    """CloudWatch's logs, with one line in them."""

    def __init__(self, said: dict[str, str]) -> None:
        self._said = said

    def describe_log_groups(self) -> dict[str, list[dict[str, str]]]:
        return {"logGroups": [{"logGroupName": "one"}]}

    def get_paginator(self, _: str) -> "Logs":
        return self

    def paginate(self, **_: str) -> list[dict[str, list[dict[str, object]]]]:
        return [{"events": [{"timestamp": 1, "message": json.dumps(self._said)}]}]


def test_the_functions_lines_are_shown_as_text() -> None:
    said = {**RAISED, "timestamp": "2026-11-25T12:00:00.000Z"}
    assert list(lines(Logs(said), "")) == [r"12:00:00.000  ERROR    failed\u001b[2J  exception_name=Fault\u001b[2J\nx"]


def test_keys_of_objects_are_shown_as_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stack = target.Target({"StorageBucketName": "bucket", "TableName": "table"}, lambda _: None)
    monkeypatch.setattr(target, "find", lambda _: stack)
    monkeypatch.setattr(audit.Audit, "run", lambda _: [audit.Finding("foreign", f"a{CLEAR}", "v")])
    monkeypatch.setattr(audit.Audit, "uploads", lambda _: [])
    monkeypatch.setattr("sys.argv", ["audit"])
    assert audit.main() == 0
    assert capsys.readouterr().out.splitlines()[0] == r"foreign    a\u001b[2J v"


def test_dead_letters_and_errors_are_shown_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    event = {"Records": [{"s3": {"object": {"key": "%1B%5B2J", "versionId": "v", "size": 1}}}]}
    assert describe({"MessageId": "m", "Body": json.dumps(event)}) == r"m  \u001b[2J v (1 bytes)"

    def fail() -> int:
        raise OperatorError(f"There is no stack {CLEAR}.")

    assert run(fail) == 1
    assert capsys.readouterr().err == "error: There is no stack \\u001b[2J.\n"
