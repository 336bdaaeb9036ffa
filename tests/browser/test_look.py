"""How the pages look and read: every state of them, as pictures to look at and through axe-core."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.pages import FilesPage, Form
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack
from tests.support import ROOT

PICTURES = ROOT / "test-results" / "pages"
AXE = ROOT / "static" / "node_modules" / "axe-core" / "axe.min.js"

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "phone": {
        "color_scheme": "light",
        "viewport": {"width": 390, "height": 844},
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

    def check(self, state: str) -> None:
        """No violation of accessibility, nothing wider than the screen."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.wait_for_function(
            "() => document.getAnimations().every(({ playState, effect }) =>"
            " playState === 'finished' || effect.getTiming().iterations === Infinity)"
        )
        self.page.wait_for_function(
            "() => [...document.images].every(({ complete, naturalWidth }) => complete && naturalWidth)"
        )
        self.page.screenshot(path=PICTURES / f"{state}-{self.name}.png", full_page=True)
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
    files.row("sunset.png").get_by_role("button", name="Delete").click()
    expect(look.page.get_by_role("dialog")).to_be_visible()
    look.check("9-delete")
    look.page.get_by_role("button", name="Keep").click()
    for name in ("sunset.png", "Überblick.pdf"):
        files.delete(name)
    expect(look.page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()


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
