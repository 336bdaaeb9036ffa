"""What a result rests on, in short: where this is the same, so is the result."""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.mutants.model import MYPY, ROOT


@functools.cache
def code() -> str:
    """Of the source, and of what every test uses."""
    return _digest(
        [
            *(ROOT / "source").rglob("*.py"),
            *(ROOT / "tests").glob("*.py"),
            ROOT / "tests/unit/conftest.py",
            *(ROOT / name for name in ("template.yaml", "monitoring.yaml", "swagger.yaml", "constraints.txt")),
        ]
    )


@functools.cache
def tests(killer: str) -> str:
    """Of the file of this test; where it is none, of all unit tests, or of what the type checker is told."""
    if killer == MYPY:
        return _digest([ROOT / "pyproject.toml"])
    file = ROOT / killer.split("::", maxsplit=1)[0]
    return _digest([file] if "::" in killer and file.exists() else (ROOT / "tests/unit").glob("*.py"))


def _digest(files: Iterable[Path]) -> str:
    sums = "".join(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()} " for path in sorted(files))
    return hashlib.sha256(sums.encode()).hexdigest()[:16]
