"""Measures what Filestore costs, and writes Markdown and a chart into .local/bench."""

import argparse
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from bench import cold, cost, growth, large, load, page, report, warm
from bench.processes import Loopback
from local import deploy, emulator
from tools import build

OUTPUT = build.ROOT / ".local/bench"


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
    try:
        interpreter = build.find_interpreter(version) or Path(sys.executable).resolve()
    except build.BuildError as error:
        sys.exit(f"error: {error}")
    python = report.Python.of(interpreter)
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "task"
        built = build.build(Path(folder) / "build", interpreter)
        with zipfile.ZipFile(built.code) as bundle:
            bundle.extractall(artifact)
        tell(
            f"# What Filestore costs ({python})\n\nMeasured {time.strftime('%Y-%m-%d')} on {report.machine()}."
            f" Figures are medians (least–greatest).\nArtifact: {built.code.stat().st_size / 1e6:.1f} MB,"
            f" sha256 `{built.sha256}`."
        )
        if python.minor != version:
            tell(
                f"**Functions run on Python {version} where they are deployed, and there is none here"
                f" (PYTHON_FOR_BUILD=/path/to/python{version} names one). This is of {python}."
                f" The limits are of {version}, so nothing is compared with them,"
                " and the hash is not that of what is deployed.**"
            )
        _measure(artifact, interpreter, tell, python=python, version=version, quick=quick)
    (OUTPUT / "report.md").write_text("\n\n".join(sections) + "\n", encoding="utf-8")
    print(f"Written to {OUTPUT}")


def _measure(
    artifact: Path, interpreter: Path, tell: Callable[[str], None], *, python: report.Python, version: str, quick: bool
) -> None:
    with cold.secure(artifact) as env:
        starts, floor_peak = cold.measure(artifact, env, interpreter, runs=3 if quick else 10)
        counted = cold.count_instructions(artifact, env, interpreter)
        tell(
            f"## Cold start: import and the first request, over TLS ({python})\n\n"
            f"{cold.show(starts, counted, floor_peak)}\n\n{cold.judge(starts, counted, python, version)}"
        )
        if counted is not None:
            (OUTPUT / "cold-start.svg").write_text(cold.chart(*counted, python, version), encoding="utf-8")
    with Loopback() as aws:
        rounds, seconds = (3, 0.3) if quick else (7, 2)
        requests = warm.measure(artifact, aws.url, interpreter, rounds=rounds, seconds=seconds)
        tell(f"## Requests to a running function ({python})\n\n{warm.show(requests)}")
    single, batched = cost.bill(requests), cost.bill(requests, events_in_a_batch=10)
    pages = " and ".join(f"{cost.page(requests, files):.2f} with {files} files" for files in (10, 100))
    calls = ", ".join(f"{name} {cost.of_one_file(requests, name):.2f}" for name in ("show", "content", "update"))
    more = f"A million pages of the list: {pages}. A million calls about one file: {calls}."
    tell(f"## A million files ({python})\n\n{cost.show(single, batched)}\n\n{more}")
    idle = cost.standing(deploy.read_template(), requests)
    tell(f"## A stack that nobody uses ({python})\n\n{cost.show_standing(idle)}")
    sizes = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    sweeps = list(growth.sweeps(artifact, interpreter, sizes, rounds=3 if quick else 7))
    tell(f"## The sweep of a growing table ({python})\n\n{growth.show_sweeps(sweeps)}")
    tell(growth.show_backlog(growth.backlog(artifact, interpreter, 1_000 if quick else 20_000)))
    # The emulator runs the functions in its own process.
    here = report.Python.of(Path(sys.executable))
    with load.running_stack() as outputs:
        loads = list(load.routes(outputs, (1, 8) if quick else (1, 8, 32), 0.5 if quick else 3))
        tell(f"## The routes of the local stack ({here})\n\n{load.show_routes(loads)}")
        s3 = emulator.client(outputs["AwsEndpointUrl"], "s3", outputs["AwsAccessKeyId"])
        transfers = load.throughput(outputs, s3, (8 if quick else 64) << 20, rounds=3 if quick else 5)
        tell(f"## Contents ({here})\n\n{load.show_throughput(transfers)}")
        tell(f"## Small files in a browser ({here})\n\n{page.show(page.measure(outputs, rounds=1 if quick else 5))}")
        throughput = large.measure(outputs, (8,) if quick else (64, 256), rounds=1 if quick else 5)
        tell(f"## Large files in a browser ({here})\n\n{large.show(throughput)}")
        parts = large.planned(outputs, large.PRICED)
        tell(cost.show_in_parts(large.PRICED, parts, *cost.in_parts(requests, parts)))


if __name__ == "__main__":
    main()
