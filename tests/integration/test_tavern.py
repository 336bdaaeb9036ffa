"""The tavern files, run as an operator runs them against any deployment."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.support import ROOT

FILES = sorted((ROOT / "tests/integration").glob("*.tavern.yaml"))


def test_there_are_the_four() -> None:
    assert [path.name for path in FILES] == [
        f"test_{operation}_file.tavern.yaml" for operation in ("delete", "download", "store", "upload")
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_passes_with_tavern_ci(stack: Stack, file: Path) -> None:
    finished = subprocess.run(
        [Path(sys.executable).parent / "tavern-ci", file],
        env={
            **os.environ,
            "TEST_HOST": stack.outputs["ApiRootUrl"],
            "TEST_API_KEY": stack.outputs["ApiKey"],
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
