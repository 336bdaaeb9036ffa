"""make bench: what it computes from what it measured."""

import platform
import sys
from collections import Counter
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import pytest

from bench import cold, cost, large, report
from bench.warm import Warm
from tests.support import TEMPLATE

MEASURED = [
    Warm(operation=operation, files=files, cpu=[0.002, 0.001], calls=Counter({"call": 1}), sent=500, logged=logged)
    for operation, files, logged in (
        *(("upload", 1, 450), ("uploaded", 1, 400), ("uploaded", 10, 800), ("store", 1, 450), ("info", 1, 250)),
        *(("info", 10, 9000), ("undo", 1, 9000), ("sweep", 1, 400)),
    )
]


class TestTheBill:
    def test_adds_up_the_list_prices_of_what_was_counted(self) -> None:
        bill = cost.bill(MEASURED)
        assert {name: round(dollars, 2) for name, dollars in bill.dollars.items()} == {
            "API Gateway": 10.50,
            "S3": 5.00,
            "DynamoDB": 3.88,
            "SQS": 1.20,
            # 4 x 0.20, and 4 runs of 10 ms + 1 ms / 0.29 at half a GB
            "Lambda": 1.16,
            # 1550 bytes of ours, 4 x 26 of CloudWatch's
            "Logs": 0.83,
        }
        assert round(bill.total, 2) == 22.56

    def test_is_lower_where_events_come_in_batches(self) -> None:
        bill = cost.bill(MEASURED, events_in_a_batch=10)
        assert {name: round(bill.dollars[name], 2) for name in ("SQS", "DynamoDB", "Logs")} == {
            "SQS": 0.48,
            "DynamoDB": 3.88,
            # 1150 bytes and 3 x 26, and a tenth of 826
            "Logs": 0.66,
        }
        assert bill.total < cost.bill(MEASURED).total

    def test_of_a_page_of_the_list_is_mostly_the_request_and_the_reads_of_its_records(self) -> None:
        listed = Warm(
            operation="list",
            files=100,
            cpu=[0.029],
            calls=Counter({"Query": 16, "BatchGetItem": 1}),
            sent=1,
            logged=300,
        )
        # 3.50 the request; 16 queries of half a unit and 100 units; 0.20 and 270 ms at half a GB; 326 bytes
        assert round(cost.page([listed], 100), 2) == round(3.50 + 108 * 0.125 + 0.20 + 1.80 + 0.16, 2)

    @pytest.mark.parametrize(
        ("operation", "call", "unit"), [("content", "BatchGetItem", 0.125), ("update", "BatchExecuteStatement", 0.625)]
    )
    def test_of_a_call_about_one_file_is_a_request_and_a_read_or_write(
        self, operation: str, call: str, unit: float
    ) -> None:
        called = Warm(operation=operation, files=1, cpu=[0.0029], calls=Counter({call: 1}), sent=1, logged=300)
        # 3.50 the request; 0.20 and 20 ms at half a GB; 326 bytes
        assert round(cost.of_one_file([called], operation), 2) == round(3.50 + unit + 0.20 + 0.133 + 0.163, 2)

    def test_is_higher_for_uploads_that_declare_no_type(self) -> None:
        # A write unit, a HEAD, and twice 10 ms at half a GB
        assert round(cost.undeclared_type(), 3) == round(0.625 + 0.40 + 0.133, 3)


class TestTheRequestsOfALargeFile:
    """As docs/large-files.md has them."""

    MEASURED: ClassVar = [
        Warm(operation=operation, files=1, cpu=[0.0029], calls=Counter({"call": 1}), sent=500, logged=400)
        for operation in ("upload", "sign", "complete")
    ]

    def test_are_mostly_its_parts(self) -> None:
        of_s3, others = cost.in_parts(self.MEASURED, 640)
        # 640 parts, one page of their list, begun and put together
        assert round(of_s3, 6) == 0.003215
        # nine requests; 2 + 7 x 3 + 1 writes and a read; nine times 0.20 and 20 ms at half a GB
        assert round(others, 8) == round((9 * 3.50 + 24 * 0.625 + 0.125 + 9 * (0.20 + 0.133334)) / 1e6, 8)
        assert cost.show_in_parts(10 * 2**30, 640, of_s3, others) == (
            "The requests of 10 GiB in 640 parts: $0.0032 to S3, $0.00005 to API Gateway, Lambda and DynamoDB."
        )

    def test_of_the_most_parts_are_listed_by_the_thousand(self) -> None:
        of_s3, _ = cost.in_parts(self.MEASURED, 10_000)
        assert round(of_s3, 6) == 0.05006


class TestTheGoalOfLargeFiles:
    @pytest.mark.parametrize(
        ("parts", "verdict"), [(36.0, "met with 256 MiB: 0.90"), (35.9, "missed with 256 MiB: 0.90")]
    )
    def test_is_of_those_that_have_a_line(self, parts: float, verdict: str) -> None:
        rates = {"plain": [40.0], "single": [40.0], "bare": [38.0], "parts": [parts]}
        slow = {**rates, "parts": [1.0]}
        measured = {(64, True): slow, (256, False): slow, (256, True): rates}
        (said,) = large.judge(measured)
        assert verdict in said


class TestAStackThatNobodyUses:
    def test_pays_for_what_watches_it(self) -> None:
        costs = cost.standing(TEMPLATE, MEASURED)
        assert {name: round(dollars, 2) for name, (dollars, _) in costs.items()} == {
            "dashboard": 3.00,
            "alarms": 1.00,
            "metrics": 0.60,
            "SQS": 0.26,
            "sweeps": 0.00,
        }
        assert costs["metrics"][1] == "of the sweep; 4.80 for all 16 if each occurs in every hour"


class TestTheReport:
    def test_gives_the_median_and_the_extremes(self) -> None:
        assert report.spread([3.04, 1.0, 9.96], 1) == "3.0 (1.0\u201310.0)"

    def test_draws_a_bar_for_every_value(self) -> None:
        drawn = ElementTree.fromstring(report.bars("a & b", {"upload": 4.1, "sweep": 4.4}, limit=4.5, unit="x"))  # noqa: S314 - our own
        texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == ["a & b", "upload", "4.10x", "sweep", "4.40x"]

    def test_draws_no_limit_where_there_is_none(self) -> None:
        assert "<line" not in report.bars("title", {"upload": 4.1, "sweep": 4.4}, limit=None, unit="x")


class TestTheLimits:
    """They were taken on the runtime's Python. Another one runs fewer or more instructions for the same."""

    FLOOR = 200
    STARTS: ClassVar = {
        operation: cold.Cold(import_wall=[0.1], first_wall=[0.1], cpu=[0.1], peak=[peak * 2**20], modules=300)
        for operation, peak in (("upload", 36.0), ("sweep", 37.5))
    }

    def test_are_met_or_exceeded_on_the_same_python(self) -> None:
        python = report.Python("3.13.4")
        limits = "4.5 \u00d7 (5.0 \u00d7 for complete, 5.0 \u00d7 for sweep)"
        assert cold.judge(self.STARTS, ({"upload": 900, "sweep": 1000}, self.FLOOR), python, "3.13") == (
            f"The limit of {limits} is met. The limit of 38 MB is met."
        )
        assert cold.judge(self.STARTS, ({"upload": 902, "sweep": 1002}, self.FLOOR), python, "3.13") == (
            f"**The limit of {limits} is exceeded: upload 4.51, sweep 5.01.** The limit of 38 MB is met."
        )

    def test_of_memory_is_judged_without_valgrind_too(self) -> None:
        assert cold.judge(self.STARTS, None, report.Python("3.13.0"), "3.13") == "The limit of 38 MB is met."

    def test_say_nothing_of_another_python(self) -> None:
        python = report.Python("3.11.7")
        assert cold.judge(self.STARTS, ({"upload": 600, "sweep": 660}, self.FLOOR), python, "3.13") == (
            "Not compared with the limits, 4.5 \u00d7 and 38 MB: they are of Python 3.13."
        )

    def test_are_drawn_for_their_own_python_alone(self) -> None:
        counts = {"upload": 820, "sweep": 880}
        same = cold.chart(counts, self.FLOOR, report.Python("3.13.0"), "3.13")
        other = cold.chart(counts, self.FLOOR, report.Python("3.11.7"), "3.13")
        assert ("(Python 3.13.0, limit 4.5)" in same, "<line" in same) == (True, True)
        assert ("(Python 3.11.7)" in other, "limit" in other, "<line" in other) == (True, False, False)

    def test_the_python_is_the_one_that_is_asked(self) -> None:
        python = report.Python.of(Path(sys.executable))
        assert str(python) == f"Python {platform.python_version()}"
        assert python.minor == f"{sys.version_info.major}.{sys.version_info.minor}"
