"""What make refuses, it refuses before it installs anything."""

import subprocess
from pathlib import Path

import pytest

from tests import __main__ as everything
from tests.support import ROOT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["deploy", "ENV=staging"], "error: ENV is dev or prod, not staging"),
        (["publish"], "error: name the stack: make publish STACK=filestore-dev"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_wish_costs_no_installation(tmp_path: Path, arguments: list[str], said: str) -> None:
    environment = tmp_path / "environment"
    refused = subprocess.run(
        ["make", *arguments, f"VENV={environment}", "PYTHON=false"],  # noqa: S607 - the make of whoever runs the tests
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == said
    assert refused.stdout == ""
    assert not environment.exists()


def test_every_test_is_one_of_make_test() -> None:
    """They run in five processes, each with a list of folders."""
    wanted = {path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.*") if path.suffix in (".py", ".yaml")}
    lists = (
        *(everything.OF_STACKS, everything.OF_OUTAGES, everything.OF_PAGES),
        *(everything.OF_FUNCTIONS, everything.OF_THE_PROOF),
    )
    run = [Path(name) for files in lists for name in files]
    # What one leaves to another is in the other's list.
    left = [name.removeprefix("--ignore=") for files in lists for name in files if name.startswith("--ignore=")]
    assert set(left) < set(everything.OF_OUTAGES)
    assert [path for path in wanted if not any(path.is_relative_to(folder) for folder in run)] == []
