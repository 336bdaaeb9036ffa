"""What the documents say of the code is so, and said in the words of the glossary."""

import re
from pathlib import Path

import pytest

from tests.support import ROOT, SWAGGER, TEMPLATE

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "architecture").glob("*.md")])
DECISIONS = sorted((ROOT / "architecture").glob("decisions*.md"))


def anchors(document: Path) -> set[str]:
    """What GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_said_twice(document: Path) -> None:
    """Two versions of a document, put together line by line, say everything twice."""
    text = re.sub(r"^(```|~~~).*?^\1$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    parts = re.split(r"\n\n+|\n(?=- |\d+\. |#)", text)
    beginnings = [" ".join(part.split()[:9]) for part in parts if len(part.split()) >= 9 and part[0] != "|"]
    assert [part for part in beginnings if beginnings.count(part) > 1] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_within_the_repository_lead_somewhere(document: Path) -> None:
    text = document.read_text()
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", text):
        leads_to = document.parent / target if target else document
        assert leads_to.exists(), target
        assert not anchor or anchor in anchors(leads_to), f"{target}#{anchor}"
    for source in re.findall(r'src="([^":]+)"', re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        assert (document.parent / source).exists(), source


def test_the_guide_names_every_parameter() -> None:
    guide = (ROOT / "docs/parameters.md").read_text()
    assert [name for name in TEMPLATE["Parameters"] if f"`{name}`" not in guide] == []


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


def test_every_diagram_is_drawn_from_what_lies_beside_it() -> None:
    folder = ROOT / "architecture"
    assert {path.stem for path in folder.glob("*.svg")} == {path.stem for path in folder.glob("*.dot")}
    for source in folder.glob("*.dot"):
        nodes = re.findall(r"^ +(\w+) \[label=", source.read_text(), re.MULTILINE)
        drawn = source.with_suffix(".svg").read_text()
        assert [node for node in nodes if f"<title>{node}</title>" not in drawn] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_that_is_mentioned_is_there(document: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", document.read_text(), re.MULTILINE)) <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_one_thing_has_one_word(document: Path) -> None:
    """architecture/glossary.md has the word to use."""
    others = re.compile(r"\b(embedded AWS|placeholder|asked-for)\b", re.IGNORECASE)
    assert others.findall(document.read_text()) == []


@pytest.mark.parametrize("document", DECISIONS, ids=lambda path: path.name)
def test_every_decision_has_a_date_and_a_status(document: Path) -> None:
    decisions = re.findall(r"^## (.+)\n(.*)$", document.read_text(), re.MULTILINE)
    assert len(decisions) > 5
    form = re.compile(r"\d{4}-\d\d-\d\d, (accepted|superseded by \[.+\]\(.+\))\. ")
    assert [title for title, first in decisions if not form.match(first)] == []


def test_every_decision_is_there_once() -> None:
    titles = [title for document in DECISIONS for title in re.findall(r"^## (.+)$", document.read_text(), re.MULTILINE)]
    assert sorted(titles) == sorted(set(titles))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_no_document_is_longer_than_anybody_reads(document: Path) -> None:
    assert len(document.read_text().splitlines()) <= 300
