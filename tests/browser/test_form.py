"""The form that ``make run`` serves: what people do with their files."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.pages import RECORD_PROGRESS, FilesPage, Form, Network
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack

MEGABYTE = 1024 * 1024
NAMES = ['Überblick "final".pdf', "日本語.txt", "100%.pdf", "a'b&c;d=e+f #1?.pdf"]


def granted(page: Page, act: Callable[[], None]) -> str:
    """The id that the page is given for the upload that this starts."""
    with page.expect_response(
        lambda response: response.url.endswith("/file") and response.request.method == "POST"
    ) as answer:
        act()
    file_id: str = answer.value.json()["id"]
    return file_id


def is_gone(stack: Stack, file_id: str) -> bool:
    details = stack.details(file_id)
    return details is not None and "deleted_at" in details and stack.versions(file_id) == []


class TestDropping:
    def test_a_file_arrives_byte_for_byte_once_the_back_end_has_stored_it(
        self, form: Form, stack: Stack, file: Callable[..., Path]
    ) -> None:
        contents = bytes(range(256)) * 1000
        form.fill()
        form.pond.drop(file("report.pdf", contents))
        form.pond.expect_uploaded(1)
        (file_id,) = form.send()
        assert stack.files("PUT", [file_id]).json() == [file_id]
        assert stack.download(file_id) == contents
        details = stack.details(file_id)
        assert details
        assert (details["name"], details["size"], details["type"]) == ("report.pdf", 256_000, "application/pdf")

    def test_twenty_files_at_once_all_arrive_and_progress_never_goes_back(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        contents = {f"page-{number:02}.pdf": bytes([number]) * (2 * MEGABYTE + number) for number in range(20)}
        page.evaluate(RECORD_PROGRESS)
        form.fill()
        form.pond.drop(*(file(name, body) for name, body in contents.items()))
        form.pond.expect_uploaded(20)
        progress = page.evaluate("window.progress")
        assert progress.keys() == contents.keys()
        assert all(steps == sorted(steps) and steps[0] >= 0 and steps[-1] == 1 for steps in progress.values())
        ids = form.send()
        described = {each["name"]: each for each in stack.files("POST", ids).json()}
        assert {name: each["size"] for name, each in described.items()} == {
            name: len(body) for name, body in contents.items()
        }
        for name in ("page-00.pdf", "page-19.pdf"):
            assert stack.download(described[name]["id"]) == contents[name]

    def test_names_of_any_kind_survive_the_round_trip(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        form.fill()
        form.pond.drop(*(file(name, PDF) for name in NAMES))
        form.pond.expect_uploaded(len(NAMES))
        ids = form.send()
        assert {each["name"] for each in stack.files("POST", ids).json()} == set(NAMES)
        files = FilesPage(page).open(stack.outputs["WebUrl"])
        for name in NAMES:
            with page.expect_download() as download:
                files.action(name, "Download").click()
            # Chromium itself replaces what some file systems do not take.
            assert download.value.suggested_filename == name.replace('"', "_").replace("?", "_")
            assert Path(download.value.path()).read_bytes() == PDF

    def test_an_empty_file_is_a_file_too(self, form: Form, stack: Stack, file: Callable[..., Path]) -> None:
        form.fill()
        form.pond.drop(file("nothing.txt", b""))
        form.pond.expect_uploaded(1)
        (file_id,) = form.send()
        assert stack.download(file_id) == b""


class TestTakingBack:
    def test_cancelling_midway_leaves_nothing_behind(
        self, form: Form, page: Page, stack: Stack, network: Network, file: Callable[..., Path]
    ) -> None:
        network.slow(200_000)
        path = file("long.pdf", bytes(20 * MEGABYTE))
        with page.expect_request(lambda request: request.method == "PUT"):
            first = granted(page, lambda: form.pond.drop(path))
        with page.expect_response(lambda response: response.request.method == "DELETE") as undone:
            form.pond.press("abort-item-processing", "long.pdf")
        assert undone.value.status == 204
        assert is_gone(stack, first)
        expect(form.pond.items).to_have_count(0)
        network.normal()
        form.pond.drop(path)
        form.pond.expect_uploaded(1)
        assert form.pond.ids() != [first]

    def test_undo_removes_the_upload_and_its_id(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        form.pond.drop(file("kept.pdf"), file("mistake.pdf"))
        form.pond.expect_uploaded(2)
        kept, mistake = form.pond.ids()
        with page.expect_response(lambda response: response.request.method == "DELETE"):
            form.pond.undo("mistake.pdf")
        assert form.pond.ids() == [kept]
        assert is_gone(stack, mistake)
        assert stack.versions(kept)

    def test_a_submitted_file_is_never_taken_back(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        deletions: list[Request] = []
        form.fill()
        form.pond.drop(file("final.pdf"))
        form.pond.expect_uploaded(1)
        (file_id,) = form.send()
        page.on("request", lambda request: deletions.append(request) if request.method == "DELETE" else None)
        page.evaluate("FilePond.find(document.querySelector('.filepond--root')).removeFiles({ revert: true })")
        expect(form.pond.items).to_have_count(0)
        page.get_by_role("button", name="Send another application").click()
        assert deletions == []
        assert stack.download(file_id) == b"contents"


class TestReloading:
    def test_a_reload_before_submitting_restores_the_file(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        form.pond.drop(file("Überblick.pdf", PDF), file("sunset.png", SUNSET))
        form.pond.expect_uploaded(2)
        before = set(form.pond.ids())
        page.reload()
        form.pond.expect_uploaded(2)
        assert set(form.pond.ids()) == before
        expect(form.pond.item("Überblick.pdf")).to_contain_text("125 bytes")
        form.fill()
        assert set(form.send()) == before
        contents = {each["name"]: stack.download(each["id"]) for each in stack.files("POST", list(before)).json()}
        assert contents == {"Überblick.pdf": PDF, "sunset.png": SUNSET}
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(form.pond.items).to_have_count(0)

    def test_a_restored_file_can_be_undone(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        form.pond.drop(file("mistake.pdf"))
        form.pond.expect_uploaded(1)
        (file_id,) = form.pond.ids()
        page.reload()
        form.pond.expect_uploaded(1)
        with page.expect_response(lambda response: response.request.method == "DELETE") as undone:
            form.pond.undo("mistake.pdf")
        assert undone.value.status == 204
        assert is_gone(stack, file_id)
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(form.pond.items).to_have_count(0)

    def test_another_tab_knows_nothing_of_it(self, form: Form, stack: Stack, file: Callable[..., Path]) -> None:
        form.pond.drop(file("mine.pdf"))
        form.pond.expect_uploaded(1)
        other = Form(form.page.context.new_page()).open(stack.outputs["WebUrl"])
        expect(other.pond.items).to_have_count(0)

    def test_no_token_is_ever_in_an_address(self, form: Form, page: Page, file: Callable[..., Path]) -> None:
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        form.pond.drop(file("mine.pdf"))
        form.pond.expect_uploaded(1)
        (upload,) = page.evaluate("Object.values(JSON.parse(sessionStorage.getItem('filestore-uploads')))")
        page.reload()
        form.pond.expect_uploaded(1)
        form.pond.undo("mine.pdf")
        assert urls
        assert len(upload["token"]) > 20
        assert [url for url in urls if upload["token"] in url] == []


class TestWithTheKeyboardAlone:
    def test_a_form_is_filled_in_and_sent(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        # From here on Chromium asks the test for files, whenever the dialog would open.
        page.on("filechooser", lambda _: None)
        keyboard = page.keyboard
        keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the form")).to_be_focused()
        keyboard.press("Enter")
        keyboard.press("Tab")
        expect(page.get_by_label("Your name")).to_be_focused()
        keyboard.type("Ada Lovelace")
        keyboard.press("Tab")
        keyboard.type("ada@example.org")
        keyboard.press("Tab")
        keyboard.type("Eng")
        expect(page.get_by_label("Position")).to_have_value("Engineer")
        keyboard.press("Tab")
        expect(page.locator(".filepond--browser")).to_be_focused()
        with page.expect_file_chooser() as chooser:
            keyboard.press("Enter")
        chooser.value.set_files([file("first.pdf"), file("second.pdf")])
        form.pond.expect_uploaded(2)
        self.tab_to(page, "Remove")
        with page.expect_response(lambda response: response.request.method == "DELETE"):
            keyboard.press("Enter")
        expect(form.pond.items).to_have_count(1)
        self.tab_to(page, "Send application")
        keyboard.press("Enter")
        expect(page.locator("#result-title")).to_be_focused()
        ids = page.locator("[data-file-id]").evaluate_all("all => all.map((row) => row.dataset.fileId)")
        assert [stack.download(file_id) for file_id in ids] == [b"contents"]

        self.tab_to(page, "See the files")
        keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Stored files")).to_be_visible()
        expect(page.locator(f'[data-file-id="{ids[0]}"]')).to_be_visible()
        self.tab_to(page, "Delete")
        keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.get_by_role("button", name="Delete").first).to_be_focused()

    @staticmethod
    def tab_to(page: Page, name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent").strip().startswith(name):
                return
        raise AssertionError(f"Tab never comes to {name}")


def test_the_api_key_never_reaches_the_browser(
    browser: Browser, stack: Stack, file: Callable[..., Path], tmp_path: Path
) -> None:
    """Everything that the browser is sent through the whole story is recorded and searched."""
    record = tmp_path / "record.har"
    context = browser.new_context(record_har_path=record, record_har_content="embed")
    page = context.new_page()
    form = Form(page).open(stack.outputs["WebUrl"])
    form.fill()
    form.pond.drop(file("secret.pdf", PDF))
    form.pond.expect_uploaded(1)
    (file_id,) = form.send()
    files = FilesPage(page).open(stack.outputs["WebUrl"])
    files.action("secret.pdf", "Change").click()
    expect(form.pond.item("secret.pdf")).to_be_visible()
    expect(form.status).to_have_text("1 file ready to send.")
    files.open(stack.outputs["WebUrl"])
    files.delete("secret.pdf")
    context.close()

    entries = json.loads(record.read_text())["log"]["entries"]
    said: dict[str, str] = {}
    for entry in entries:
        content = entry["response"]["content"]
        text = content.pop("text", "")
        if content.get("encoding") == "base64":
            text = base64.b64decode(text).decode("latin-1")
        name = entry["request"]["url"].rsplit("/", 1)[-1].split("?")[0]
        said[name] = said.get(name, "") + json.dumps(entry) + text
    expected = {"files.html", "page.js", "uploader.js", "files.js", "config.json", "applications", "files", "file"}
    assert expected | {file_id} <= said.keys()
    assert stack.outputs["ApiRootUrl"] in said["config.json"]
    assert [name for name, text in said.items() if stack.outputs["ApiKey"] in text] == []
