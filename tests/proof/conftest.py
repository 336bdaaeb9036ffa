from collections.abc import Callable, Iterator

import pytest

from tests.proof.proving import Proving, proving
from tests.support import ROOT

_sections: list[tuple[str, str]] = []


@pytest.fixture(scope="module")
def proof() -> Iterator[Proving]:
    """The handlers on AWS in memory. Other tests must not find them there."""
    with proving() as proof:
        yield proof


@pytest.fixture
def report() -> Callable[[str, object], None]:
    """Adds a section to the report of what was proven."""
    return lambda title, text: _sections.append((title, str(text)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _sections:
        return
    folder = ROOT / ".local" / "proof"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["# What was proven\n", *(f"## {title}\n\n```\n{text}\n```\n" for title, text in _sections)]
    (folder / "report.md").write_text("\n".join(lines))
    for title, text in _sections:
        terminalreporter.section(title)
        terminalreporter.write_line(text)
