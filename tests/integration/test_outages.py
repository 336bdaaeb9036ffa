"""A disk that takes nothing more, a state that is damaged, a clock that is set back."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from local import state
from local.emulator import Emulator
from local.errors import LocalError
from local.state import PROMISED_SECONDS
from ops.audit import Audit
from ops.target import Target
from tests.stack import Stack, eventually
from tests.support import ROOT
from tests.unit.test_state import DAMAGES

FULL = (
    "Nothing can be saved in {state} (File too large)."
    " What was acknowledged is kept. Make room there, then make run again."
)


def fill(pid: int, octets: int) -> None:
    """No file of this process may grow beyond it: what a full disk is to all, without being root (setrlimit(2))."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (octets, octets))


def findings(stack: Stack) -> set[str]:
    return {finding.kind for finding in Audit(Target(stack.outputs, stack.client)).run()}


@pytest.fixture(scope="module")
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
        assert findings(stack) == set()

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
        assert findings(stack) == set()

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


def _is_emulator(cmdline: Path, stack: Stack) -> bool:
    try:
        arguments = cmdline.read_bytes().split(b"\0")
    except OSError:
        return False
    return b"local.emulator_process" in arguments and str(stack.aws_port).encode() in arguments


class TestDamagedState:
    @pytest.mark.parametrize("name", ["dynamodb.json", "s3.json", "manifest.json"])
    def test_loses_nothing_where_it_is_the_newest_snapshot(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], name: str
    ) -> None:
        stack, stored, deleted = stopped
        newest = max(path for path in (folder / "aws").iterdir() if path.is_dir())
        DAMAGES["cut to half"](newest / name)
        emulator.start()
        (note,) = notes
        assert note.startswith(f"{newest / name} is damaged. The snapshot before it")
        assert stack.download(stored) == b"kept" * 100
        assert "deleted_at" in (stack.details(deleted) or {})
        eventually(lambda: findings(stack) == set())

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_tells_of_writes_that_are_lost(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], damage: str
    ) -> None:
        stack, stored, _ = stopped
        newest = max((folder / "aws").glob("*.writes"))
        DAMAGES[damage](newest)
        emulator.start()
        assert stack.download(stored) == b"kept" * 100
        (note,) = notes
        assert note.startswith(f"{newest} is ")
        assert note.endswith(" lost.")

    @pytest.mark.parametrize("name", ["", ".meta.json"])
    def test_an_object_that_is_damaged_is_told_with_a_way_out_that_works(
        self, stopped: tuple[Stack, str, str], folder: Path, emulator: Emulator, notes: list[str], name: str
    ) -> None:
        stack, stored, _ = stopped
        (path,) = (folder / "s3").glob(f"[0-9]*/*/{stored}{name}")
        DAMAGES["cut to half"](path)
        emulator.start()
        (note,) = notes
        assert f"/{stored} could not be read and is in {folder}/damaged now." in note
        assert findings(stack) == {"lost"}
        assert stack.files("DELETE", [stored]).json() == [stored]
        assert findings(stack) == set()

    def test_is_not_passed_over_where_this_emulator_cannot_read_it(self, folder: Path, emulator: Emulator) -> None:
        """It would begin anew with the others as they were: a bucket without its table."""
        newest = max(path for path in (folder / "aws").iterdir() if path.is_dir())
        saved = json.loads((newest / "dynamodb.json").read_text())
        (newest / "dynamodb.json").write_text(json.dumps(saved | {"__ministack_format__": 99}))
        (newest / "manifest.json").unlink()
        draft = newest.rename(folder / "aws" / "newer")
        state.seal(draft, newest)
        with pytest.raises(LocalError, match=r"The state cannot be read: .*dynamodb.*start anew: mv"):
            emulator.start()

    def test_can_be_moved_away(self, stopped: tuple[Stack, str, str], folder: Path) -> None:
        """What cannot be read is told by make run in one line, and doing as it says helps."""
        for snapshot in (path for path in (folder / "aws").iterdir() if path.is_dir()):
            (snapshot / "dynamodb.json").unlink()
        command = [sys.executable, "-m", "local", "--state-dir", str(folder), "--port", str(stopped[0].port)]
        command += ["--aws-port", str(stopped[0].aws_port)]
        refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert refused.returncode == 1
        (line,) = refused.stderr.splitlines()
        advice = line.partition("start anew: ")[2]
        assert advice == f"mv {folder} {folder}.damaged"
        subprocess.run(advice.split(), check=True)
        again = Stack(folder)
        again.start()
        assert again.download(again.store(b"anew")["id"]) == b"anew"
        assert again.stop() == 0


class TestStrangers:
    """Who may send a request, and is refused by S3: whatever it asks for, it costs the others nothing."""

    FORGED = urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": "ASIA0123456789ABCDEF/20261125/us-east-1/s3/aws4_request",
            "X-Amz-Date": "20261125T120000Z",
            "X-Amz-Expires": "604800",
            "X-Amz-SignedHeaders": "host",
            "X-Amz-Security-Token": "token",
            "X-Amz-Signature": "0f" * 32,
        }
    )

    def test_leave_nothing_behind_with_urls_that_they_made_up(
        self, stopped: tuple[Stack, str, str], emulator: Emulator, folder: Path
    ) -> None:
        stack, stored, _ = stopped
        emulator.start()
        before = {path.name: path.stat().st_size for path in (folder / "aws").glob("*.writes")}
        for bucket in (stack.outputs["StorageBucketName"], "a" * 300):
            for number in range(20):
                path = f"/{bucket}/{number:032x}?{self.FORGED}"
                assert requests.put(emulator.url + path, data=b"x", timeout=60).status_code == 403
        assert {path.name: path.stat().st_size for path in (folder / "aws").glob("*.writes")} == before
        emulator.stop()
        assert emulator.failure is None
        emulator.start()
        assert stack.download(stored) == b"kept" * 100

    def test_end_nothing_with_a_name_that_no_folder_can_have(self, emulator: Emulator) -> None:
        """Not even with root's key, which the gate lets through to where S3 refuses it."""
        emulator.start()
        scope = f"{emulator.key}/20261125/us-east-1/s3/aws4_request"
        signed = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        refused = requests.put(f"{emulator.url}/{'a' * 300}/x", data=b"x", headers=signed, timeout=60)
        assert refused.status_code == 400
        emulator.stop()
        assert emulator.failure is None


class TestSnapshots:
    def test_are_made_of_what_else_has_changed(self, emulator: Emulator, folder: Path) -> None:
        """A key that an operator made is no record, and is not lost either."""
        emulator.start()
        emulator.save()
        before = state.newest(folder / "aws")
        made = emulator.client("apigateway").create_api_key(name="made by hand", enabled=True)
        eventually(lambda: state.newest(folder / "aws") > before)
        os.kill(emulator.pid, signal.SIGKILL)
        emulator.stop()
        emulator.start()
        assert made["id"] in [key["id"] for key in emulator.client("apigateway").get_api_keys()["items"]]

    def test_follow_each_other_where_the_writes_are_gone(self, emulator: Emulator, folder: Path) -> None:
        """A lower number would be taken for an older one."""
        for file in (folder / "aws").glob("*.writes"):
            file.unlink()
        before = state.newest(folder / "aws")
        emulator.start()
        emulator.save()
        assert state.newest(folder / "aws") > before


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


def _positions(lines: list[str], names: list[str]) -> list[int] | None:
    """Where each of the names was last synced, if all of them were."""
    found = [max((at for at, line in enumerate(lines) if line.endswith(name)), default=None) for name in names]
    return [at for at in found if at is not None] if None not in found else None


class TestSetBackClock:
    CLOCK = """
import sys, time
real, offset = time.time, sys.argv.pop(1)
time.time = lambda: real() + float(open(offset).read())
from local import emulator_process, inside
if sys.argv[1] == "unheeded":
    inside.Clock.look = lambda self: None
sys.argv.pop(1)
emulator_process.main()
"""

    @pytest.mark.parametrize(("heeded", "answer"), [("heeded", 400), ("unheeded", 429)])
    def test_throttles_nobody(
        self, stopped: tuple[Stack, str, str], emulator: Emulator, tmp_path: Path, heeded: str, answer: int
    ) -> None:
        """The emulator counts requests by the time of day. Unheeded, four hours back throttle everybody for as long."""
        stack = stopped[0]
        offset = tmp_path / "offset"
        offset.write_text("0")
        emulator.program = [sys.executable, "-c", self.CLOCK, str(offset), heeded]
        emulator.start()
        assert stack.files("PUT", "no ids").status_code == 400
        offset.write_text("-14400")
        assert stack.files("PUT", "no ids").status_code == answer
