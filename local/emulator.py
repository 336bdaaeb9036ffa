"""The process of the emulator: start it, know when it is ready, stop it so that nothing is lost."""

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, TextIO

import boto3
from botocore.config import Config

from local import root_key
from local import state as disk
from local.errors import LocalError
from local.terminal import printable

ROOT = Path(__file__).parents[1]
REGION = "us-east-1"
SECRET = "test"
"""Root's secret access key: the emulator signs with it, and looks at the key id alone."""

# A session makes one client at a time (boto3 guide: multithreading).
_MAKING_A_CLIENT = threading.Lock()
_READY_WITHIN = 30
_SAVED_WITHIN = 30


@functools.cache
def _session(key: str) -> Any:
    """Each that is made anew reads the SDK's data of the services again."""
    return boto3.Session(aws_access_key_id=key, aws_secret_access_key=SECRET, region_name=REGION)


def client(url: str, service: str, key: str) -> Any:
    """A client of root's, by its key id, of the emulator at this address, whatever AWS the shell is configured for."""
    with _MAKING_A_CLIENT:
        return _session(key).client(service, endpoint_url=url, config=Config(retries={"mode": "standard"}))


class Emulator:
    """The emulator on 127.0.0.1, its state in a folder.

    ``on_line`` is called with every line that it prints, ``on_note`` with what somebody should know of the state that
    was found, ``on_death`` when it ends without having been told to.
    """

    program: Sequence[str] = (sys.executable, "-m", "local.emulator_process")

    def __init__(
        self,
        port: int,
        state: Path,
        *,
        on_line: Callable[[str], None] = lambda _: None,
        on_note: Callable[[str], None] = lambda _: None,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = state / "emulator.log"
        self.key = ""
        self._state = state
        self.failure: str | None = None
        self._on_line = on_line
        self._on_note = on_note
        self._on_death = on_death
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._stopping = False

    def start(self) -> None:
        """Start and wait until requests are answered. Raises LocalError if that does not come to pass."""
        self.failure, self._stopping = None, False
        found = disk.open_state(self._state)
        for note in found.notes:
            self._on_note(note)
        temporary = self._state / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        self.key = root_key.of(self._state)
        log = self.log.open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [*self.program, str(self.port), str(os.getpid()), str(self._state / "aws"), str(found.number)],
            cwd=ROOT,
            env=self._environment(temporary, found.snapshot),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C in a terminal reaches every process of the group; this one is to be stopped in order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process, log), daemon=True)
        self._reader.start()
        deadline = time.monotonic() + _READY_WITHIN
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise LocalError(self.failure or f"The emulator did not start. What it said is in {self.log}.")
            time.sleep(0.05)

    def save(self) -> None:
        """Have it save what it is now, deployments included. Raises LocalError if it cannot."""
        folder = self._state / "aws"
        before = disk.newest(folder)
        deadline = time.monotonic() + _SAVED_WITHIN
        if self._process is not None:
            self._process.send_signal(signal.SIGUSR1)
        while disk.newest(folder) == before:
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise LocalError(self.failure or f"The state is not saved. What was said is in {self.log}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Have it save its state and end; whatever is left after half a minute is killed."""
        self._stopping = True
        process = self._process
        if process is None:
            return
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SAVED_WITHIN)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if self._reader is not None:
            self._reader.join()
        self._process = None

    @property
    def pid(self) -> int:
        """The id of its process. Raises LocalError where none runs."""
        if self._process is None:
            raise LocalError("The emulator does not run.")
        return self._process.pid

    def client(self, service: str) -> Any:
        """A client of this AWS, whatever AWS the shell is configured for."""
        return client(self.url, service, self.key)

    def _environment(self, temporary: Path, snapshot: Path) -> dict[str, str]:
        """The functions inherit it, so there is nothing of the shell's in it that they would not have on AWS."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return kept | {
            "TMPDIR": str(temporary),
            "PYTHONUNBUFFERED": "1",
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "S3_PERSIST": "1",
            "STATE_DIR": str(snapshot),
            "S3_DATA_DIR": str(self._state / "s3"),
        }

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, OSError):
            return False

    def _read(self, process: subprocess.Popen[str], log: TextIO) -> None:
        if process.stdout is None:
            return
        with log:
            for line in process.stdout:
                shown = printable(line.rstrip("\n"))
                # On a full disk it must be read all the same, or it waits for ever.
                with contextlib.suppress(OSError):
                    log.write(f"{shown}\n")
                    log.flush()
                self._take(shown)
        process.stdout.close()
        if not self._stopping:
            self._on_death()

    def _take(self, line: str) -> None:
        if line.startswith("error: "):
            self.failure = line.removeprefix("error: ")
        elif line.startswith("note: "):
            self._on_note(line.removeprefix("note: "))
        else:
            self._on_line(line)
