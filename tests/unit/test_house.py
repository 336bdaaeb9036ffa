"""What keeps the house readable."""

from tests.support import ROOT

ROOMS = ("source", "local", "ops", "tools", "bench", "tests", "static/web", "static/filestore-client", "examples")
KINDS = {".py", ".js", ".ts", ".tsx", ".vue", ".css", ".html", ".mjs"}
MADE = {"node_modules", "dist", "__pycache__"}


def test_no_file_of_code_is_over_300_lines() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in KINDS]
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in files
        if not MADE & set(path.parts)
    }
    assert len(lengths) > 300
    assert {name: length for name, length in lengths.items() if length > 300} == {}
