"""What the documents say of the code is so."""

import re
from pathlib import Path

import pytest

from tests.support import ROOT, SWAGGER, TEMPLATE

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "architecture").glob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target


def test_the_readme_names_every_parameter() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in TEMPLATE["Parameters"] if f"`{name}`" not in readme] == []


def test_the_readme_names_every_route() -> None:
    readme = (ROOT / "README.md").read_text()
    routes = [
        f"`{method.upper()} {path}`"
        for path, item in SWAGGER["paths"].items()
        for method in item
        if method != "options"
    ]
    assert [route for route in routes if route not in readme] == []


def test_the_diagram_shows_every_function() -> None:
    drawn = (ROOT / "architecture/overview.svg").read_text()
    handlers = [path.stem for path in (ROOT / "source/filestore/handlers").glob("*.py") if path.stem != "__init__"]
    assert [handler for handler in handlers if f">{handler}<" not in drawn] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_mentioned_is_there(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)) <= targets
