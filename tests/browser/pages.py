"""The pages as a person meets them."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

PATIENCE = 30_000
expect.set_options(timeout=PATIENCE)

CORS = {"Access-Control-Allow-Origin": "*"}
RECORD_PROGRESS = """() => {
  window.progress = {};
  document.addEventListener('FilePond:processfileprogress', ({ detail: { file, progress } }) => {
    (window.progress[file.filename] ??= []).push(progress);
  });
}"""


class Network:
    """The browser's way to the world, as slow or broken as a test needs it."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")

    def slow(self, bytes_a_second: int) -> None:
        self._emulate(offline=False, uploadThroughput=bytes_a_second)

    def offline(self) -> None:
        self._emulate(offline=True)

    def normal(self) -> None:
        self._emulate(offline=False)

    def _emulate(self, **conditions: Any) -> None:
        unlimited = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self._devtools.send("Network.emulateNetworkConditions", unlimited | conditions)


class Pond:
    """FilePond on a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".filepond--root")
        self.items = page.locator(".filepond--item")
        # To end a session would end what another one emulates.
        self._devtools = page.context.new_cdp_session(page)

    def drop(self, *files: Path) -> None:
        """Drop files on it as the desktop does."""
        self.root.scroll_into_view_if_needed()
        box = self.root.bounding_box()
        assert box
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + 40}
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self._devtools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})

    def item(self, name: str) -> Locator:
        return self.items.filter(has=self.page.locator(".filepond--file-info-main", has_text=name))

    def press(self, button: str, name: str) -> None:
        """Press a button of a file; its name is the one that FilePond's style sheet has for it."""
        self.item(name).locator(f".filepond--action-{button}").click()

    def remove(self, name: str) -> None:
        """Take a file away that has not been uploaded."""
        self.press("remove-item", name)
        expect(self.item(name)).to_have_count(0)

    def undo(self, name: str) -> None:
        """Take a file back that has been uploaded."""
        self.press("revert-item-processing", name)
        expect(self.item(name)).to_have_count(0)

    def expect_uploaded(self, count: int) -> None:
        done = self.page.locator('.filepond--item[data-filepond-item-state="processing-complete"]')
        expect(done).to_have_count(count, timeout=2 * PATIENCE)
        expect(self.items).to_have_count(count)

    def ids(self) -> list[str]:
        """The ids that a form would submit."""
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.filepond--data input')].every(({ value }) => value)"
        )
        ids: list[str] = self.page.locator(".filepond--data input").evaluate_all("all => all.map(({ value }) => value)")
        return ids


class Form:
    """The page with the form."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pond = Pond(page)
        self.status = page.locator("#status")
        self.submit = page.locator("#submit")

    def open(self, url: str) -> "Form":
        self.page.goto(url)
        expect(self.page.locator(".filepond--root")).to_be_visible()
        return self

    def open_alone(self, site: str, api: str, query: str = "") -> "Form":
        """Open it as on a site that has no back end, for this API."""
        config = {
            "apiRootUrl": api,
            "backendUrl": None,
            "storeOnLoad": False,
            "unstoredFileLifetime": 3600,
            "maxFileSize": 5 * 1024**3,
        }
        self.page.route("**/config.json", lambda route: route.fulfill(json=config))
        return self.open(f"{site}index.html{query}")

    def choose(self, *files: tuple[str, str]) -> None:
        """Add files with these names and types by the browser's dialog."""
        chosen: Any = [{"name": name, "mimeType": kind, "buffer": b"x"} for name, kind in files]
        self.page.locator(".filepond--browser").set_input_files(chosen)

    def fill(self) -> None:
        self.page.get_by_label("Your name").fill("Ada Lovelace")
        self.page.get_by_label("Email").fill("ada@example.org")
        self.page.get_by_label("Position").select_option("Engineer")

    def send(self) -> list[str]:
        """Submit; answers the ids that the page shows."""
        self.submit.click()
        expect(self.page.locator("#result")).to_be_visible()
        ids: list[str] = self.page.locator("[data-file-id]").evaluate_all("all => all.map((row) => row.dataset.fileId)")
        return ids


class FilesPage:
    """The page with the stored files."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.rows = page.locator("#stored > [data-file-id]")

    def open(self, url: str) -> "FilesPage":
        self.page.goto(f"{url}files.html")
        return self

    def row(self, name: str) -> Locator:
        return self.rows.filter(has=self.page.locator(".file-name", has_text=name))

    def action(self, name: str, kind: str) -> Locator:
        """A link or a button of a file; on a phone its menu is opened for it."""
        row = self.row(name)
        menu = row.locator(".menu")
        if menu.is_visible() and menu.get_attribute("aria-expanded") == "false":
            menu.click()
        return row.locator(".row-actions").get_by_text(kind, exact=True)

    def delete(self, name: str) -> None:
        self.action(name, "Delete").click()
        self.page.locator("#confirm-delete").click()
        expect(self.row(name)).to_have_count(0)
