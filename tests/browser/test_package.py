"""The package filestore-client: what it is built into, its types, its size."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT

STATIC = ROOT / "static"
PACKAGE = STATIC / "filestore-client"
UPLOADER = PACKAGE / "dist" / "uploader.js"


@pytest.fixture(scope="module", autouse=True)
def built() -> Path:
    """The package as its build makes it, which fails where an entry is larger than it may be."""
    node = shutil.which("node") or pytest.fail("The package is built with Node.js.", pytrace=False)
    finished = subprocess.run([node, "build.mjs"], cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return PACKAGE / "dist"


class TestThePackage:
    def test_the_module_is_small_and_stands_alone(self) -> None:
        minified = UPLOADER.read_bytes()
        assert len(minified) <= 12 * 1024
        assert re.findall(rb"\bimport\b", minified) == []

    def test_typescript_accepts_every_script(self) -> None:
        checked = subprocess.run(
            [STATIC / "node_modules" / ".bin" / "tsc", "-p", STATIC], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout) == (0, "")

    def test_the_page_s_own_packages_are_pinned(self) -> None:
        package = json.loads((STATIC / "package.json").read_text())
        versions = {**package["dependencies"], **package["devDependencies"]}.values()
        assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
