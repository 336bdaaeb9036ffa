"""Which stack runs on this machine: its lock on the state folder, and the outputs that it leaves there.

A stack that was killed leaves its outputs behind, but never its lock: that goes with the process. So nobody sends the
key of the emulator's root to a port that some other program may have by now.
"""

import fcntl
import json
import time
from pathlib import Path
from typing import Any, TextIO

from local.errors import LocalError

OUTPUTS = "outputs.json"

_LOCK = "lock"
# Whoever looks whether a stack runs has the lock for a moment. Seconds.
_LOOK = 0.5


def is_foreign(state: Path) -> bool:
    """Whether the folder has files, and no stack ever had it. Starting one there would remove what is not ours."""
    return state.is_dir() and any(state.iterdir()) and not (state / _LOCK).exists()


def claim(state: Path) -> TextIO | None:
    """Lock the state folder until the file is closed or the process ends; returns None where a stack has it."""
    lock = (state / _LOCK).open("w")
    deadline = time.monotonic() + _LOOK
    while not _locked(lock, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            lock.close()
            return None
        time.sleep(0.01)
    return lock


def outputs(state: Path) -> dict[str, Any]:
    """Returns the outputs of the stack that runs with this state folder. Raises LocalError where none does."""
    try:
        with (state / _LOCK).open() as lock:
            if not _locked(lock, fcntl.LOCK_SH):
                found: dict[str, Any] = json.loads((state / OUTPUTS).read_text(encoding="utf-8"))
                return found
    except (FileNotFoundError, NotADirectoryError):
        pass
    raise LocalError("No stack runs here. Try: make run")


def _locked(lock: TextIO, kind: int) -> bool:
    """Lock the file (flock(2)), unless somebody else has locked it."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
