"""Runs mutants, as many at a time as there are slots, each against an emulator of its slot."""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local.emulator import Emulator
from local.loopback import free_port
from tests.mutants.model import Job, Run

# What the tests leave in an emulator adds up, and makes it slow.
_TESTS_OF_AN_EMULATOR = 600
_STOPPED = "(stopped: it did not end)"

Runner = Callable[[Job, tuple[str, str], Path], NoReturn]
"""Runs a job in a forked process, on the emulator with this address and key, and leaves ``result.json`` in a folder."""


@dataclass
class _Slot:
    runner: Runner
    folder: Path
    emulator: Emulator | None = None
    tests: int = 0
    job: Job | None = None
    process: int = 0
    deadline: float = 0
    number: int = 0

    def start(self, job: Job) -> None:
        if self.emulator is None or self.tests >= _TESTS_OF_AN_EMULATOR:
            self.stop_emulator()
            self.number += 1
            state = self.folder / f"aws{self.number}"
            state.mkdir(parents=True)
            self.emulator = Emulator(free_port(), state)
            self.emulator.start()
            self.tests = 0
        self.job = job
        # The processor's time is what counts; this is for what sleeps for ever.
        self.deadline = time.monotonic() + 120 + 20 * job.seconds
        folder = self.folder / "run"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            try:
                os.setsid()
                self.runner(job, (self.emulator.url, self.emulator.key), folder)
            except BaseException:  # noqa: BLE001 - whatever it is, the parent's code must not run twice
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(70)

    def poll(self) -> Run | None:
        """The result of the run, once it has one."""
        if not self.process:
            return None
        if time.monotonic() > self.deadline:
            self.kill()
        process, status = os.waitpid(self.process, os.WNOHANG)
        if not process:
            return None
        # Threads and processes that a test left behind.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        self.process = 0
        result = self.folder / "run" / "result.json"
        if result.exists():
            run = Run(**json.loads(result.read_text()))
            self.tests += len(run.seconds)
            return run
        self.tests = _TESTS_OF_AN_EMULATOR
        if os.WIFSIGNALED(status):
            return Run(1, _STOPPED, {}, {})
        raise RuntimeError(f"a run of tests broke down:\n{self.output()}")

    def output(self) -> str:
        return (self.folder / "run" / "output.txt").read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process, signal.SIGKILL)

    def stop_emulator(self) -> None:
        if self.emulator:
            self.emulator.stop()
            shutil.rmtree(self.folder / f"aws{self.number}", ignore_errors=True)
        self.emulator = None


def run(runner: Runner, next_job: Callable[[], Job | None], slots: int, done: Callable[[Job, Run, str], None]) -> None:
    """Run jobs until there is none; ``done`` gets each with its result and what pytest printed."""
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        pool = [_Slot(runner, Path(folder) / str(number)) for number in range(slots)]
        try:
            while True:
                for slot in pool:
                    job, result = slot.job, slot.poll()
                    if job and result:
                        slot.job = None
                        done(job, result, slot.output())
                    if not slot.job and (following := next_job()):
                        slot.start(following)
                if not any(slot.job for slot in pool):
                    return
                time.sleep(0.01)
        finally:
            for slot in pool:
                slot.kill()
                slot.stop_emulator()
