"""The package as people install it: packed, and unpacked beside the packages that use it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

STATIC = ROOT / "static"
PACKAGE = STATIC / "filestore-client"


def node() -> str:
    """Node.js, with which the package is built."""
    return shutil.which("node") or pytest.fail("The package is built with Node.js.", pytrace=False)


def install(folder: Path) -> Path:
    """A folder with ``node_modules``: the packed package, and everything that the tests have installed."""
    modules = folder / "node_modules"
    modules.mkdir(parents=True)
    for path in (STATIC / "node_modules").iterdir():
        (modules / path.name).symlink_to(path)
    run(["npm", "pack", "--silent", "--pack-destination", str(folder)], PACKAGE)
    (packed,) = folder.glob("filestore-client-*.tgz")
    run(["tar", "--extract", "--file", str(packed)], folder)
    (folder / "package").rename(modules / "filestore-client")
    return folder


def run(command: list[str], folder: Path) -> str:
    """What the command prints. Fails with it where the command does."""
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def bundle(folder: Path, source: str) -> str:
    """The script that this module and all it imports become."""
    (folder / "entry.js").write_text(source)
    options = ["--bundle", "--format=iife", "--log-level=warning", "--loader:.css=empty"]
    return run([str(STATIC / "node_modules" / ".bin" / "esbuild"), "entry.js", *options], folder)
