"""Shows what the functions of the stack on this machine have logged: ``python -m ops.logs``."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from local.terminal import printable
from ops import target
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
    """Return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.logs", description=__doc__)
    target.add_state_dir(parser, "of the stack")
    parser.add_argument("about", nargs="?", default="", help="show lines with this only: an id of a file or a request")
    options = parser.parse_args()
    for line in lines(target.here(options.state_dir).client("logs"), options.about):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
