"""make mutants: change the source in thousands of small ways, and see what neither mypy nor a unit test notices."""

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mutants import child, digests, pool, typed
from tests.mutants.choice import Choice
from tests.mutants.judgements import FILE, Judgements
from tests.mutants.model import MYPY, ROOT, SOURCE, Job, Mutant, Run
from tests.mutants.report import report

_STATE = ROOT / ".local" / "mutants"
_SAVE_EVERY = 20
_CONTROL_EVERY = 50
_OF_WHAT_IS_BUILT = ("test_artifact.py", "test_sam_build.py")


def main() -> int:
    """Run what has not been run yet, and report. 0 where every survivor is accepted and enough are killed."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--generator", type=Path, required=True, help="the Python that has mutmut")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at a time")
    parser.add_argument("--only", default="", help="modules whose name has this in it")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one mutant in N, the same ones each time")
    arguments = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    made = _mutants(arguments.generator, arguments.only)
    mutants = [mutant for mutant in made if int(mutant.key, 16) % arguments.every == 0]
    session = Session(mutants)
    try:
        session.run(arguments.jobs)
    except KeyboardInterrupt:
        print("\nstopped; the next make mutants goes on from here", file=sys.stderr)
        return 130
    finally:
        session.save()
    killers = {mutant: session.killer(mutant) for mutant in session.mutants.values()}
    return report(killers, session.took, whole=not arguments.only and arguments.every == 1)


class Session:
    """What is known of the mutants, kept from one run to the next."""

    def __init__(self, mutants: list[Mutant]) -> None:
        self.mutants = {mutant.key: mutant for mutant in mutants}
        self.file = _STATE / "results.json"
        self.took = 0.0
        self._load()

    def _load(self) -> None:
        # By key of the mutant: the digests of what the result rests on, and the test that killed it, if one did.
        self.results: dict[str, list[str]] = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.open = [mutant for key, mutant in self.mutants.items() if not self._stands(key)]

    def save(self) -> None:
        """Write it down."""
        _STATE.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(self.results))
        new.replace(self.file)

    def killer(self, mutant: Mutant) -> str:
        """The test that killed it last; empty for a survivor."""
        return self.results.get(mutant.key, [""])[-1]

    def decide(self, mutant: Mutant, killer: str) -> None:
        """A mutant was killed by a test, or by none."""
        self.results[mutant.key] = [digests.code(), digests.tests(killer), killer]

    def _stands(self, key: str) -> bool:
        """A kill stands while the test that did it is the same; a survivor meets every test that is new."""
        if key not in self.results:
            return False
        code, tests, killer = self.results[key]
        return code == digests.code() and tests == digests.tests(killer)

    def run(self, slots: int) -> None:
        """Run what was not run on what there is now."""
        if not self.open:
            return
        start = time.monotonic()
        self._check_types(slots)
        child.preload()
        protocol = _protocol(slots)
        # What imports the source must not be there when a mutant is imported.
        process = os.fork()
        if process == 0:
            os._exit(self._run_collected(protocol, slots))
        try:
            _, status = os.waitpid(process, 0)
        except KeyboardInterrupt:
            # It was interrupted as well, and saves what it has.
            os.waitpid(process, 0)
            raise
        finally:
            self._load()
        if status:
            raise KeyboardInterrupt if os.waitstatus_to_exitcode(status) == 130 else RuntimeError("see above")
        work = _Work(self, Choice(protocol), self.open)
        pool.run(child.run, work.next, slots, work.done)
        print(f"\r{' ' * 40}\r", end="", file=sys.stderr)
        self.took = time.monotonic() - start

    def _check_types(self, slots: int) -> None:
        """Those that the type checker refuses need no test."""
        kept = _STATE / "typed.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        digest = f"{digests.code()} {digests.tests(MYPY)}"
        passed = set(known.get(digest, []))
        unknown = [mutant for mutant in self.open if mutant.key not in passed]
        if not unknown:
            return
        print("looking for what the type checker refuses ...", file=sys.stderr)
        wrong = typed.refused(unknown, slots)
        for mutant in unknown:
            if mutant.key in wrong:
                self.decide(mutant, MYPY)
        self.save()
        self._load()
        kept.write_text(json.dumps({digest: sorted(passed | {mutant.key for mutant in unknown} - wrong)}))

    def _run_collected(self, protocol: Run, slots: int) -> int:
        """Those that need no process of their own. Returns the exit status."""
        collected = child.Collected(_test_files())

        def run() -> None:
            work = _Work(self, Choice(protocol), [mutant for mutant in self.open if collected.takes(mutant)])
            try:
                pool.run(collected.run, work.next, slots, work.done)
            finally:
                self.save()

        code = collected.serve(run)
        return {pytest.ExitCode.OK: 0, pytest.ExitCode.INTERRUPTED: 130}.get(pytest.ExitCode(code), 1)


class _Work:
    """Hands out mutants round by round, and takes the results."""

    def __init__(self, session: Session, choice: Choice, mutants: list[Mutant]) -> None:
        self._session = session
        self._choice = choice
        # Taken from the end. Those that are judged take longest, and come last.
        self._judgements = Judgements(FILE.read_text())
        self._todo = sorted(mutants, key=self._is_judged)
        self._todo.reverse()
        self._count = len(mutants)
        self._rounds: dict[str, list[list[str]]] = {}
        self._again: list[Mutant] = []
        self._controls: list[str] = []
        self._kills = 0
        self._decided = 0
        for mutant in session.mutants.values():
            if "::" in session.killer(mutant):
                choice.killed(mutant, session.killer(mutant))

    def next(self) -> Job | None:
        """The next job; None while or because there is none."""
        if self._controls:
            return self._job(None, [self._controls.pop()])
        if self._again:
            mutant = self._again.pop()
            return self._job(mutant, self._rounds[mutant.key].pop(0))
        while self._todo:
            mutant = self._todo.pop()
            killer = self._session.killer(mutant)
            rounds = self._choice.rounds(mutant, killer, is_judged=self._is_judged(mutant))
            if rounds:
                self._rounds[mutant.key] = rounds
                return self._job(mutant, rounds.pop(0))
            self._decide(mutant, "")
        return None

    def done(self, job: Job, run: Run, output: str) -> None:
        """A run has ended."""
        if job.mutant and "ImportError while loading conftest" in output:
            run = run._replace(code=1, failed="(does not start)")
        if run.code > pytest.ExitCode.INTERRUPTED or (run.code and job.mutant is None):
            raise RuntimeError(f"the tests cannot be run{'' if job.mutant else ', without a mutant'}:\n{output}")
        if job.mutant and run.code:
            self._decide(job.mutant, run.failed)
            self._kills += 1
            # A kill says nothing if the test fails without the mutant, too.
            if self._kills % _CONTROL_EVERY == 0 and "::" in run.failed:
                self._controls.append(run.failed)
        elif job.mutant and self._rounds[job.mutant.key]:
            self._again.append(job.mutant)
        elif job.mutant:
            self._decide(job.mutant, "")

    def _is_judged(self, mutant: Mutant) -> bool:
        return self._judgements.reason(mutant) is not None

    def _job(self, mutant: Mutant | None, tests: list[str]) -> Job:
        return Job(mutant, tests, sum(self._choice.seconds[test] for test in tests))

    def _decide(self, mutant: Mutant, killer: str) -> None:
        self._session.decide(mutant, killer)
        if "::" in killer:
            self._choice.killed(mutant, killer)
        self._decided += 1
        if self._decided % _SAVE_EVERY == 0:
            self._session.save()
            # pytest has sys.stderr.
            print(f"\r{self._decided} of {self._count} mutants", end="", file=sys.__stderr__, flush=True)


def _mutants(generator: Path, only: str) -> Iterator[Mutant]:
    """The mutants of the modules whose name has this in it; those of a text are made once and kept."""
    made: list[Mutant] = []
    for path in sorted(Path(SOURCE).rglob("*.py")):
        recipe = Path(__file__).with_name("generate.py")
        key = hashlib.sha256(path.read_bytes() + recipe.read_bytes()).hexdigest()[:16]
        module = ".".join(path.relative_to(ROOT / "source").with_suffix("").parts)
        if only not in module:
            continue
        kept = _STATE / "made" / f"{module}-{key}.json"
        if not kept.exists():
            answer = subprocess.run([generator, recipe, path], check=True, stdout=subprocess.PIPE, text=True)
            kept.parent.mkdir(parents=True, exist_ok=True)
            for old in kept.parent.glob(f"{module}-*"):
                old.unlink()
            kept.write_text(answer.stdout)
        made += [Mutant(**each) for each in json.loads(kept.read_text())]
    seen: Counter[tuple[str, str]] = Counter()
    for mutant in made:
        seen[mutant.where, mutant.diff] += 1
        yield mutant._replace(twin=seen[mutant.where, mutant.diff] - 1)


def _test_files() -> list[str]:
    """But of what is built: that runs in processes of its own, out of a mutant's reach."""
    paths = (path for path in (ROOT / "tests/unit").glob("test_*.py") if path.name not in _OF_WHAT_IS_BUILT)
    return sorted(path.relative_to(ROOT).as_posix() for path in paths)


def _protocol(slots: int) -> Run:
    """Which test runs which lines, from a run of all of them without a mutant; what is known is not run again."""
    kept = _STATE / "protocol.json"
    protocol: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    wanted = {name: f"{digests.code()} {digests.tests(f'{name}::')}" for name in _test_files()}

    def done(job: Job, run: Run, output: str) -> None:
        if run.code:
            raise RuntimeError(f"the tests fail without a mutant:\n{output}")
        protocol[job.tests[0]] = {"digest": wanted[job.tests[0]], **run._asdict()}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(protocol))

    jobs = [Job(None, [name], 100) for name in wanted if protocol.get(name, {}).get("digest") != wanted[name]]
    if jobs:
        print("running the tests without a mutant ...", file=sys.stderr)
        pool.run(child.run, lambda: jobs.pop() if jobs else None, slots, done)
    found = [protocol[name] for name in wanted]

    def joined(of: str) -> dict[str, Any]:
        return {test: what for each in found for test, what in each[of].items()}

    return Run(0, "", joined("calls"), joined("seconds"), joined("lines"))


if __name__ == "__main__":
    sys.exit(main())
