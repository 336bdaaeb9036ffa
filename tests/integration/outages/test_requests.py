"""Requests of strangers, all requests after the clock was set back, and messages that nobody handles any more."""

import os
import signal
import sys
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from local.emulator import Emulator
from tests.stack import Stack


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

    @pytest.mark.parametrize(("heeded", "delivered"), [("heeded", 1), ("unheeded", 0)])
    def test_delays_no_message(self, emulator: Emulator, tmp_path: Path, heeded: str, delivered: int) -> None:
        """A message is there from a time of day on."""
        offset = tmp_path / "offset"
        offset.write_text("0")
        emulator.program = [sys.executable, "-c", self.CLOCK, str(offset), heeded]
        emulator.start()
        queue = Queue(emulator)
        queue.send()
        offset.write_text("-14400")
        assert queue.receive() == delivered


class Queue:
    """One that nothing of the stack's reads."""

    def __init__(self, emulator: Emulator) -> None:
        self._sqs = emulator.client("sqs")
        made = self._sqs.create_queue(QueueName="read-by-hand", Attributes={"VisibilityTimeout": "360"})
        self._url = made["QueueUrl"]

    def send(self) -> None:
        self._sqs.send_message(QueueUrl=self._url, MessageBody="once")

    def receive(self) -> int:
        """How many messages there are to handle now; from then on they are being handled."""
        return len(self._sqs.receive_message(QueueUrl=self._url).get("Messages", []))


class TestMessagesBeingHandled:
    """Whoever handled a message ended with the emulator: nobody will delete it, and its upload is not recorded yet."""

    @pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
    def test_are_delivered_again_as_soon_as_it_runs_again(self, emulator: Emulator, end: signal.Signals) -> None:
        emulator.start()
        queue = Queue(emulator)
        queue.send()
        assert [queue.receive(), queue.receive()] == [1, 0]
        emulator.save()
        os.kill(emulator.pid, end)
        emulator.stop()
        emulator.start()
        assert [queue.receive(), queue.receive()] == [1, 0]
