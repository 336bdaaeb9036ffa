"""The examples for React and Vue: built from the packed package alone, and used."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.installed import STATIC, install, run
from tests.browser.pages import Pond
from tests.browser.service import Service, until
from tests.support import ROOT

BIN = STATIC / "node_modules" / ".bin"
IDS = "() => new FormData(document.forms[0]).getAll('ids').filter(Boolean)"


@pytest.fixture(scope="module", params=["react", "vue"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as Vite builds it, once TypeScript has nothing to say."""
    folder = install(tmp_path_factory.mktemp(request.param))
    shutil.copytree(ROOT / "examples" / request.param, folder, dirs_exist_ok=True)
    (folder / ".env").write_text("VITE_API_ROOT_URL=http://api.example\n")
    run([str(BIN / "tsc"), "--noEmit"], folder)
    run([str(BIN / "vite"), "build", "--base", "./", "--logLevel", "warn"], folder)
    return folder / "dist"


def chosen(name: str) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": b"contents"}


@pytest.mark.parametrize(("language", "path"), [("tsx", "react/src/Pictures.tsx"), ("vue", "vue/src/Pictures.vue")])
def test_the_guide_shows_what_is_tested_here(language: str, path: str) -> None:
    example = (ROOT / "examples" / path).read_text()
    assert f"```{language}\n{example}```\n" in (ROOT / "docs" / "front-end.md").read_text()
    assert len(example.splitlines()) <= 15


def test_uploads_takes_back_restores_and_submits(page: Page, site: Site, service: Service, built: Path) -> None:
    def fulfill(route: Route) -> None:
        path = built / "assets" / route.request.url.rsplit("/", 1)[-1]
        kind = "text/css" if path.suffix == ".css" else "text/javascript"
        route.fulfill(body=path.read_text().replace("http://api.example", service.url), content_type=kind)

    page.route("**/assets/*", fulfill)
    page.goto(site.add("example.html", (built / "index.html").read_text()))
    pond = Pond(page)
    documents, pictures = page.locator(".filepond--browser"), page.get_by_label("Add pictures")
    expect(pond.root).to_be_visible()
    documents.set_input_files([chosen("cv.txt"), chosen("mistake.txt")])
    pond.expect_uploaded(2)
    pictures.set_input_files([chosen("sunset.txt"), chosen("blurred.txt")])
    expect(page.get_by_text("uploaded")).to_have_count(2)

    pond.undo("mistake.txt")
    page.get_by_role("button", name="Remove blurred.txt").click()
    until(lambda: len(service.made("DELETE")) == 2)
    assert {call.path.split("-", 2)[2] for call in service.made("DELETE")} == {"mistake.txt", "blurred.txt"}

    before = page.evaluate(IDS)
    assert sorted(file_id.split("-", 2)[2] for file_id in before) == ["cv.txt", "sunset.txt"]
    page.reload()
    pond.expect_uploaded(1)
    expect(page.get_by_text("sunset.txt: uploaded")).to_be_visible()
    assert page.evaluate(IDS) == before

    page.get_by_role("button", name="Send").click()
    expect(page).to_have_title("Sent 2")
    page.reload()
    expect(pond.root).to_be_visible()
    expect(pond.items).to_have_count(0)
    assert page.evaluate(IDS) == []
    assert len(service.made("DELETE")) == 2
