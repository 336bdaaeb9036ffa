"""Every key of a log line, and where an error was."""

import traceback
from collections.abc import Callable
from typing import Any

from filestore import telemetry

Log = Callable[[], list[dict[str, Any]]]


def test_a_line_with_metrics_has_these_keys(log: Log) -> None:
    telemetry.report("once", here=1)
    telemetry.report("text", counts={"FilesStored": 1}, here=1)
    before, line = log()
    assert line.keys() - before.keys() == {"_aws", "FilesStored"}


def test_an_unexpected_error_is_told_frame_by_frame(log: Log) -> None:
    def fail() -> None:
        raise ValueError("what somebody has sent")

    try:
        fail()
    except ValueError as error:
        telemetry.report_fault(error)
        frames = traceback.format_tb(error.__traceback__)
    (line,) = log()
    assert len(frames) == 2
    assert line["exception"] == "".join(frames)


def test_a_message_is_a_text_even_where_it_is_json(log: Log) -> None:
    telemetry.report('{"message": "of somebody"}')
    (line,) = log()
    assert line["message"] == '{"message": "of somebody"}'


def test_why_a_call_failed_is_told_once(log: Log) -> None:
    telemetry.logger.warning("storage did not answer", exc_info=ValueError("why"))
    (line,) = log()
    assert "why" in line["exception"]
    assert "stack_trace" not in line
