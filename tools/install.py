"""Installs one list of packages into a virtual environment, and tells what is going on meanwhile.

``python tools/install.py STAMP LIST NOTE [compile]``: the virtual environment is the stamp's folder, made if it is not
there. The stamp is written when everything is installed, and holds the sha256 of the list and of what it names by -r
and -c: as long as these stay, nothing is installed again. Two that run at once take turns.

uv installs, in a tenth of pip's time, from the index and with the certificates that pip is configured for. Where uv
cannot (an index that wants a password of the keyring, a platform without uv), pip does.

Python compiles a module when it is first imported, and most never are, so nothing is compiled here. ``compile`` is for
pytest, which takes a warning of the compiler about somebody else's module for a failure of the test that imports it.

The standard library alone: make runs it before anything is installed.
"""

import ast
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_SECONDS_OF_SILENCE = 2
_UV = Path(__file__).parent.parent / ".ci/uv-requirements.txt"
# What uv calls what pip calls so. An extra index is not among them: all that is installed here is public, and what
# an extra index calls by the same name must not come in its place.
_SETTINGS = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
_QUIETLY = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off", "--no-compile"]


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
    # The folder is the lock. Whatever installs inherits it, and so keeps it should this process be killed.
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
        if not _installed_by_uv(python, requirements, lock, progress):
            _run([*_pip(python), "install", *_QUIETLY, "--requirement", requirements], lock, progress)
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
    if not python.exists() or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
        # Its own pip would take longer than all the packages together.
        without_pip = ["--without-pip"] if _host_has_pip() else []
        _run([sys.executable, "-m", "venv", "--clear", *without_pip, folder], lock, progress)
    return python


def _host_has_pip() -> bool:
    """Tells whether the Python that runs this has a pip that installs into other environments (22.3 of 2022)."""
    found = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True, check=False)
    version = re.match(r"pip (\d+)\.(\d+)", found.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= (22, 3)


def _pip(python: Path) -> list[str | Path]:
    """Returns the pip that installs for this Python."""
    own = subprocess.run([python, "-c", "import pip"], capture_output=True, check=False).returncode == 0
    return [python, "-m", "pip"] if own else [sys.executable, "-m", "pip", "--python", python]


def _installed_by_uv(python: Path, requirements: Path, lock: int, progress: "_Progress") -> bool:
    """Tells whether uv has installed the list."""
    pip, uv = _pip(python), python.parent / "uv"
    if not uv.exists() and _run([*pip, "install", *_QUIETLY, "--requirement", _UV], lock, progress, may_fail=True):
        return False
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False).stdout
    environment = {"UV_SYSTEM_CERTS": "true", **_settings(listed), **os.environ}
    install: list[str | Path] = [uv, "pip", "install", "--python", python, "--requirement", requirements]
    return _run(install, lock, progress, may_fail=True, environment=environment) == 0


def _settings(listed: str) -> dict[str, str]:
    """Returns uv's settings for pip's, as ``pip config list`` prints them: ``global.index-url='https://...'``."""
    found = dict(re.findall(r"^(?:global|install|:env:)\.([a-z-]+)=('.*')$", listed, re.MULTILINE))
    return {variable: ast.literal_eval(found[name]) for name, variable in _SETTINGS.items() if name in found}


class _Progress:
    """What is going on, by what lies in the folder."""

    def __init__(self, folder: Path) -> None:
        self.doing = f"making {folder}"
        self.begun = time.monotonic()
        self.last: deque[str] = deque(maxlen=20)
        self._folder = folder
        self._before = self._count()

    def show(self) -> str:
        """Returns one line."""
        installed = self._count() - self._before
        return f"packages installed: {installed}" if installed > 0 else self.doing

    def packages(self) -> list[Path]:
        """Returns where the packages are."""
        return list(self._folder.glob("lib/python*/site-packages"))

    def _count(self) -> int:
        return sum(1 for folder in self.packages() for _ in folder.glob("*.dist-info"))


def _run(
    command: Sequence[str | Path],
    lock: int,
    progress: _Progress,
    *,
    may_fail: bool = False,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Runs it to its end, and returns its status. Raises InstallError with its last lines if it fails and may not."""
    progress.last.clear()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock,),
        env=environment,
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
    return status


def _read(process: "subprocess.Popen[str]", progress: _Progress) -> None:
    assert process.stdout is not None  # noqa: S101 - Popen was asked for it
    for line in process.stdout:
        progress.last.append(line.rstrip())


if __name__ == "__main__":
    main()
