"""The recipes of the guide to large files work as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import hygiene
from tests.stack import Stack
from tests.support import ROOT

CONTENTS = bytes(range(256)) * 4096 * 20 + b"the end"


def recipe(language: str) -> str:
    """The one of the guide."""
    guide = (ROOT / "docs/large-files.md").read_text()
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "film.mp4").write_bytes(CONTENTS)
    (tmp_path / "upload.py").write_text(recipe("python"))
    return tmp_path


def run(stack: Stack, folder: Path, *command: str) -> str:
    environment = {"API": stack.outputs["ApiRootUrl"], "PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


def stored(stack: Stack, file_id: str) -> bytes:
    assert stack.files("PUT", [file_id]).json() == [file_id]
    return stack.download(file_id)


def test_curl_sends_a_file_in_parts(stack: Stack, folder: Path) -> None:
    (file_id,) = re.findall(r'"id": "(\w+)"', run(stack, folder, "sh", "-ec", recipe("sh")))
    assert stored(stack, file_id) == CONTENTS


def test_the_script_sends_a_file_in_parts_and_goes_on_with_it(stack: Stack, folder: Path) -> None:
    output = run(stack, folder, sys.executable, "upload.py", "film.mp4")
    file_id, token, *answer = output.split(maxsplit=2)
    hygiene.tokens.add(token)
    assert answer == [f'200 {{"id": "{file_id}"}}\n']
    assert stored(stack, file_id) == CONTENTS
    details = stack.details(file_id) or {}
    assert details["checksum"]["verified"] == "declared"
