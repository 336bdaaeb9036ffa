"""A disk that takes nothing more, or forgets; a process that cannot be begun."""

import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from local.emulator import Emulator
from local.errors import LocalError
from local.state import PROMISED_SECONDS
from tests.stack import Stack, eventually
from tests.support import ROOT

FULL = (
    "Nothing can be saved in {state} (File too large)."
    " What was acknowledged is kept. Make room there, then make run again."
)


def fill(pid: int, octets: int) -> None:
    """No file of this process may grow beyond it: what a full disk is to all, without being root (setrlimit(2))."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, octets))


def _is_emulator(cmdline: Path, stack: Stack) -> bool:
    try:
        arguments = cmdline.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"local.emulator_process" in arguments and str(stack.aws_port).encode() in arguments


class TestFullDisk:
    def test_is_told_in_one_line_and_takes_nothing_that_was_acknowledged(
        self, start_stack: Callable[..., Stack]
    ) -> None:
        stack = start_stack()
        stored = stack.store(b"kept")
        (pid,) = (int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _is_emulator(path, stack))
        fill(pid, 100_000)
        ticket = stack.post_file({"name": "large"}).json()
        with pytest.raises(requests.RequestException):
            requests.put(ticket["url"], data=b"x" * 200_000, timeout=60)
        assert stack.process.wait(timeout=60) == 1
        assert stack.output.read_text().splitlines()[-1] == f"error: {FULL.format(state=stack.state)}"
        stack.start()
        assert stack.download(stored["id"]) == b"kept"
        assert stack.files("PUT", [ticket["id"]]).json() == []
        assert stack.findings() == []

    def test_acknowledges_no_write_that_is_not_written_down(
        self, stopped: tuple[Stack, str, str], emulator: Emulator
    ) -> None:
        stack, stored, _ = stopped
        emulator.start()
        fill(emulator.pid, max(path.stat().st_size for path in (stack.state / "aws").glob("*.writes")))
        with pytest.raises(requests.RequestException):
            stack.store()
        assert emulator.failure == FULL.format(state=emulator.log.parent)
        emulator.stop()
        emulator.start()
        assert stack.download(stored) == b"kept" * 100
        assert stack.findings() == []

    def test_leaves_the_last_snapshot_whole(
        self, stopped: tuple[Stack, str, str], emulator: Emulator, notes: list[str]
    ) -> None:
        stack, stored, _ = stopped
        emulator.start()
        fill(emulator.pid, 10_000)
        with pytest.raises(LocalError, match="Nothing can be saved in"):
            emulator.save()
        emulator.start()
        assert notes == []
        assert stack.download(stored) == b"kept" * 100


class TestWhatIsNotForeseen:
    BROKEN = """
from local import emulator_process, inside
def broken(*_):
    raise ValueError("embedded null byte")
inside.files_of = broken
emulator_process.main()
"""
    NO_PROCESS = """
import errno, os
from local import emulator_process
def fork():
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
os.fork = fork
emulator_process.main()
"""

    def test_ends_the_emulator_where_it_keeps_it_from_saving(
        self, stopped: tuple[Stack, str, str], emulator: Emulator
    ) -> None:
        """It would go on to acknowledge what it never saves."""
        emulator.program = [sys.executable, "-c", self.BROKEN]
        emulator.start()
        ticket = stopped[0].post_file({"name": "a"}).json()
        requests.put(ticket["url"], data=b"x", timeout=60)
        eventually(lambda: emulator.failure)
        assert str(emulator.failure).startswith(
            f"Nothing can be saved in {emulator.log.parent} (ValueError('embedded null byte'))."
        )

    def test_is_told_where_no_process_can_begin(self, emulator: Emulator) -> None:
        emulator.program = [sys.executable, "-c", self.NO_PROCESS]
        emulator.start()
        with pytest.raises(LocalError, match=r"Nothing can be saved in \S+ \(Resource temporarily unavailable\)\."):
            emulator.save()


def _positions(lines: list[str], names: list[str]) -> list[int] | None:
    """Where each of the names was last synced, if all of them were."""
    found = [max((at for at, line in enumerate(lines) if line.endswith(name)), default=None) for name in names]
    return [at for at in found if at is not None] if None not in found else None


class TestPowerCut:
    SYNCED = """
import os, sys
real, synced = os.fsync, open(sys.argv.pop(1), "a", buffering=1)
def fsync(descriptor):
    real(descriptor)
    print(os.readlink(f"/proc/self/fd/{descriptor}"), file=synced)
os.fsync = fsync
from local import emulator_process
emulator_process.main()
"""

    def test_finds_the_object_on_the_disk_before_the_record(
        self, stopped: tuple[Stack, str, str], emulator: Emulator, tmp_path: Path
    ) -> None:
        """What is not synced can be gone, although no process was killed (fsync(2))."""
        stack = stopped[0]
        log = tmp_path / "synced"
        emulator.program = [sys.executable, "-c", self.SYNCED, str(log)]
        emulator.start()
        upload = stack.store()
        names = [f"/{upload['id']}", f"/{upload['id']}.meta.json", f"/{stack.outputs['StorageBucketName']}", ".writes"]
        synced = eventually(lambda: _positions(log.read_text().splitlines(), names))
        assert synced == sorted(synced)

    def test_takes_two_seconds_at_most(self) -> None:
        """As README and guide say."""
        assert PROMISED_SECONDS == 2
        for document in ("README.md", "docs/operations.md"):
            assert "two seconds" in (ROOT / document).read_text()
