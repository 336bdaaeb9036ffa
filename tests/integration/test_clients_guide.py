"""Clients that standard generators make of the document, as the guide shows it: its lines run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from local import npm
from tests.stack import Stack
from tests.support import ROOT

FILES = {"Python": ("python", "keep.py"), "TypeScript": ("ts", "keep.mts")}


def block(language: str, chapter: str) -> str:
    """The block of code in this language that the guide has in this chapter."""
    guide = (ROOT / "docs/clients.md").read_text()
    (text,) = re.findall(rf"^## {chapter}\n(.*?)(?=^## |\Z)", guide, re.MULTILINE | re.DOTALL)
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.parametrize("chapter", FILES)
def test_uploads_stores_describes_lists_renames_and_deletes(stack: Stack, tmp_path: Path, chapter: str) -> None:
    npm.install(print, for_tests=True)
    language, name = FILES[chapter]
    (tmp_path / name).write_text(block(language, chapter))
    (tmp_path / "node_modules").symlink_to(ROOT / "static" / "node_modules")
    newest = stack.store(b"newest", name="the newest before.txt")
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block("sh", chapter)],  # noqa: S607 - the shell of whoever runs the tests
        cwd=tmp_path,
        env={
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "PAGE": stack.outputs["WebUrl"].rstrip("/"),
            "API": stack.outputs["ApiRootUrl"],
            "KEY": stack.outputs["ApiKey"],
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    said = dict(re.findall(r"^(stored|size|listed|renamed|deleted) (.+)$", told.stdout, re.MULTILINE))
    (file_id,) = re.findall(r"[0-9a-f]{32}", said["stored"])
    assert file_id != newest["id"]
    assert said["deleted"] == said["stored"]
    assert said["size"] == "17"
    assert re.findall(r"[\w. ]+txt", said["listed"]) == ["hello.txt"]
    assert said["renamed"] == "final.txt"
    details = stack.details(file_id)
    assert details
    assert (details["name"], "deleted_at" in details) == ("final.txt", True)
