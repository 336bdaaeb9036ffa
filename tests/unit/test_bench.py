"""make bench: what it computes from what it measured."""

from collections import Counter
from xml.etree import ElementTree

from bench import cost, report
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
            "DynamoDB": 3.25,
            "SQS": 1.20,
            # 4 x 0.20, and 4 runs of 10 ms + 1 ms / 0.29 at half a GB
            "Lambda": 1.16,
            # 1550 bytes of ours, 4 x 26 of CloudWatch's
            "Logs": 0.83,
        }
        assert round(bill.total, 2) == 21.94

    def test_is_lower_where_events_come_in_batches(self) -> None:
        bill = cost.bill(MEASURED, events_in_a_batch=10)
        assert {name: round(bill.dollars[name], 2) for name in ("SQS", "DynamoDB", "Logs")} == {
            "SQS": 0.48,
            "DynamoDB": 3.25,
            # 1150 bytes and 3 x 26, and a tenth of 826
            "Logs": 0.66,
        }
        assert bill.total < cost.bill(MEASURED).total

    def test_is_higher_for_uploads_that_declare_no_type(self) -> None:
        # A write unit, a HEAD, and twice 10 ms at half a GB
        assert round(cost.undeclared_type(), 3) == round(0.625 + 0.40 + 0.133, 3)


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
        assert costs["metrics"][1] == "of the sweep; 4.50 for all 15 if each occurs in every hour"


class TestTheReport:
    def test_gives_the_median_and_the_extremes(self) -> None:
        assert report.spread([3.04, 1.0, 9.96], 1) == "3.0 (1.0\u201310.0)"

    def test_draws_a_bar_for_every_value(self) -> None:
        drawn = ElementTree.fromstring(report.bars("a & b", {"upload": 4.1, "sweep": 4.4}, limit=4.5, unit="x"))  # noqa: S314 - our own
        texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert texts == ["a & b", "upload", "4.10x", "sweep", "4.40x"]
