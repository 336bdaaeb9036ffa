"""The bill for a million files, from what was counted: a model, its prices and assumptions beside it.

A file is requested, PUT, reported by one event, stored and described; each on its own, the dearest way. And what a
stack costs that nobody uses.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.report import table
from bench.warm import Warm
from tools import prices

MONTH = 30 * 24 * 3600
# Where its concurrency is bounded, Lambda asks a quiet queue five times at once, and waits for 20 seconds each time
# (Lambda developer guide).
EMPTY_RECEIVES = 5 * MONTH / 20
SWEEP_EVERY = 30 * 60
# A query is half a read unit for every 4 kB, one that finds nothing too.
QUERY_READS = 0.5
# An entry of the list's index, in octets: three names and values.
PLACE = 112

MEMORY_GB = 0.5
# A function with 512 MB has this share of a CPU (1769 MB have one: Lambda developer guide).
CPU_SHARE = 512 / 1769
# What AWS takes to answer one call in the same region, in seconds, and is waited for.
AWS_ANSWERS_IN = 0.010
# CloudWatch adds 26 bytes to every line (PutLogEvents, API reference). Lambda's own lines are of runs that fail only.
LINE_OVERHEAD = 26
# Writes in the indexes: a file comes into the sweep's when it is requested; when it is stored it leaves that and comes
# into the list's.
INDEX_WRITES = {"upload": 1, "uploaded": 0, "store": 2}
# A record is no larger than 1 kB: one write unit, and a quarter of what one consistent read unit takes. The
# attributes in ``meta`` may be larger.
RECORD_WRITES = {"upload": 1, "uploaded": 1, "store": 1}

# The most that POST /file/{id}/parts signs (docs/large-files.md), and that S3 lists (ListParts, API reference).
PARTS_A_CALL = 100
PARTS_A_PAGE = 1000

STEPS = ("upload", "uploaded", "store", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Dollars by component, and what they are for."""

    dollars: Mapping[str, float]
    reasons: Mapping[str, str]

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.dollars.values())


def bill(measured: Sequence[Warm], *, events_in_a_batch: int = 1) -> Bill:
    """The bill, with S3's events delivered to the function in batches of this size, which was measured."""
    files = {step: events_in_a_batch if step == "uploaded" else 1 for step in STEPS}
    requests = {each.operation: each for each in measured if files.get(each.operation) == each.files}
    runs = {step: 1 / events_in_a_batch if step == "uploaded" else 1 for step in STEPS}
    invocations = sum(runs.values())
    seconds = [_seconds(each) for each in requests.values()]
    logged = sum((requests[step].logged + LINE_OVERHEAD) * share for step, share in runs.items())
    writes, index_writes = sum(RECORD_WRITES.values()), sum(INDEX_WRITES.values())
    queue_requests = 1 + 2 / events_in_a_batch
    api_requests = len(STEPS) - 1
    dollars = {
        "API Gateway": api_requests * prices.API_GATEWAY_REQUEST,
        "S3": prices.S3_PUT,
        "DynamoDB": (writes + index_writes) * prices.DYNAMODB_WRITE_UNIT + prices.DYNAMODB_READ_UNIT,
        "SQS": queue_requests * prices.SQS_REQUEST,
        "Lambda": sum(_run(requests[step]) * share for step, share in runs.items()),
        "Logs": logged / 1e3 * prices.LOGS_GB,
    }
    reasons = {
        "API Gateway": f"{api_requests} requests to a REST API",
        "S3": "1 PUT",
        "DynamoDB": f"{writes} writes of a record, {index_writes} of its places in the two indexes, 1 consistent read",
        "SQS": f"{queue_requests:.1f} requests: S3 sends, Lambda receives and deletes {events_in_a_batch} at once",
        "Lambda": f"{invocations:.1f} runs of {sum(seconds) / len(seconds) * 1e3:.0f} ms on 512 MB arm64",
        "Logs": f"{logged:.0f} bytes in {invocations:.1f} lines",
    }
    return Bill(dollars=dollars, reasons=reasons)


def page(measured: Sequence[Warm], files: int) -> float:
    """What a million pages of the list cost that have so many files: a request, the places, and a read of each."""
    (listed,) = (each for each in measured if (each.operation, each.files) == ("list", files))
    share = min(files, files // 8 + 8)
    places = listed.calls["Query"] * math.ceil(share * PLACE / 4096) * QUERY_READS
    dynamodb = (places + files) * prices.DYNAMODB_READ_UNIT
    logged = (listed.logged + LINE_OVERHEAD) / 1e3 * prices.LOGS_GB
    return prices.API_GATEWAY_REQUEST + dynamodb + _run(listed) + logged


def of_one_file(measured: Sequence[Warm], operation: str) -> float:
    """What a million calls of a back end about one file cost: a request, and the record read or written once."""
    (called,) = (each for each in measured if each.operation == operation)
    dynamodb = {"BatchGetItem": prices.DYNAMODB_READ_UNIT, "BatchExecuteStatement": prices.DYNAMODB_WRITE_UNIT}
    logged = (called.logged + LINE_OVERHEAD) / 1e3 * prices.LOGS_GB
    return prices.API_GATEWAY_REQUEST + sum(dynamodb[call] for call in called.calls) + _run(called) + logged


def in_parts(measured: Sequence[Warm], part_count: int) -> tuple[float, float]:
    """What the requests of one file in so many parts cost, in dollars: those of S3, and all others.

    S3 bills the parts, and the upload begun, listed by a thousand parts at a time and put together (Amazon S3 pricing:
    PUT, COPY, POST, LIST). Of writes there are two for the upload begun, the record and its place in the sweep's index;
    three for each call that signs parts, as the place moves; one for the upload completed.
    """
    runs = {"upload": 1, "sign": -(-part_count // PARTS_A_CALL), "complete": 1}
    requests = {each.operation: each for each in measured}
    dynamodb = (2 + 3 * runs["sign"] + 1) * prices.DYNAMODB_WRITE_UNIT + prices.DYNAMODB_READ_UNIT
    lambdas = sum(_run(requests[operation]) * times for operation, times in runs.items())
    of_s3 = (part_count + 2 + -(-part_count // PARTS_A_PAGE)) * prices.S3_PUT
    return of_s3 / 1e6, (sum(runs.values()) * prices.API_GATEWAY_REQUEST + dynamodb + lambdas) / 1e6


def undeclared_type() -> float:
    """What a million uploads cost more that declare no type: a refused write is billed like any, and S3 is asked."""
    waiting = 2 * AWS_ANSWERS_IN * MEMORY_GB * prices.LAMBDA_ARM_GB_SECOND
    return prices.DYNAMODB_WRITE_UNIT + prices.S3_HEAD + waiting


def standing(template: Mapping[str, Any], measured: Sequence[Warm]) -> dict[str, tuple[float, str]]:
    """Dollars a month, and what they are for, of a stack that does nothing but wait and sweep."""
    kinds = [resource["Type"] for resource in template["Resources"].values()]
    alarms, dashboards = kinds.count("AWS::CloudWatch::Alarm"), kinds.count("AWS::CloudWatch::Dashboard")
    shown = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    metrics = len(set(re.findall(r'\["Filestore","(\w+)"', shown)))
    (sweep,) = (each for each in measured if each.operation == "sweep")
    sweeps, calls = MONTH / SWEEP_EVERY, sweep.calls.total()
    swept = sweeps * (
        _run(sweep)
        + calls * QUERY_READS * prices.DYNAMODB_READ_UNIT
        + (sweep.logged + LINE_OVERHEAD) / 1e3 * prices.LOGS_GB
    )
    return {
        "dashboard": (dashboards * prices.DASHBOARD, "three with 50 metrics each are free in an account"),
        "alarms": (alarms * prices.ALARM, f"{alarms}; ten are free"),
        "metrics": (
            2 * prices.METRIC,
            f"of the sweep; {metrics * prices.METRIC:.2f} for all {metrics} if each occurs in every hour",
        ),
        "SQS": (EMPTY_RECEIVES * prices.SQS_REQUEST / 1e6, "Lambda asks the queue; a million requests are free"),
        "sweeps": (swept / 1e6, f"{sweeps:.0f}, every half hour"),
    }


def _seconds(measured: Warm) -> float:
    """How long a function runs: its CPU at its share of one, and waiting for AWS."""
    return min(measured.cpu) / CPU_SHARE + AWS_ANSWERS_IN * measured.calls.total()


def _run(measured: Warm) -> float:
    """What a million runs of a function cost."""
    return prices.LAMBDA_REQUEST + _seconds(measured) * MEMORY_GB * prices.LAMBDA_ARM_GB_SECOND


def show_standing(costs: Mapping[str, tuple[float, str]]) -> str:
    """A table."""
    rows = [
        *([name, f"{dollars:.2f}", why] for name, (dollars, why) in costs.items()),
        ["**total**", f"**{sum(dollars for dollars, _ in costs.values()):.2f}**", ""],
    ]
    return table(["component", "$ a month", "note"], rows)


def show_in_parts(size: int, part_count: int, of_s3: float, others: float) -> str:
    """A sentence."""
    return (
        f"The requests of {size / 2**30:.0f} GiB in {part_count} parts: ${of_s3:.4f} to S3,"
        f" ${others:.5f} to API Gateway, Lambda and DynamoDB."
    )


def show(single: Bill, batched: Bill) -> str:
    """A table."""
    rows = [
        *(
            [name, f"{single.dollars[name]:.2f}", f"{batched.dollars[name]:.2f}", why]
            for name, why in single.reasons.items()
        ),
        ["**total**", f"**{single.total:.2f}**", f"**{batched.total:.2f}**", ""],
    ]
    more = f"Uploads that declare no type cost {undeclared_type():.2f} more: a refused write, a HEAD, waiting for both."
    return f"{table(['component', 'events one by one, $', 'in tens, $', 'of which (one by one)'], rows)}\n\n{more}"
