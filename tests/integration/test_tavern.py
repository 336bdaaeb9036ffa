"""The tavern files, run as an operator runs them against any deployment."""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.stack import Stack
from tests.support import ROOT

FILES = sorted((ROOT / "tests/integration").glob("*.tavern.yaml"))


def test_there_are_the_four() -> None:
    assert [path.name for path in FILES] == [
        f"test_{operation}_file.tavern.yaml" for operation in ("delete", "download", "store", "upload")
    ]


def with_dependencies(name: str, seen: set[str]) -> Iterator[Distribution]:
    """An installed package and all that it asks for."""
    if name in seen:
        return
    seen.add(name)
    package = distribution(name)
    yield package
    for requirement in map(Requirement, package.requires or []):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from with_dependencies(requirement.name.lower(), seen)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has tavern, pytest and nothing of ours."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    for package in with_dependencies("tavern", set()):
        for name in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(Path(str(package.locate_file(name))))
    return folder / "bin/python"


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_passes_with_tavern_ci_where_nothing_of_ours_is_installed(stack: Stack, bare_python: Path, file: Path) -> None:
    """Whoever has a deployment and a key can test it: ``pip install tavern``, and no more."""
    finished = subprocess.run(
        [bare_python, Path(sys.executable).parent / "tavern-ci", file.relative_to(ROOT)],
        cwd=ROOT,
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
