"""What make installs, and when: each list once, whole or not at all, by one make at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT


class Project:
    """A folder with a list, and a virtual environment whose Python writes down what it is asked to install."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.list = folder / "requirements/run.txt"
        self.constraints = folder / "constraints.txt"
        self.stamp = folder / "venv/.run"
        self._log = folder / "log"
        for path, text in ((self.list, "-c ../constraints.txt\nflask\n"), (self.constraints, "flask==3.1.3\n")):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        self.pip("exit 0")

    def pip(self, script: str) -> None:
        """What pip does from now on."""
        python = self.folder / "venv/bin/python"
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f'#!/bin/sh\ntest "$1" = -c && exit 0\necho "$@" >> {self._log}\n{script}\n')
        python.chmod(0o755)

    def start(self) -> "subprocess.Popen[str]":
        """Begin to install."""
        return subprocess.Popen(
            [sys.executable, ROOT / "tools/install.py", self.stamp, self.list, "what is needed"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def install(self) -> tuple[int, str]:
        """Exit status, and what was said."""
        process = self.start()
        said, errors = process.communicate(timeout=60)
        return process.returncode, said + errors

    def installations(self) -> int:
        """How often pip was run."""
        return len(self._log.read_text().splitlines()) if self._log.exists() else 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_is_installed_is_not_installed_again(project: Project) -> None:
    assert project.install() == (0, "Installing what is needed ...\n")
    assert project.install() == (0, "")
    assert project.installations() == 1


def test_a_list_that_was_touched_but_not_changed_is_not_installed_again(project: Project) -> None:
    """Another branch and back again: git writes the files anew."""
    project.install()
    os.utime(project.stamp, (1, 1))
    assert project.install() == (0, "")
    assert project.stamp.stat().st_mtime >= project.list.stat().st_mtime


@pytest.mark.parametrize("changed", ["list", "constraints"])
def test_a_changed_list_is_installed(project: Project, changed: str) -> None:
    project.install()
    path: Path = getattr(project, changed)
    path.write_text(f"{path.read_text()}requests\n")
    assert project.install() == (0, "Installing what is needed ...\n")
    assert project.installations() == 2


def test_what_failed_is_told_and_tried_again(project: Project) -> None:
    project.pip("echo Collecting flask; echo ERROR: no such version >&2; exit 1")
    status, said = project.install()
    assert status == 1
    assert "ERROR: no such version\nIs the network there? Then try again." in said
    assert not project.stamp.exists()
    project.pip("exit 0")
    assert project.install()[0] == 0
    assert project.installations() == 2


def test_of_two_at_once_one_installs(project: Project) -> None:
    begun, go = project.folder / "begun", project.folder / "go"
    os.mkfifo(begun)
    os.mkfifo(go)
    project.pip(f"echo > {begun}; cat {go} > /dev/null")
    first = project.start()
    begun.read_text()
    second = project.start()
    assert second.stdout is not None
    assert second.stdout.readline() == "Another make installs here. Waiting for it ...\n"
    go.write_text("on")
    assert first.communicate(timeout=60)[1] == second.communicate(timeout=60)[1] == ""
    assert (first.returncode, second.returncode, project.installations()) == (0, 0, 1)


def test_what_takes_long_is_told_meanwhile(project: Project) -> None:
    go = project.folder / "go"
    os.mkfifo(go)
    project.pip(f"echo Collecting flask; echo Installing collected packages: click, flask; cat {go} > /dev/null")
    process = project.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "Installing what is needed ...\n"
    assert process.stdout.readline() == "    2 s: packages installed: 0 of 2\n"
    (project.folder / "venv/lib/python3.11/site-packages/click-8.dist-info").mkdir(parents=True)
    assert process.stdout.readline() == "    4 s: packages installed: 1 of 2\n"
    go.write_text("on")
    assert process.communicate(timeout=60) == ("", "")
