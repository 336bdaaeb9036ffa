"""Installs one list of packages into a virtual environment, and tells what is going on meanwhile.

``python tools/install.py STAMP LIST NOTE [compile]``: the virtual environment is the stamp's folder, made if it is not
there. The stamp is written when everything is installed, and holds the sha256 of the list and of what it names by -r
and -c: as long as these stay, nothing is installed again. Two that run at once take turns.

Python compiles a module when it is first imported, and most never are, so nothing is compiled here. ``compile`` is for
pytest, which takes a warning of the compiler about somebody else's module for a failure of the test that imports it.

The standard library alone: make runs it before anything is installed.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

_SECONDS_OF_SILENCE = 2
_INSTALLING = "packages installed"


class InstallError(Exception):
    """The packages cannot be installed; the message says why."""


def main() -> None:
    """Installs what the command line names."""
    stamp, requirements, note, *options = sys.argv[1:]
    try:
        install(Path(stamp), Path(requirements), note, compiled="compile" in options)
    except InstallError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def install(stamp: Path, requirements: Path, note: str, *, compiled: bool = False) -> None:
    """Installs the list, unless the stamp says that it is installed. Raises InstallError."""
    wanted = digest(requirements)
    # The folder is the lock. pip inherits it, and so keeps it should this process be killed.
    lock = os.open(Path.cwd(), os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another make installs here. Waiting for it ...", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            stamp.touch()
            return
        print(f"Installing {note} ...", flush=True)
        progress = _Progress(stamp.parent)
        python = _environment(stamp.parent, lock, progress)
        progress.doing = "looking for packages"
        command: list[str | Path] = [
            python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off",
            "--no-compile", "--requirement", requirements,
        ]  # fmt: skip
        _run(command, lock, progress)
        if compiled:
            every: list[str | Path] = [python, "-W", "ignore", "-m", "compileall", "-qq", "-j", "0"]
            # Some packages have templates of modules, which cannot be compiled.
            progress.doing = "compiling what the tests may import"
            _run([*every, *progress.packages()], lock, progress, may_fail=True)
        stamp.write_text(wanted, encoding="utf-8")
    finally:
        os.close(lock)


def digest(requirements: Path) -> str:
    """Returns the sha256 of the list and of every list that it names."""
    found = hashlib.sha256()
    for path in _lists(requirements):
        found.update(path.read_bytes())
    return found.hexdigest()


def _lists(requirements: Path) -> Iterator[Path]:
    yield requirements
    for name in re.findall(r"^-[rc] (\S+)$", requirements.read_text(encoding="utf-8"), re.MULTILINE):
        yield from _lists(requirements.parent / name)


def _environment(folder: Path, lock: int, progress: "_Progress") -> Path:
    """Returns the virtual environment's Python. One that is broken or was never finished is made anew."""
    python = folder / "bin/python"
    if not python.exists() or subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode:
        _run([sys.executable, "-m", "venv", "--clear", folder], lock, progress)
    return python


class _Progress:
    """What is going on, by what pip prints and by what lies in the folder."""

    def __init__(self, folder: Path) -> None:
        self.doing = f"making {folder}"
        self.begun = time.monotonic()
        self.last: deque[str] = deque(maxlen=20)
        self._folder = folder
        self._collected = self._wanted = self._before = 0

    def read(self, line: str) -> None:
        """Takes a line that pip has printed."""
        self.last.append(line)
        if line.startswith("Collecting "):
            self._collected += 1
            self.doing = f"packages found: {self._collected}"
        elif line.startswith("Installing collected packages: "):
            self._wanted = line.count(",") + 1
            self._before = self._count()
            self.doing = _INSTALLING

    def show(self) -> str:
        """Returns one line."""
        if self.doing == _INSTALLING:
            return f"{_INSTALLING}: {min(self._count() - self._before, self._wanted)} of {self._wanted}"
        return self.doing

    def packages(self) -> list[Path]:
        """Returns where the packages are."""
        return list(self._folder.glob("lib/python*/site-packages"))

    def _count(self) -> int:
        return sum(1 for folder in self.packages() for _ in folder.glob("*.dist-info"))


def _run(command: Sequence[str | Path], lock: int, progress: _Progress, *, may_fail: bool = False) -> None:
    """Runs it to its end; what it prints is for progress alone. Raises InstallError with its last lines if it fails."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", pass_fds=(lock,)
    )
    reader = threading.Thread(target=_read, args=(process, progress), daemon=True)
    reader.start()
    while True:
        try:
            status = process.wait(_SECONDS_OF_SILENCE)
            break
        except subprocess.TimeoutExpired:
            print(f"  {time.monotonic() - progress.begun:3.0f} s: {progress.show()}", flush=True)
    reader.join()
    if status != 0 and not may_fail:
        said = "\n".join(progress.last)
        raise InstallError(f"this failed: {' '.join(map(str, command))}\n{said}\nIs the network there? Then try again.")


def _read(process: "subprocess.Popen[str]", progress: _Progress) -> None:
    assert process.stdout is not None  # noqa: S101 - Popen was asked for it
    for line in process.stdout:
        progress.read(line.rstrip())


if __name__ == "__main__":
    main()
