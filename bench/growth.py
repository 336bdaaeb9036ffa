"""What grows with the table, and what does not: the sweep with the same number due, and a backlog."""

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.events import event
from bench.processes import Container, Loopback, environment
from bench.report import spread, table
from local.deploy import read_yaml
from local.emulator import REGION, Emulator
from local.loopback import free_port

DUE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Sweeps of a table with so many rows, ``DUE`` of which are due; then one with nothing due."""

    rows: int
    cpu: list[float]
    wall: list[float]
    calls: Counter[str]
    calls_again: Counter[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """One sweep of a backlog on the loopback."""

    due: int
    cpu: float
    calls: Counter[str]


def sweeps(artifact: Path, interpreter: Path, sizes: tuple[int, ...], rounds: int) -> Iterator[Sweep]:
    """Sweep ever fuller tables on the emulator."""
    with tempfile.TemporaryDirectory() as folder:
        aws = Emulator(free_port(), Path(folder))
        aws.start()
        try:
            dynamodb, s3 = aws.client("dynamodb"), aws.client("s3")
            name = "growth"
            definition = read_yaml("template.yaml")["Resources"]["FilesTable"]["Properties"]
            wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
            dynamodb.create_table(TableName=name, **{key: definition[key] for key in wanted})
            s3.create_bucket(Bucket=name)
            env = environment(aws.url, TABLE_NAME=name, BUCKET_NAME=name) | {
                "AWS_ACCESS_KEY_ID": aws.key,
                "AWS_REGION": REGION,
                "AWS_DEFAULT_REGION": REGION,
            }
            rows = 0
            with (
                Container(artifact, env, interpreter=interpreter) as timed,
                Container(artifact, env, interpreter=interpreter, count=True) as counted,
            ):
                timed.call("sweep", event("sweep"))
                for size in sizes:
                    _fill(dynamodb, name, range(rows, size))
                    rows = size
                    cpu, wall = [], []
                    for _ in range(rounds):
                        _fill(dynamodb, name, range(DUE), due=True)
                        called = timed.call("sweep", event("sweep"))["call"]
                        cpu.append(called["cpu"])
                        wall.append(called["wall"])
                    _fill(dynamodb, name, range(DUE), due=True)
                    calls, calls_again = (_names(counted.call("sweep", event("sweep"))) for _ in range(2))
                    yield Sweep(rows=size, cpu=cpu, wall=wall, calls=calls, calls_again=calls_again)
        finally:
            aws.stop()


def backlog(artifact: Path, interpreter: Path, due: int) -> Backlog:
    """Drain so many deleted files, each with one version in the bucket."""
    with Loopback(due=due) as aws:
        with Container(artifact, environment(aws.url), interpreter=interpreter) as timed:
            cpu = timed.call("sweep", event("sweep"))["call"]["cpu"]
        with Container(artifact, environment(aws.url), interpreter=interpreter, count=True) as counted:
            return Backlog(due=due, cpu=cpu, calls=_names(counted.call("sweep", event("sweep"))))


def show_sweeps(measured: list[Sweep]) -> str:
    """A table."""
    least = statistics.median(measured[0].cpu)
    head = ["rows", "due", "function's CPU ms", "× the first", "wall ms on the emulator", "calls", "calls of the next"]
    rows = [
        [
            each.rows,
            DUE,
            spread([value * 1e3 for value in each.cpu], 1),
            f"{statistics.median(each.cpu) / least:.2f}",
            spread([value * 1e3 for value in each.wall]),
            _list(each.calls),
            _list(each.calls_again),
        ]
        for each in measured
    ]
    return table(head, rows)


def show_backlog(measured: Backlog) -> str:
    """A sentence."""
    return (
        f"A backlog of {measured.due} deleted files takes {measured.cpu:.1f} s of CPU"
        f" ({measured.cpu / measured.due * 1e3:.2f} ms a file) and {_list(measured.calls)}."
    )


def _names(answer: dict[str, Any]) -> Counter[str]:
    return Counter(name for name, _ in answer["calls"])


def _list(calls: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in calls.items())


def _fill(dynamodb: Any, name: str, numbers: range, *, due: bool = False) -> None:
    """Records of stored files, or of deleted files that are due; the same number is the same file."""

    def write(start: int) -> None:
        batch = [{"PutRequest": {"Item": _item(number, due=due)}} for number in numbers[start : start + 25]]
        dynamodb.batch_write_item(RequestItems={name: batch})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(0, len(numbers), 25)))


def _item(number: int, *, due: bool) -> dict[str, Any]:
    shard = f"{number % 16:x}"
    created = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(number))
    item = {
        "id": {"S": f"{shard}{number:031x}"},
        "name": {"S": "report.pdf"},
        "type": {"S": "application/pdf"},
        "created_at": {"S": created},
        "url_expires_at": {"N": str(number)},
        "uploaded_at": {"S": created},
    }
    if due:
        state = {"deleted_at": {"S": created}, "deletion": {"S": "requested"}}
        return item | state | {"sweep_shard": {"S": shard}, "sweep_at": {"N": "1"}}
    return item | {"stored_at": {"S": created}}
