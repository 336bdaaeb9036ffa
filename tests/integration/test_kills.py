"""The emulator is killed at random moments under load: what it has acknowledged is there when it is back."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from tests.load import Load
from tests.stack import Stack, eventually

KILLS = int(os.environ.get("KILLS") or 3)
SEED = int(os.environ.get("SEED") or 1)


class Killed:
    """The emulator of a stack that was stopped, started and killed by itself: a deployment each time proves no more."""

    def __init__(self, stack: Stack) -> None:
        self.notes: list[str] = []
        self.emulator = Emulator(stack.aws_port, stack.state, on_note=self.notes.append)

    def start(self) -> None:
        self.emulator.start()

    def kill(self) -> None:
        os.kill(self.emulator.pid, signal.SIGKILL)
        self.emulator.stop()


@pytest.fixture
def deployed(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of the test's own, stopped."""
    stack = start_stack()
    assert stack.stop() == 0
    return stack


@pytest.fixture
def killed(deployed: Stack) -> Iterator[Killed]:
    killed = Killed(deployed)
    yield killed
    killed.emulator.stop()


def kill_all_of(stack: Stack) -> None:
    """Kill make run and the emulator at once: neither can do anything for the other."""
    children = Path(f"/proc/{stack.process.pid}/task/{stack.process.pid}/children").read_text().split()
    for pid in (stack.process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    stack.process.wait(timeout=60)
    eventually(lambda: all(not Path(f"/proc/{pid}/cmdline").exists() for pid in children))


class TestKilledEmulator:
    def test_keeps_all_that_it_acknowledged(self, deployed: Stack, killed: Killed) -> None:
        """Not only what is two seconds old: a write is on the disk before it is acknowledged."""
        dice, load, started = random.Random(SEED), Load(deployed, SEED), time.monotonic()
        for _ in range(KILLS):
            killed.start()
            assert load.losses(load.recent) == []
            load.audit()
            load.start()
            load.wait_for(dice.randint(1, 20))
            if dice.random() < 0.5:
                # It may be killed in the middle of a snapshot, too.
                os.kill(killed.emulator.pid, signal.SIGUSR1)
                time.sleep(dice.uniform(0, 0.5))
            killed.kill()
            load.stop()
        assert killed.notes == []
        deployed.start()
        assert load.losses(set(load.files)) == []
        load.audit()
        kill_all_of(deployed)
        deployed.start()
        assert "note:" not in deployed.output.read_text()
        assert load.losses(set(load.files)) == []
        load.audit()
        assert deployed.stop() == 0
        print(f"{KILLS} kills, {load.acknowledgements()} acknowledgements, {time.monotonic() - started:.0f} s")  # noqa: T201

    def test_would_lose_it_without_the_file_of_writes(self, deployed: Stack, killed: Killed) -> None:
        """The test above sees what is lost: the same, with that file taken away."""
        killed.start()
        load = Load(deployed, SEED)
        load.start()
        load.wait_for(10)
        killed.kill()
        load.stop()
        for file in (deployed.state / "aws").glob("*.writes"):
            file.write_bytes(b"")
        killed.start()
        assert load.losses(set(load.files)) != []


class TestKilledDeployment:
    def test_begins_again(self, tmp_path: Path) -> None:
        """Half of one has a bucket that the next could not make, or a stack that is being updated for ever."""
        stack = Stack(tmp_path / "state")
        kill_while_deploying(stack)
        stored = stack.start().store(b"kept")
        assert stack.stop() == 0
        stack.options = ("--unstored-file-lifetime", "7200")
        kill_while_deploying(stack)
        assert stack.start().download(stored["id"]) == b"kept"
        Load(stack, SEED).audit()
        assert stack.stop() == 0
        assert "note:" not in stack.output.read_text()


def kill_while_deploying(stack: Stack) -> None:
    deployments = stack.output.read_text().count("Deploying") if stack.output.exists() else 0
    stack.launch()
    eventually(lambda: stack.output.read_text().count("Deploying") > deployments)
    time.sleep(random.Random(SEED).uniform(0, 0.5))
    kill_all_of(stack)
