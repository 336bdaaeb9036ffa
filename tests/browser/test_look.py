"""How the pages look and read: every state of them, as pictures to look at and through axe-core."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.pages import FilesPage, Form
from tests.browser.pictures import PDF, SUNSET
from tests.browser.service import Service
from tests.browser.stored import LONG, StoredFiles, stored_file
from tests.stack import Stack
from tests.support import ROOT

PICTURES = ROOT / "test-results" / "pages"
AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"

REASON = "A name has at most 765 octets in UTF-8, and no characters that turn the direction of others."

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 360, "height": 780},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}


class Look:
    """One way to look at the pages. Every state that is checked leaves its picture in test-results/pages."""

    def __init__(self, name: str, page: Page) -> None:
        self.name = name
        self.page = page

    def check(self, state: str, *, whole: bool = True) -> None:
        """No violation of accessibility, nothing wider than the screen."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_function(
            "() => document.getAnimations().every(({ playState, effect }) =>"
            " playState === 'finished' || effect.getTiming().iterations === Infinity)"
        )
        self.page.wait_for_function(
            "() => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth)"
        )
        self.page.screenshot(path=PICTURES / f"{state}-{self.name}.png", full_page=whole)
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("() => axe.run({ resultTypes: ['violations'] })")["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        assert self.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture(scope="module")
def empty_stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of this module's own: its tests leave nothing behind in it."""
    return start_stack()


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest, browser: Browser, complaints: Complaints) -> Iterator[Look]:
    # Motion is reduced so that a picture does not depend on when it is taken.
    context = browser.new_context(**LOOKS[request.param], reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    complaints.watch(page)
    yield Look(request.param, page)
    context.close()


@pytest.mark.parametrize("look", ["light", "phone"], indirect=True)
def test_the_whole_story(look: Look, empty_stack: Stack, file: Callable[..., Path]) -> None:
    url = empty_stack.outputs["WebUrl"]
    files = FilesPage(look.page).open(url)
    expect(look.page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()
    look.check("1-no-files")

    form = Form(look.page).open(url)
    look.check("2-form")
    form.fill()
    form.pond.drop(file("Überblick.pdf", PDF), file("sunset.png", SUNSET))
    form.pond.expect_uploaded(2)
    look.check("3-uploaded")
    form.pond.drop(file("setup.exe", b"MZ"))
    expect(look.page.locator("#failures")).to_contain_text("setup.exe")
    look.check("4-refused")
    form.pond.remove("setup.exe")

    files.open(url)
    expect(look.page.get_by_role("heading", name="Uploaded, but not sent")).to_be_visible()
    look.check("5-not-sent")
    form.open(url)
    form.pond.expect_uploaded(2)
    look.check("6-restored")
    form.fill()
    form.send()
    look.check("7-sent")

    files.open(url)
    expect(files.rows).to_have_count(2)
    look.check("8-files")
    files.action("sunset.png", "Delete").click()
    expect(look.page.get_by_role("dialog")).to_be_visible()
    look.check("9-delete")
    look.page.get_by_role("button", name="Keep").click()
    for name in ("sunset.png", "Überblick.pdf"):
        files.delete(name)
    expect(look.page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()


@pytest.mark.parametrize("look", ["dark", "phone"], indirect=True)
def test_the_files_in_every_state(look: Look, site: Site, complaints: Complaints) -> None:
    """What a back end of the test's own lists: a few, a hundred and twenty, none that is found, trouble."""
    complaints.expect("status of 502")
    url = f"http://127.0.0.1:{site.port}/"
    named = [stored_file(0, LONG), stored_file(1, "photo.webp", type="image/webp", application_id=None, applicant=None)]
    gone = stored_file(2, "gone.pdf", deleted_at="2026-11-28T13:00:00.000Z")
    backend = StoredFiles(look.page, *named, gone)
    backend.problems = {named[0]["id"]: {"code": "try_again", "message": "It cannot be done."}}
    files = FilesPage(look.page).open(url)
    expect(files.rows).to_have_count(2)
    look.check("20-few-files")
    look.page.get_by_label("Show deleted ones").check()
    expect(files.rows).to_have_count(3)
    files.row(LONG).get_by_role("checkbox").check()
    look.page.get_by_role("button", name="Delete selected").click()
    look.page.locator("#confirm-delete").click()
    expect(files.row(LONG)).to_contain_text("Not deleted")
    files.action("photo.webp", "Download")
    look.page.evaluate("document.documentElement.dir = 'rtl'")
    look.check("21-not-deleted-right-to-left")
    look.page.get_by_label("Search by name").fill("nothing like it")
    look.page.context.set_offline(True)
    expect(look.page.locator("#offline")).to_be_visible()
    look.check("22-not-found-offline")
    look.page.context.set_offline(False)
    backend.error = (502, {"code": "key_refused", "message": "The key is not accepted."})
    look.page.goto(f"{url}files.html?lang=de")
    expect(look.page.get_by_role("alert")).to_contain_text("API-Schlüssel")
    look.check("23-key-refused-in-german")
    backend.error = None
    backend.PAGE = 120
    backend.files = [stored_file(number) for number in range(121)]
    look.page.get_by_role("button", name="Noch einmal versuchen").click()
    expect(files.rows).to_have_count(120)
    look.page.get_by_label("Alle gezeigten auswählen").check()
    look.page.get_by_role("button", name="Ausgewählte löschen").click()
    expect(look.page.get_by_role("dialog", name="120 Dateien löschen?")).to_be_visible()
    look.check("24-many-files-in-german", whole=False)


@pytest.mark.parametrize(("look", "count"), [("phone", 30), ("dark", 120)], indirect=["look"])
def test_the_form_in_every_state(look: Look, count: int, site: Site, service: Service, complaints: Complaints) -> None:
    """More files than fit or than are taken, some that are refused, and after a reload without a connection."""
    complaints.expect("status of 400")
    url = f"http://127.0.0.1:{site.port}/"
    form = Form(look.page).open_alone(url, service.url)
    form.choose(*((f"{number}.txt", "text/plain") for number in range(count)))
    expect(form.status).to_have_text(f"{min(count, 100)} files ready to send.", timeout=60_000)
    look.check("30-many-files")

    # Another tab has none of them.
    look.page = page = look.page.context.new_page()
    complaints.watch(page)
    form = Form(page).open_alone(url, service.url, "?lang=de")
    service.plan = lambda call: (400, json.dumps({"message": REASON})) if b"remarks" in call.body else None
    form.choose(
        (LONG, "application/pdf"), ("setup.exe", "application/x-msdownload"), ("Zeugnis.pdf", "application/pdf")
    )
    expect(page.locator("#failures p")).to_have_count(2)
    expect(form.pond.item("Zeugnis.pdf")).to_contain_text("Hochgeladen")
    expect(form.status).to_have_text(re.compile("^2 Dateien konnten nicht"))
    page.evaluate("document.documentElement.dir = 'rtl'")
    look.check("31-refused-in-german-right-to-left")
    form.open(f"{url}index.html?lang=fr")
    form.pond.expect_uploaded(1)
    page.context.set_offline(True)
    expect(form.status).to_have_text(re.compile("^Vous êtes hors ligne."))
    expect(form.submit).to_be_disabled()
    look.check("32-restored-offline-in-french")
    page.context.set_offline(False)


def test_while_the_back_end_is_busy_and_when_it_fails(look: Look, empty_stack: Stack, complaints: Complaints) -> None:
    url = empty_stack.outputs["WebUrl"]
    held: list[Route] = []
    look.page.route("**/backend/files*", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks its handlers
    FilesPage(look.page).open(url)
    expect(look.page.locator("#stored")).to_have_attribute("aria-busy", "true")
    look.check("10-busy")
    complaints.expect("ERR_CONNECTION_REFUSED")
    (route,) = held
    route.abort("connectionrefused")
    expect(look.page.get_by_role("alert")).to_contain_text("The back end does not answer")
    look.check("11-files-unavailable")
    look.page.unroute("**/backend/files*")
    look.page.get_by_role("button", name="Try again").click()
    expect(look.page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()


def test_when_the_service_is_not_there(look: Look, empty_stack: Stack, complaints: Complaints) -> None:
    complaints.expect("ERR_CONNECTION_REFUSED")
    look.page.route("**/_user_request_/file", lambda route: route.abort("connectionrefused"))
    look.page.goto(empty_stack.outputs["WebUrl"])
    expect(look.page.get_by_role("heading", name="Uploads are not possible right now")).to_be_visible()
    look.check("12-service-unavailable")
    look.page.unroute("**/_user_request_/file")
    look.page.get_by_role("button", name="Try again").click()
    expect(look.page.locator(".filepond--root")).to_be_visible()
