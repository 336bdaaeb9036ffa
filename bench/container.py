"""One execution environment of Lambda, in small: the artifact, the standard library, and events that come in turn.

Run as a program of its own: ``python container.py ARTIFACT [count]``. Each line on standard input is a JSON object with
``operation``, ``event`` and ``times``; each is answered by a line that tells the last result, what was logged, and
the time that importing and calling took. With ``count``, also the AWS calls and the bytes sent with them; watching them
costs a little, so what is timed is not counted.
"""

import importlib
import io
import json
import logging
import sys
import time
from collections.abc import Callable
from typing import Any


class Context:
    """The part of Lambda's context that the functions look at."""

    aws_request_id = "5a0fbd4c-7d39-4cf3-b4f5-6d0b4a2f0f2b"

    def get_remaining_time_in_millis(self) -> int:
        """As if the function had just begun."""
        return 300_000


class Stopwatch:
    """Measures a phase: wall and CPU time in seconds."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """The time since it was made."""
        return {"wall": time.perf_counter() - self._wall, "cpu": time.process_time() - self._cpu}


def main() -> None:
    """Answer lines until there are no more."""
    artifact, *options = sys.argv[1:]
    sys.path.insert(0, artifact)
    answers, sys.stdout = sys.stdout, io.StringIO()
    # Lambda's own handler, which with the JSON log format takes whatever anybody logs at INFO.
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    calls: list[tuple[str, int]] = []
    if options == ["count"]:
        _watch(calls)
    for line in sys.stdin:
        job = json.loads(line)
        calls.clear()
        sys.stdout.seek(0)
        sys.stdout.truncate()
        stopwatch = Stopwatch()
        handler = importlib.import_module(f"filestore.handlers.{job['operation']}").handler
        imported = stopwatch.read()
        result, called = _call(handler, job["event"], job["times"])
        answer = {
            "result": result,
            "log": sys.stdout.getvalue(),
            "calls": calls,
            "import": imported,
            "call": called,
            "modules": sorted(sys.modules),
            "peak": _peak(),
        }
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _call(handler: Callable[[Any, Any], Any], event: Any, times: int) -> tuple[Any, dict[str, float]]:
    result = None
    stopwatch = Stopwatch()
    for _ in range(times):
        result = handler(event, Context())
    return result, stopwatch.read()


def _peak() -> int:
    """The most memory that was resident, in bytes. getrusage() would tell the parent's, where that had more."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - pathlib is no part of what is measured
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def _watch(calls: list[tuple[str, int]]) -> None:
    events = importlib.import_module("filestore.storage.aws").session().get_component("event_emitter")

    def note(model: Any, params: Any, **_: object) -> None:
        calls.append((model.name, len(params["body"])))

    events.register("before-call", note)


if __name__ == "__main__":
    main()
