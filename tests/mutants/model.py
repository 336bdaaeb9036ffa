"""The words of the mutation tests."""

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCE = str(ROOT / "source" / "filestore")

MYPY = "(mypy)"
"""What has killed a mutant that the type checker refuses."""


class Mutant(NamedTuple):
    """A module with one change. ``place`` is the function, method, class or constant; empty for what is in none.

    ``twin`` counts the changes before it that look the same, of another line with the same text.
    """

    module: str
    place: str
    diff: str
    code: str
    twin: int = 0

    @property
    def path(self) -> Path:
        """The file that it is a mutant of."""
        return ROOT / "source" / Path(*self.module.split(".")).with_suffix(".py")

    @property
    def where(self) -> str:
        """What is changed, by its full name."""
        return f"{self.module}.{self.place}" if self.place else self.module

    @property
    def key(self) -> str:
        """The same as long as the place and the change are, wherever in the file they are."""
        text = f"{self.where}\n{self.diff}" + f"\n{self.twin}" * bool(self.twin)
        return hashlib.sha256(text.encode()).hexdigest()[:20]


class Run(NamedTuple):
    """What a run of tests has said: pytest's exit code, the test that failed, and by test what it took and ran.

    ``calls`` are functions by file and qualified name, ``lines`` those of functions that were run, by file.
    """

    code: int
    failed: str
    calls: dict[str, list[tuple[str, str]]]
    seconds: dict[str, float]
    lines: dict[str, dict[str, list[int]]] = MappingProxyType({})  # type: ignore[assignment]


class Job(NamedTuple):
    """What to run: tests, or whole files to see what their tests call. ``seconds`` is what they took last."""

    mutant: Mutant | None
    tests: list[str]
    seconds: float
