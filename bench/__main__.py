"""Measures what Filestore costs, and writes Markdown and a chart into .local/bench."""

import argparse
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from bench import cold, cost, growth, load, report, warm
from bench.processes import Loopback
from local import deploy, emulator
from tools import build

OUTPUT = build.ROOT / ".local/bench"
LIMIT = 4.5
"""Times the floor's instructions that a cold start may take."""


def main() -> None:
    """Measure, printing each section as it is there."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two minutes: fewer rounds, smaller tables")
    quick = parser.parse_args().quick
    OUTPUT.mkdir(parents=True, exist_ok=True)
    sections: list[str] = []

    def tell(text: str) -> None:
        print(f"{text}\n", flush=True)
        sections.append(text)

    version, _ = build.target()
    interpreter = build.find_interpreter(version) or Path(sys.executable).resolve()
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "task"
        built = build.build(Path(folder) / "build", interpreter)
        with zipfile.ZipFile(built.code) as bundle:
            bundle.extractall(artifact)
        tell(
            f"# What Filestore costs\n\nMeasured {time.strftime('%Y-%m-%d')} on {report.machine()}."
            f" Figures are medians (least–greatest).\nArtifact: {built.code.stat().st_size / 1e6:.1f} MB,"
            f" sha256 `{built.sha256}`, run by Python {build.version_of(interpreter)}."
        )
        _measure(artifact, interpreter, tell, quick=quick)
    (OUTPUT / "report.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"Written to {OUTPUT}")


def _measure(artifact: Path, interpreter: Path, tell: Callable[[str], None], *, quick: bool) -> None:
    with cold.secure(artifact) as env:
        starts, floor_peak = cold.measure(artifact, env, interpreter, runs=3 if quick else 10)
        counted = cold.count_instructions(artifact, env, interpreter)
        tell(f"## Cold start: import and the first request, over TLS\n\n{cold.show(starts, counted, floor_peak)}")
        if counted is not None:
            counts, floor = counted
            ratios = {operation: count / floor for operation, count in counts.items()}
            chart = report.bars(
                f"Cold start in instructions, times the floor (limit {LIMIT})", ratios, limit=LIMIT, unit="×"
            )
            (OUTPUT / "cold-start.svg").write_text(chart, encoding="utf-8")
    with Loopback() as aws:
        rounds, seconds = (3, 0.3) if quick else (7, 2)
        requests = warm.measure(artifact, aws.url, interpreter, rounds=rounds, seconds=seconds)
        tell(f"## Requests to a running function\n\n{warm.show(requests)}")
    single, batched = cost.bill(requests), cost.bill(requests, events_in_a_batch=10)
    tell(f"## A million files\n\n{cost.show(single, batched)}")
    idle = cost.standing(deploy.read_template(), requests)
    tell(f"## A stack that nobody uses\n\n{cost.show_standing(idle)}")
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    sweeps = list(growth.sweeps(artifact, interpreter, sizes, rounds=3 if quick else 7))
    tell(f"## The sweep of a growing table\n\n{growth.show_sweeps(sweeps)}")
    tell(growth.show_backlog(growth.backlog(artifact, interpreter, 1_000 if quick else 20_000)))
    with load.running_stack() as outputs:
        loads = list(load.routes(outputs, (1, 8) if quick else (1, 8, 32), 0.5 if quick else 3))
        tell(f"## The routes of the local stack\n\n{load.show_routes(loads)}")
        s3 = emulator.client(outputs["AwsEndpointUrl"], "s3", outputs["AwsAccessKeyId"])
        transfers = load.throughput(outputs, s3, (8 if quick else 64) << 20, rounds=3 if quick else 5)
        tell(f"## Contents\n\n{load.show_throughput(transfers)}")


if __name__ == "__main__":
    main()
