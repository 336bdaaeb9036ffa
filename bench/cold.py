"""Cold starts: the built artifact in a fresh process, import and everything that the first request needs, TLS too."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.events import OPERATIONS, event
from bench.processes import Container, SecureLoopback, environment
from bench.report import Python, bars, spread, table

LIMIT = 4.5
"""Times the floor's instructions that a cold start may take, on the Python that the functions are deployed to."""

LIMITS = {"complete": 5.0, "sweep": 5.0}
"""Of those that may take more: one has two clients of S3, and comes after a large file; nobody waits for the other."""

LIMIT_PEAK = 38
"""MB that may be resident, likewise."""

# The least that any function of this kind imports: the ratio to it holds on every machine that has the same Python.
_FLOOR = "import json, ssl, http.client, logging, datetime"
_FLOOR_PEAK = f"{_FLOOR}; print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """The cold start of one function."""

    import_wall: list[float]
    first_wall: list[float]
    cpu: list[float]
    peak: list[float]
    modules: int


@contextmanager
def secure(artifact: Path) -> Iterator[dict[str, str]]:
    """The environment of a function whose AWS has TLS: it trusts the artifact's own roots, and the loopback's."""
    with tempfile.TemporaryDirectory() as folder, SecureLoopback(Path(folder)) as aws:
        roots = Path(folder) / "roots.pem"
        roots.write_text((artifact / "botocore/cacert.pem").read_text(encoding="utf-8") + aws.root, encoding="utf-8")
        yield environment(aws.url, AWS_CA_BUNDLE=str(roots))


def measure(artifact: Path, env: Mapping[str, str], interpreter: Path, runs: int) -> tuple[dict[str, Cold], float]:
    """Every function's cold start, and the floor's peak memory."""
    starts = {}
    for operation in OPERATIONS:
        answers = [_start(artifact, env, interpreter, operation) for _ in range(runs)]
        starts[operation] = Cold(
            import_wall=[answer["import"]["wall"] for answer in answers],
            first_wall=[answer["call"]["wall"] for answer in answers],
            cpu=[answer["import"]["cpu"] + answer["call"]["cpu"] for answer in answers],
            peak=[answer["peak"] for answer in answers],
            modules=len(answers[0]["modules"]),
        )
    floor = subprocess.run([interpreter, "-c", _FLOOR_PEAK], env={}, capture_output=True, text=True, check=True)
    return starts, float(floor.stdout) * 1024


def count_instructions(artifact: Path, env: Mapping[str, str], interpreter: Path) -> tuple[dict[str, int], int] | None:
    """Instructions of every function's cold start, and of the floor; None where there is no valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    with tempfile.TemporaryDirectory() as folder:

        def under(name: str) -> tuple[list[str], Path]:
            log = Path(folder) / name
            tool = [
                valgrind,
                "--tool=cachegrind",
                "--cache-sim=no",
                f"--cachegrind-out-file={log}.out",
                f"--log-file={log}",
            ]
            return tool, log

        def count(operation: str) -> int:
            tool, log = under(operation)
            _start(artifact, env, interpreter, operation, tool)
            return _collected(log)

        def count_floor() -> int:
            tool, log = under("floor")
            subprocess.run([*tool, interpreter, "-c", _FLOOR], env=_seeded({}), capture_output=True, check=True)
            return _collected(log)

        # Two at a time: what is counted does not depend on what else runs.
        with ThreadPoolExecutor(2) as pool:
            floor = pool.submit(count_floor)
            counts = dict(zip(OPERATIONS, pool.map(count, OPERATIONS), strict=True))
            return counts, floor.result()


def show(starts: Mapping[str, Cold], counted: tuple[dict[str, int], int] | None, floor_peak: float) -> str:
    """A table."""
    counts, floor = counted or ({}, 0)
    rows = [
        [
            operation,
            f"{counts[operation] / 1e6:.0f}" if counts else "–",
            f"{counts[operation] / floor:.2f}" if counts else "–",
            spread([value * 1e3 for value in start.import_wall]),
            spread([value * 1e3 for value in start.first_wall], 1),
            spread([value * 1e3 for value in start.cpu]),
            f"{max(start.peak) / 2**20:.1f}",
            start.modules,
        ]
        for operation, start in starts.items()
    ]
    note = (
        f"The floor, `{_FLOOR}`, is {floor / 1e6:.0f} M instructions and {floor_peak / 2**20:.1f} MB resident."
        if counts
        else "There is no valgrind here, so instructions are not counted."
    )
    head = [
        "function",
        "M instructions",
        "× floor",
        "import ms",
        "first request ms",
        "CPU ms",
        "resident MB",
        "modules",
    ]
    return f"{table(head, rows)}\n\n{note}"


def judge(starts: Mapping[str, Cold], counted: tuple[dict[str, int], int] | None, python: Python, version: str) -> str:
    """Whether the limits are kept. They are of one version of Python, and say nothing of another."""
    if python.minor != version:
        return f"Not compared with the limits, {LIMIT} × and {LIMIT_PEAK} MB: they are of Python {version}."
    peaks = {operation: max(start.peak) / 2**20 for operation, start in starts.items()}
    verdicts = [_verdict(f"{LIMIT_PEAK} MB", {name: peak for name, peak in peaks.items() if peak > LIMIT_PEAK})]
    if counted is not None:
        ratios = _ratios(*counted)
        beyond = {name: ratio for name, ratio in ratios.items() if ratio > LIMITS.get(name, LIMIT)}
        others = ", ".join(f"{limit} × for {name}" for name, limit in LIMITS.items())
        verdicts.insert(0, _verdict(f"{LIMIT} × ({others})", beyond))
    return " ".join(verdicts)


def chart(counts: Mapping[str, int], floor: int, python: Python, version: str) -> str:
    """The instructions as bars, with the limit where it is of this Python."""
    comparable = python.minor == version
    title = f"Cold start in instructions, times the floor ({python}{f', limit {LIMIT}' if comparable else ''})"
    return bars(title, _ratios(counts, floor), limit=LIMIT if comparable else None, unit="×")


def _ratios(counts: Mapping[str, int], floor: int) -> dict[str, float]:
    return {operation: count / floor for operation, count in counts.items()}


def _verdict(limit: str, beyond: Mapping[str, float]) -> str:
    if not beyond:
        return f"The limit of {limit} is met."
    named = ", ".join(f"{name} {value:.2f}" for name, value in beyond.items())
    return f"**The limit of {limit} is exceeded: {named}.**"


def _start(
    artifact: Path, env: Mapping[str, str], interpreter: Path, operation: str, under: list[str] | None = None
) -> dict[str, Any]:
    with Container(artifact, _seeded(env), interpreter=interpreter, under=under or (), isolated=False) as container:
        return container.call(operation, event(operation))


def _seeded(env: Mapping[str, str]) -> dict[str, str]:
    # So that two runs execute the same instructions.
    return {**env, "PYTHONHASHSEED": "0"}


def _collected(log: Path) -> int:
    found = re.search(r"refs: +([\d,]+)", log.read_text())
    if found is None:
        raise RuntimeError(f"valgrind counted nothing: {log.read_text()}")
    return int(found[1].replace(",", ""))
