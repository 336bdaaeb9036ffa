"""Whoever builds with the SAM CLI as usual deploys the same code, not packages as pip leaves them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import support
from tools import build

FUNCTIONS = sorted(
    name for name, each in support.TEMPLATE["Resources"].items() if each["Type"] == "AWS::Serverless::Function"
)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_asks_source_makefile_for_each_function(function: str) -> None:
    """One that lacked the metadata would be built by the SAM CLI itself, and start four times as slowly."""
    metadata = support.TEMPLATE["Resources"][function]["Metadata"]
    assert (metadata["BuildMethod"], metadata["WorkingDirectory"]) == ("makefile", ".")
    planned = subprocess.run(
        # By a make that knows nothing of the one that runs the tests.
        ["/usr/bin/env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", "make", "-n", "-f", "source/Makefile",
         f"build-{function}", "ARTIFACTS_DIR=/built"],
        cwd=support.ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert re.fullmatch(r'\S+ -m tools\.build --for-sam "/built"\n', planned)


def test_looks_for_the_python_of_the_runtime() -> None:
    version, _ = build.target()
    assert f"command -v python{version} " in (support.ROOT / "source/Makefile").read_text()


def test_gets_the_code_of_make_build_made_once(unpacked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SHARED", tmp_path / "shared")
    build.fill(tmp_path / "UploadFunction", Path(sys.executable))
    monkeypatch.setattr(build, "_make", None)
    build.fill(tmp_path / "SweepFunction", Path(sys.executable))
    for function in ("UploadFunction", "SweepFunction"):
        assert contents(tmp_path / function) == contents(unpacked)


def test_is_refused_without_the_python_of_the_runtime(tmp_path: Path) -> None:
    """The SAM CLI would keep the warning to itself, and every cold start would take twice as long."""
    with pytest.raises(build.BuildError, match=r"sam build needs Python 3\.13"):
        build.fill(tmp_path, None)


def test_needs_no_package() -> None:
    """The SAM CLI may be installed anywhere, and then a bare Python runs this."""
    subprocess.run([sys.executable, "-S", "-c", "import tools.build"], cwd=support.ROOT, check=True)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
