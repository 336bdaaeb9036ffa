"""Requests to a function that is running: CPU, AWS calls, bytes sent, bytes logged."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.events import BATCHES, OPERATIONS, event
from bench.processes import Container, environment
from bench.report import spread, table

SIZES = (1, 10, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Warm:
    """One kind of request."""

    operation: str
    files: int
    cpu: list[float]
    calls: Counter[str]
    sent: int
    logged: int


def measure(artifact: Path, aws: str, interpreter: Path, *, rounds: int, seconds: float) -> list[Warm]:
    """Every operation with 1, 10 and 100 files, each for about so many seconds."""
    measured = []
    with (
        Container(artifact, environment(aws), interpreter=interpreter) as timed,
        Container(artifact, environment(aws), interpreter=interpreter, count=True) as counted,
    ):
        for operation in OPERATIONS:
            for files in SIZES if operation in BATCHES else SIZES[:1]:
                request = event(operation, files)
                once = timed.call(operation, request, 5)["call"]["wall"] / 5
                times = max(3, int(seconds / rounds / once))
                cpu = [timed.call(operation, request, times)["call"]["cpu"] / times for _ in range(rounds)]
                answer = counted.call(operation, request)
                measured.append(
                    Warm(
                        operation=operation,
                        files=files,
                        cpu=cpu,
                        calls=Counter(name for name, _ in answer["calls"]),
                        sent=sum(size for _, size in answer["calls"]),
                        logged=len(answer["log"].encode()),
                    )
                )
    return measured


def show(measured: list[Warm]) -> str:
    """A table."""
    head = ["function", "files", "CPU ms a request", "AWS calls", "bytes sent to AWS", "bytes logged"]
    rows = [
        [
            each.operation,
            each.files,
            spread([value * 1e3 for value in each.cpu], 2),
            ", ".join(f"{count} {name}" for name, count in each.calls.items()),
            each.sent,
            each.logged,
        ]
        for each in measured
    ]
    return table(head, rows)
