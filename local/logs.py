"""Shows what the functions of the running stack have logged: ``python -m local.logs``."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local import emulator
from local.errors import LocalError
from local.terminal import printable
from ops.errors import run

_LEFT_OUT = {"level", "message", "timestamp", "service", "_aws", "function_request_id"}


def lines(logs: Any, about: str) -> Iterator[str]:
    """Every function's lines in which a text occurs, in order of time, each as time, level, message and its fields."""
    events = [
        event
        for group in logs.describe_log_groups()["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in page["events"]
        if event["message"].startswith("{") and about in event["message"]
    ]
    for event in sorted(events, key=lambda event: event["timestamp"]):
        yield printable(_readable(json.loads(event["message"])))


def _readable(said: Mapping[str, Any]) -> str:
    fields = " ".join(f"{name}={_plain(value)}" for name, value in said.items() if name not in _LEFT_OUT)
    return f"{said['timestamp'][11:23]}  {said['level']:<7}  {said['message']}  {fields}"


def _plain(value: Any) -> Any:
    """A metric is a list of one number."""
    match value:
        case [int() | float() as number]:
            return f"{number:g}"
        case list():
            return ",".join(map(str, value))
    return value


def main() -> int:
    """Answer the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.logs", description=__doc__)
    parser.add_argument("--state-dir", type=Path, default=Path(".local"), help="of the stack")
    parser.add_argument("about", nargs="?", default="", help="show lines with this only: an id of a file or a request")
    options = parser.parse_args()
    try:
        outputs = json.loads((options.state_dir / "outputs.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError(f"No stack is running in {options.state_dir}. Try: make run") from None
    for line in lines(emulator.client(outputs["AwsEndpointUrl"], "logs", outputs["AwsAccessKeyId"]), options.about):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
