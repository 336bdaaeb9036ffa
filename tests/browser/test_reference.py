"""The reference of the API, which Swagger UI draws from the document."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.stack import Stack
from tests.support import ROOT, SWAGGER

PICTURES = ROOT / "test-results" / "pages"
ROUTES = {
    f"{method.upper()} {path}" for path, item in SWAGGER["paths"].items() for method in item if method != "options"
}


def picture(page: Page, name: str) -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    path = PICTURES / f"reference-{name}.png"
    page.screenshot(path=path, full_page=True)
    return path


def shown(page: Page) -> set[str]:
    """The routes on the page, as it writes them."""
    found = page.locator(".opblock-summary").evaluate_all(
        "all => all.map((each) => ['method', 'path']"
        ".map((part) => each.querySelector(`.opblock-summary-${part}`).textContent.trim()).join(' '))"
    )
    # It allows a line to break at each slash.
    return {route.replace("\u200b", "") for route in found}


def test_shows_every_route_and_asks_nobody_else(page: Page, stack: Stack) -> None:
    """The console has to stay empty, as on every page: what the policy forbids would be there."""
    page.goto(stack.outputs["WebUrl"])
    expect(page.get_by_role("link", name="API reference")).to_have_attribute("href", "reference.html")
    page.goto("about:blank")
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.goto(stack.outputs["WebUrl"] + "reference.html")
    expect(page.locator(".opblock")).to_have_count(len(ROUTES))
    assert shown(page) == ROUTES
    assert asked == {urlsplit(stack.outputs["WebUrl"]).netloc}
    expect(page.get_by_role("button", name="Authorize")).to_have_count(0)
    picture(page, "light")

    page.emulate_media(color_scheme="dark")
    store = page.locator("#operations-Back_ends-store")
    store.locator(".opblock-summary-control").click()
    expect(store).to_contain_text("stored_on_load: the stack stores files as they arrive")
    expect(store).to_contain_text("5f0c8b0e6a7d4c1f9b2e3d4a5c6b7f80")
    expect(store.get_by_role("button", name=re.compile("Try it out|Execute"))).to_have_count(0)
    picture(page, "dark")

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    picture(page, "phone")
