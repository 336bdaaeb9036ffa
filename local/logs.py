"""Shows what the functions have logged on this machine: ``python -m local.logs``."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_LEFT_OUT = {"level", "message", "timestamp", "service", "_aws", "function_request_id"}


def readable(lines: Iterator[str], about: str) -> Iterator[str]:
    """The functions' lines in which a text occurs, each as time, level, message and the rest of its fields."""
    for line in lines:
        if line.startswith("{") and about in line:
            try:
                yield _readable(json.loads(line))
            except ValueError:
                continue


def _readable(said: Mapping[str, Any]) -> str:
    fields = " ".join(f"{name}={_plain(value)}" for name, value in said.items() if name not in _LEFT_OUT)
    return f"{said.get('timestamp', '')[11:23]}  {said.get('level', ''):<7}  {said.get('message', '')}  {fields}"


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
    parser.add_argument("--state-dir", type=Path, default=Path(".local"), help="where everything is kept")
    parser.add_argument("about", nargs="?", default="", help="show lines with this only: an id of a file or a request")
    options = parser.parse_args()
    try:
        with (options.state_dir / "engine.log").open(encoding="utf-8", errors="replace") as log:
            for line in readable(log, options.about):
                print(line)
    except FileNotFoundError:
        print(f"error: Nothing has run in {options.state_dir} yet. Try: make run", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
