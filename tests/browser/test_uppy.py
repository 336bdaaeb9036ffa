"""Uppy with Filestore: its Dashboard, its Golden Retriever, and its own plugin for S3, all as they are published."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.installed import STATIC, bundle, install
from tests.browser.parts import PartsService, number_of
from tests.browser.service import Service, until
from tests.stack import Stack
from tests.support import ROOT

PAGE = """<!doctype html>
<html lang="en">
<title>Uppy</title>
<link rel="icon" href="logo.svg">
<style>STYLE</style>
<main><div id="dashboard"></div><div id="files"></div></main>
<script>SCRIPT</script>
"""
DASHBOARD = """
import Uppy from '@uppy/core';
import Dashboard from '@uppy/dashboard';
import GoldenRetriever from '@uppy/golden-retriever';
import { FilestorePlugin, submitted, unsubmitted } from 'filestore-client/uppy';

Object.assign(window, { submitted, unsubmitted, ids: [] });
window.uppy = new Uppy({ autoProceed: location.hash !== '#wait' })
  .use(Dashboard, { inline: true, target: '#dashboard', height: 420, showRemoveButtonAfterComplete: true })
  .use(FilestorePlugin, { url: 'API_ROOT_URL', multipart: true })
  .on('upload-success', (file, { body }) => ids.push(body.id));
if (location.search === '?retriever') uppy.use(GoldenRetriever);
"""
FILE: FilePayload = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": bytes(9500)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("uppy"))


@pytest.fixture
def service() -> Iterator[PartsService]:
    service = PartsService()
    yield service
    service.stop()


@pytest.fixture
def open_uppy(page: Page, site: Site, installed: Path) -> Callable[..., Page]:
    """Opens a page with this script, which its packages are bundled with, for this API."""

    def open_(script: str, url: str, query: str = "") -> Page:
        packages = STATIC / "node_modules" / "@uppy"
        style = "".join((packages / name / "dist" / "style.min.css").read_text() for name in ("core", "dashboard"))
        bundled = bundle(installed, script.replace("API_ROOT_URL", url)).replace("</script", "<\\/script")
        html = PAGE.replace("STYLE", style).replace("SCRIPT", bundled)
        page.goto(site.add("uppy.html", html) + query)
        page.wait_for_function("typeof uppy === 'object'")
        return page

    return open_


def add(page: Page, *files: FilePayload) -> None:
    page.locator("input.uppy-Dashboard-input").first.set_input_files(list(files))


def test_the_dashboard_pauses_resumes_cancels_and_takes_back(
    page: Page, open_uppy: Callable[..., Page], service: PartsService, complaints: Complaints
) -> None:
    complaints.expect("status of 503")
    service.hold_from(5)
    open_uppy(DASHBOARD, service.url)
    add(page, FILE)
    until(lambda: len(service.sent()) == 8)
    expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Uploading: 84%")
    page.get_by_role("button", name="Pause upload").first.click()
    expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Paused")
    service.release()
    page.screenshot(path=pictures() / "uppy-paused.png")
    page.get_by_role("button", name="Resume upload").first.click()
    expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Complete")
    assert page.evaluate("ids") == ["large-1"]
    assert service.complete == {"large-1": bytes(9500)}
    assert sorted(service.sent()[8:]) == [5, 6, 7, 8, 9, 10]

    # After a reload it is there, and can be taken back.
    page.reload()
    expect(page.locator(".uppy-Dashboard-Item.is-complete")).to_contain_text("film.mp4")
    page.screenshot(path=pictures() / "uppy-restored.png")
    page.get_by_role("button", name="Remove file").click()
    until(lambda: len(service.made("DELETE")) == 1)
    assert page.evaluate("unsubmitted()") == []

    # What is cancelled while it is under way is taken back as well.
    service.plan = lambda call: until(lambda: len(service.made("DELETE")) == 2) if call.method == "PUT" else None
    add(page, FILE)
    until(lambda: len(service.begun) == 1)
    page.get_by_role("button", name="Cancel").first.click()
    until(lambda: len(service.made("DELETE")) == 2)
    expect(page.locator(".uppy-Dashboard-Item")).to_have_count(0)


def test_golden_retriever_goes_on_with_what_has_arrived(
    page: Page, open_uppy: Callable[..., Page], service: PartsService, complaints: Complaints
) -> None:
    """The tab was closed when four of ten parts had arrived. It kept the file itself."""
    complaints.expect("status of 503")
    service.hold_from(5)
    open_uppy(DASHBOARD, service.url, "?retriever")
    add(page, FILE)
    until(lambda: len(service.sent()) == 8)
    page.wait_for_function(
        """() => new Promise((resolve) => {
          const opening = indexedDB.open('uppy-blobs');
          opening.onsuccess = () => {
            const store = opening.result.transaction('files').objectStore('files');
            store.count().onsuccess = ({ target }) => { opening.result.close(); resolve(target.result === 1); };
          };
        })"""
    )
    page.reload()
    service.release()
    service.calls.clear()
    expect(page.locator(".uppy-Dashboard-serviceMsg")).to_contain_text("Session restored")
    page.get_by_role("button", name=re.compile("Resume|Upload 1")).first.click()
    expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Complete")
    assert page.evaluate("ids") == ["large-1"]
    assert sorted(service.sent()) == [5, 6, 7, 8, 9, 10]
    assert number_of(service.made("PUT")[0]) >= 5


def pictures() -> Path:
    folder = ROOT / "test-results" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def guide(pattern: str) -> str:
    """A snippet of the guide for pages."""
    found = re.search(pattern, (ROOT / "docs" / "front-end.md").read_text(), re.DOTALL)
    assert found
    return found[1]


class TestTheDashboardOfTheGuide:
    """Its first snippet about Uppy, as it stands."""

    @pytest.fixture
    def snippet(self) -> str:
        snippet = guide(r"## Uppy\n\n```js\n(.*?)```")
        assert len(snippet.splitlines()) <= 15
        address = "https://….execute-api.….amazonaws.com/dev"
        assert address in snippet
        return snippet.replace(address, "API_ROOT_URL") + "window.uppy = uppy;\n"

    @pytest.fixture
    def logged(self, page: Page) -> list[str]:
        logged: list[str] = []
        page.on("console", lambda message: logged.append(message.text) if message.type == "log" else None)
        return logged

    def test_uploads_what_the_back_end_stores(
        self, page: Page, open_uppy: Callable[..., Page], stack: Stack, snippet: str, logged: list[str]
    ) -> None:
        open_uppy(snippet, stack.outputs["ApiRootUrl"])
        add(page, {"name": "Überblick 100%.txt", "mimeType": "text/plain", "buffer": b"hello"})
        page.get_by_role("button", name="Upload 1 file").click()
        expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Complete")
        assert stack.files("PUT", logged).json() == logged
        (details,) = stack.files("POST", logged).json()
        assert (details["name"], details["size"], details["type"]) == ("Überblick 100%.txt", 5, "text/plain")
        assert stack.download(details["id"]) == b"hello"

    def test_says_why_the_api_refuses(
        self, page: Page, open_uppy: Callable[..., Page], snippet: str, logged: list[str], complaints: Complaints
    ) -> None:
        complaints.expect("status of 400|Not with this name")
        service = Service()
        service.plan = lambda _: (400, '{"message": "Not with this name.", "code": "invalid_body"}')
        try:
            open_uppy(snippet, service.url)
            add(page, {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"})
            page.get_by_role("button", name="Upload 1 file").click()
            expect(page.get_by_role("button", name="Not with this name.")).to_be_visible()
            expect(page.locator(".uppy-StatusBar-status")).to_contain_text("Upload failed")
        finally:
            service.stop()
        assert logged == []
        assert [call.method for call in service.calls] == ["POST"]


RECIPE = """
import Uppy from '@uppy/core';
import AwsS3 from '@uppy/aws-s3';

const apiRootUrl = 'API_ROOT_URL';
window.uppy = new Uppy();
RECIPE
"""


class TestTheGuide:
    """Its recipe for Uppy's own plugin."""

    @pytest.fixture
    def recipe(self) -> str:
        recipe = guide(r"```js\n(uppy\.use\(AwsS3, \{.*?)```")
        assert len(recipe.splitlines()) <= 10
        return RECIPE.replace("RECIPE", recipe)

    def test_uploads_what_the_back_end_stores(
        self, page: Page, open_uppy: Callable[..., Page], stack: Stack, recipe: str
    ) -> None:
        open_uppy(recipe, stack.outputs["ApiRootUrl"])
        ids = page.evaluate(
            """() => {
              const name = 'Überblick 100%.txt';
              uppy.addFile({ name, type: 'text/plain', data: new File(['hello'], name, { type: 'text/plain' }) });
              return uppy.upload().then(({ successful }) => successful.map(({ response }) => response.body.key));
            }"""
        )
        assert stack.files("PUT", ids).json() == ids
        (details,) = stack.files("POST", ids).json()
        assert (details["name"], details["size"], details["type"]) == ("Überblick 100%.txt", 5, "text/plain")
        assert stack.download(ids[0]) == b"hello"

    def test_fails_where_the_api_refuses(
        self, page: Page, open_uppy: Callable[..., Page], recipe: str, complaints: Complaints
    ) -> None:
        complaints.expect("status of 400|Failed|Not with this name|S3")
        service = Service()
        service.plan = lambda _: (400, '{"message": "Not with this name.", "code": "invalid_body"}')
        try:
            open_uppy(recipe, service.url)
            errors = page.evaluate(
                """() => {
                  uppy.addFile({ name: 'a.txt', data: new Blob(['hello']) });
                  return uppy.upload().then(({ failed }) => failed.map(({ error }) => error));
                }"""
            )
        finally:
            service.stop()
        assert errors == ["Not with this name."]
        assert [call.method for call in service.calls] == ["POST"]
