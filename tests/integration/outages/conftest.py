"""A stack that was killed, and emulators on copies of its folder."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local.emulator import Emulator
from tests.stack import Stack


@pytest.fixture(scope="session")
def stopped(start_stack: Callable[..., Stack]) -> tuple[Stack, str, str]:
    """A stack that was killed, with the ids of a stored file and a deleted one."""
    stack = start_stack()
    stored, deleted = stack.store(b"kept" * 100), stack.store(b"gone")
    assert stack.stop() == 0
    emulator = Emulator(stack.aws_port, stack.state)
    emulator.start()
    assert stack.files("DELETE", [deleted["id"]]).json() == [deleted["id"]]
    os.kill(emulator.pid, signal.SIGKILL)
    emulator.stop()
    return stack, stored["id"], deleted["id"]


@pytest.fixture
def folder(stopped: tuple[Stack, str, str], tmp_path: Path) -> Path:
    """A copy of its folder."""
    return shutil.copytree(stopped[0].state, tmp_path / "state")


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def emulator(stopped: tuple[Stack, str, str], folder: Path, notes: list[str]) -> Iterator[Emulator]:
    """The emulator on the copy, not started."""
    emulator = Emulator(stopped[0].aws_port, folder, on_note=notes.append)
    yield emulator
    emulator.stop()
