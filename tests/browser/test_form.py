"""The form that ``make run`` serves: what people do with their files, and what goes wrong on the way."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, Response, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.pages import FilesPage, Form, Network
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack

MEGABYTE = 1024 * 1024
NAMES = ['Überblick "final".pdf', "日本語.txt", "100%.pdf", "a'b&c;d=e+f #1?.pdf"]

RECORD_PROGRESS = """() => {
  window.progress = {};
  document.addEventListener('FilePond:processfileprogress', ({ detail: { file, progress } }) => {
    (window.progress[file.filename] ??= []).push(progress);
  });
}"""


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
                files.row(name).get_by_role("link", name="Download").click()
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


class TestTrouble:
    def test_offline_from_the_start_it_waits_and_goes_on(
        self, form: Form, network: Network, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        complaints.expect("ERR_INTERNET_DISCONNECTED")
        network.offline()
        form.pond.drop(file("patient.pdf"))
        expect(form.status).to_contain_text("You are offline. The upload goes on when the connection is back.")
        network.normal()
        form.pond.expect_uploaded(1)
        expect(form.status).to_have_text("1 file ready to send.")

    def test_offline_midway_it_waits_and_goes_on(
        self, form: Form, page: Page, stack: Stack, network: Network, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        complaints.expect("ERR_INTERNET_DISCONNECTED")
        contents = bytes(range(256)) * 4096 * 5
        page.evaluate(RECORD_PROGRESS)

        def break_off(route: Route) -> None:
            # Chromium leaves requests alone that are on their way when it is told to be offline.
            network.offline()
            route.abort("internetdisconnected")

        page.route("**/*X-Amz-Signature*", break_off, times=1)
        form.pond.drop(file("train.pdf", contents))
        expect(form.status).to_contain_text("You are offline.")
        network.normal()
        form.pond.expect_uploaded(1)
        steps = page.evaluate("window.progress['train.pdf']")
        assert steps == sorted(steps)
        form.fill()
        (file_id,) = form.send()
        assert stack.download(file_id) == contents

    def test_throttled_it_waits_for_its_turn(
        self, form: Form, page: Page, stack: Stack, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        complaints.expect("status of 429")
        refused: list[Response] = []
        page.on("response", lambda response: refused.append(response) if response.status == 429 else None)
        with throttled(stack):
            form.pond.drop(*(file(f"{number}.pdf") for number in range(5)))
            form.pond.expect_uploaded(5)
        assert refused

    def test_an_expired_address_is_replaced_by_a_fresh_one(
        self,
        page: Page,
        start_stack: Callable[..., Stack],
        complaints: Complaints,
        file: Callable[..., Path],
    ) -> None:
        complaints.expect("status of 403")
        stack = start_stack("--signed-url-expiration", "5")
        form = Form(page).open(stack.outputs["WebUrl"])
        puts: list[str] = []

        def sleep_through_the_first(route: Route) -> None:
            puts.append(route.request.url)
            if len(puts) == 1:
                time.sleep(6)
            route.continue_()

        page.route("**/*X-Amz-Signature*", sleep_through_the_first)
        form.pond.drop(file("late.pdf"))
        form.pond.expect_uploaded(1)
        assert len(puts) == 2
        assert form.pond.ids()[0] in puts[1]
        assert stack.versions(form.pond.ids()[0])

    def test_too_large_a_file_is_refused_before_anything_is_sent(
        self, form: Form, page: Page, file: Callable[..., Path]
    ) -> None:
        path = file("film.mp4")
        with path.open("r+b") as sparse:
            sparse.truncate(5 * 1024**3 + 1)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        form.pond.drop(path)
        expect(page.locator("#failures")).to_have_text("film.mp4: Too large. A file may have up to 5.00 GB")
        expect(form.submit).to_be_disabled()
        form.pond.remove("film.mp4")
        assert requests == []

    def test_a_type_that_is_not_asked_for_is_refused_before_anything_is_sent(
        self, form: Form, page: Page, file: Callable[..., Path]
    ) -> None:
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        form.pond.drop(file("setup.exe", b"MZ"))
        expect(page.locator("#failures")).to_contain_text("setup.exe: This type is not accepted. Send pictures, ")
        form.pond.remove("setup.exe")
        expect(page.locator("#failures")).to_be_empty()
        assert requests == []

    def test_what_cannot_be_kept_is_named_and_the_rest_can_be_sent(
        self, form: Form, page: Page, stack: Stack, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        complaints.expect("status of 409")
        form.fill()
        form.pond.drop(file("good.pdf"), file("lost.pdf"))
        form.pond.expect_uploaded(2)
        good, lost = form.pond.ids()
        assert stack.files("DELETE", [lost]).json() == [lost]
        form.submit.click()
        expect(page.locator("#failures")).to_contain_text("lost.pdf: ")
        expect(form.status).to_have_text("Not sent: 1 of 2 files could not be kept.")
        form.pond.undo("lost.pdf")
        assert form.send() == [good]
        assert stack.download(good) == b"contents"

    def test_without_the_back_end_nothing_is_lost(
        self, form: Form, page: Page, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        complaints.expect("ERR_CONNECTION_REFUSED")
        form.fill()
        form.pond.drop(file("kept.pdf"))
        form.pond.expect_uploaded(1)
        before = form.pond.ids()
        page.route("**/backend/**", lambda route: route.abort("connectionrefused"))
        form.submit.click()
        expect(page.locator("#failures")).to_have_text("The back end does not answer. Try again in a moment.")
        page.unroute("**/backend/**")
        assert form.send() == before


class TestStoringOnLoad:
    def test_the_form_works_where_files_are_stored_as_they_arrive(
        self, page: Page, start_stack: Callable[..., Stack], file: Callable[..., Path]
    ) -> None:
        stack = start_stack("--store-on-load", "True")
        form = Form(page).open(stack.outputs["WebUrl"])
        expect(page.locator("#steps")).to_contain_text("stored as it arrives")
        expect(page.locator("#lifetime")).to_be_hidden()
        form.fill()
        form.pond.drop(file("direct.pdf", PDF))
        form.pond.expect_uploaded(1)
        expect(form.status).to_have_text("1 file ready to send.")
        expect(page.locator('[data-step="stored"]')).to_have_attribute("aria-current", "step")
        expect(page.locator("#countdown")).to_be_hidden()
        files = FilesPage(page).open(stack.outputs["WebUrl"])
        expect(page.locator("#waiting")).to_contain_text("stored as they arrived")
        expect(page.get_by_text("Nobody has stored these yet")).to_be_hidden()
        expect(page.locator("#waiting-files")).to_have_text(re.compile(r"direct\.pdf125 bytes$"))
        form.open(stack.outputs["WebUrl"]).fill()
        form.pond.expect_uploaded(1)
        (file_id,) = form.send()
        assert stack.download(file_id) == PDF
        files.open(stack.outputs["WebUrl"])
        expect(files.row("direct.pdf")).to_be_visible()
        expect(page.locator("#waiting")).to_be_hidden()


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


@contextmanager
def throttled(stack: Stack) -> Iterator[None]:
    """Browsers together may ask for one upload a second, while the block runs."""
    gateway = stack.client("apigateway")
    api_id = stack.outputs["ApiRootUrl"].split("/restapis/")[1].split("/")[0]

    def limit(rate: str, burst: str) -> None:
        patches = {"rateLimit": rate, "burstLimit": burst}
        for path in ("/~1file/POST", "/file/POST"):
            gateway.update_stage(
                restApiId=api_id,
                stageName="dev",
                patchOperations=[
                    {"op": "replace", "path": f"{path}/throttling/{name}", "value": value}
                    for name, value in patches.items()
                ],
            )

    limit("1", "1")
    try:
        yield
    finally:
        limit("50", "100")


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
    files.row("secret.pdf").get_by_role("link", name="Change").click()
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
