"""What make installs, and when: each list once, whole or not at all, by one make at a time."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT


class Project:
    """A folder with a list, and a virtual environment whose uv and pip write down what they are asked to install."""

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
        self.uv("exit 0")

    def pip(self, script: str, *, config: str = "") -> None:
        """What pip does from now on, and what it is configured for."""
        self._script(
            "python", f'test "$1" = -c && exit 0\ntest "$3" = config && {{ echo "{config}"; exit 0; }}\n', script
        )

    def uv(self, script: str) -> None:
        """What uv does from now on."""
        self._script("uv", "", script)

    def without_uv(self) -> None:
        """A virtual environment that is new."""
        (self.folder / "venv/bin/uv").unlink()

    def _script(self, name: str, first: str, then: str) -> None:
        path = self.folder / "venv/bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\n{first}echo "{name} $*" >> {self._log}\n{then}\n')
        path.chmod(0o755)

    def start(self, **environment: str) -> "subprocess.Popen[str]":
        """Begin to install."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "SSL_"))}
        return subprocess.Popen(
            [sys.executable, ROOT / "tools/install.py", self.stamp, self.list, "what is needed"],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean | environment,
        )  # fmt: skip

    def install(self, **environment: str) -> tuple[int, str]:
        """Exit status, and what was said."""
        process = self.start(**environment)
        said, errors = process.communicate(timeout=60)
        return process.returncode, said + errors

    def asked(self) -> list[str]:
        """What uv and pip were asked for, in order."""
        return self._log.read_text().splitlines() if self._log.exists() else []

    def installations(self) -> int:
        """How often the list was installed."""
        return sum(str(self.list) in line for line in self.asked())


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
    project.uv("echo no solution; exit 1")
    project.pip("echo ERROR: no such version >&2; exit 1")
    status, said = project.install()
    assert status == 1
    assert "ERROR: no such version\nIs the network there? Then try again." in said
    assert not project.stamp.exists()
    project.pip("exit 0")
    assert project.install()[0] == 0
    assert [line.split()[0] for line in project.asked()] == ["uv", "python", "uv", "python"]


def test_pip_installs_what_uv_cannot(project: Project) -> None:
    """An index that only the user's pip can reach; a platform that uv is not made for."""
    project.uv("exit 2")
    assert project.install() == (0, "Installing what is needed ...\n")
    project.list.write_text("requests\n")
    project.without_uv()
    project.pip('case "$*" in *uv-requirements.txt) exit 1;; esac')
    assert project.install() == (0, "Installing what is needed ...\n")
    asked = [re.sub(r"\S+/", "", line) for line in project.asked()]
    quietly = "--no-input --disable-pip-version-check --progress-bar off --no-compile"
    assert asked == [
        "uv pip install --python python --requirement run.txt",
        f"python -m pip install {quietly} --requirement run.txt",
        f"python -m pip install {quietly} --requirement uv-requirements.txt",
        f"python -m pip install {quietly} --requirement run.txt",
    ]


def test_uv_installs_from_where_pip_does(project: Project) -> None:
    """A company's pip.conf names its index and its certificates. What is said to uv itself goes before."""
    told = project.folder / "told"
    config = (
        "global.cert='/etc/ssl/ours.pem'\nglobal.extra-index-url='https://other.example/simple'\n:env:.timeout='180'\n"
        ":env:.index-url='https://index.example/simple'"
    )
    project.pip("exit 0", config=config)
    project.uv(f"env | grep -E '^(UV_|SSL_CERT_FILE)' | sort > {told}")
    assert project.install()[0] == 0
    assert told.read_text().splitlines() == [
        "SSL_CERT_FILE=/etc/ssl/ours.pem",
        "UV_DEFAULT_INDEX=https://index.example/simple",
        "UV_SYSTEM_CERTS=true",
    ]
    project.list.write_text("requests\n")
    assert project.install(UV_DEFAULT_INDEX="https://mine.example/simple")[0] == 0
    assert "UV_DEFAULT_INDEX=https://mine.example/simple" in told.read_text()


def test_of_two_at_once_one_installs(project: Project) -> None:
    begun, go = project.folder / "begun", project.folder / "go"
    os.mkfifo(begun)
    os.mkfifo(go)
    project.uv(f"echo > {begun}; cat {go} > /dev/null")
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
    project.uv(f"cat {go} > /dev/null")
    process = project.start()
    assert process.stdout is not None
    assert process.stdout.readline() == "Installing what is needed ...\n"
    assert process.stdout.readline() == "    2 s: looking for packages\n"
    (project.folder / "venv/lib/python3.11/site-packages/click-8.dist-info").mkdir(parents=True)
    assert process.stdout.readline() == "    4 s: packages installed: 1\n"
    go.write_text("on")
    assert process.communicate(timeout=60) == ("", "")
