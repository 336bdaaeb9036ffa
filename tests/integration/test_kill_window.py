"""The emulator is killed at the steps between a request and its answer, one after the other.

What was acknowledged is there afterwards, what was not is whole or absent, and bucket and table agree.
"""

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import requests

from local.emulator import Emulator
from ops.audit import WRONG, Audit, Finding
from ops.target import Target
from tests.stack import Stack, eventually

# make kills takes every step, make test every fourth one.
EVERY = 1 if "KILLS" in os.environ else 4

# Steps are what the process does to a file whose name has the id, and before and after a line about the id is written
# down. The process is killed at one of them: the file ``armed`` has the id and, counted from when it is there, which.
PROGRAM = """
import os, signal, sys, threading
from pathlib import Path

armed = Path(sys.argv.pop(1))
process = os.getpid()
seen, counting = 0, threading.Lock()
# To look is a step as well.
thread = threading.local()

def step(about):
    global seen
    # The child that makes a snapshot may have been forked while another thread counted.
    if os.getpid() != process or getattr(thread, "is_looking", False):
        return
    thread.is_looking = True
    with counting:
        if armed.exists():
            file_id, number = armed.read_text().split()
            seen += file_id in about
            if seen == int(number):
                os.kill(os.getpid(), signal.SIGKILL)
    thread.is_looking = False

def hook(event, arguments):
    if event in ("open", "os.mkdir", "os.rename", "os.remove"):
        step(repr(arguments))

from local import emulator_process
from local.writes import Writes

append = Writes.append

def appending(self, entry):
    step(repr(entry))
    append(self, entry)
    step(repr(entry))

Writes.append = appending
sys.addaudithook(hook)
emulator_process.main()
"""


class Killed:
    """The emulator of a stack that was stopped, by itself, to be killed at a step."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self._armed = folder / "armed"
        self._emulator = Emulator(stack.aws_port, stack.state)
        self._emulator.program = [sys.executable, "-c", PROGRAM, str(self._armed)]

    def start(self) -> None:
        self._emulator.start()

    def save(self) -> None:
        """Have it make a snapshot: what came before is not among the writes that a restart repeats."""
        self._emulator.save()

    def acknowledges(self, file_id: str, number: int, ask: Callable[[], requests.Response]) -> bool:
        """Returns whether a request about a file is answered with success, if the process ends at this step of it.

        It runs again afterwards.
        """
        draft = self._armed.with_suffix(".draft")
        draft.write_text(f"{file_id} {number}")
        draft.replace(self._armed)
        try:
            acknowledged = ask().ok
        except requests.RequestException:
            acknowledged = False
        self.stop()
        self._armed.unlink()
        self.start()
        return acknowledged

    def stop(self) -> None:
        self._emulator.stop()

    def agree(self) -> None:
        """Wait until bucket and table agree, which S3's events may still have to bring about."""
        target = Target(self.stack.outputs, self.stack.client)

        def wrong() -> list[tuple[Finding, Any]]:
            found = (finding for finding in Audit(target).run() if finding.kind in WRONG)
            return [(finding, self.stack.record(finding.key)) for finding in found]

        eventually(lambda: not wrong(), wrong)

    def contents(self, file_id: str) -> set[bytes]:
        """The bytes of every version of a file."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs["StorageBucketName"]
        return {
            s3.get_object(Bucket=bucket, Key=file_id, VersionId=version)["Body"].read()
            for version in self.stack.versions(file_id)
        }


@pytest.fixture(scope="module")
def stopped(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of the module's own, stopped."""
    stack = start_stack()
    assert stack.stop() == 0
    return stack


@pytest.fixture
def killed(stopped: Stack, tmp_path: Path) -> Iterator[Killed]:
    killed = Killed(stopped, tmp_path)
    killed.start()
    yield killed
    killed.stop()


def put(upload: dict[str, Any], contents: bytes) -> requests.Response:
    return requests.put(upload["url"], data=contents, timeout=60)


def is_recorded(stack: Stack, file_id: str) -> bool:
    return "uploaded_at" in (stack.record(file_id) or {})


class TestKilledBetweenARequestAndItsAnswer:
    def test_an_upload_is_whole_or_absent(self, killed: Killed) -> None:
        for number in itertools.count(1, EVERY):
            upload = killed.stack.post_file({"name": "a"}).json()
            acknowledged = killed.acknowledges(upload["id"], number, partial(put, upload, b"whole" * 999))
            there = killed.contents(upload["id"])
            assert there == {b"whole" * 999} or (not acknowledged and there == set())
            killed.agree()
            assert killed.stack.files("PUT", [upload["id"]]).json() == ([upload["id"]] if there else [])
            if acknowledged:
                break
        # The line about it, and the bytes and what is known of them, each written and renamed.
        assert number > 5

    def test_a_stored_file_keeps_its_bytes_when_its_url_is_used_again(self, killed: Killed) -> None:
        """Other bytes of the same length, which nothing but their own version tells from the first."""
        for number in itertools.count(1, EVERY):
            stored = killed.stack.store(b"kept" * 999)
            killed.save()
            acknowledged = killed.acknowledges(stored["id"], number, partial(put, stored, b"lost" * 999))
            assert killed.stack.download(stored["id"]) == b"kept" * 999
            killed.agree()
            assert killed.contents(stored["id"]) == {b"kept" * 999}
            if acknowledged:
                break
        assert number > 8

    def test_a_file_is_stored_or_is_not(self, killed: Killed) -> None:
        for number in itertools.count(1):
            upload = killed.stack.upload(b"whole")
            eventually(partial(is_recorded, killed.stack, upload["id"]))
            # That it was recorded is written down as well, and no step of the store's.
            killed.save()
            acknowledged = killed.acknowledges(upload["id"], number, partial(killed.stack.files, "PUT", [upload["id"]]))
            record = killed.stack.record(upload["id"]) or {}
            assert "uploaded_at" in record
            assert "stored_at" in record or not acknowledged
            killed.agree()
            if acknowledged:
                break
        # Before it is written down, and after that.
        assert number == 3
