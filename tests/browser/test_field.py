"""FilePond as a field of a form: what a form sends, what a reload leaves, what is offered when something is refused."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Dialog, FilePayload, Page, expect

from tests.browser.conftest import FORM, Complaints, Site
from tests.browser.pages import Pond
from tests.browser.service import Service, until

ADD = "(name) => void window.pond.addFile(new File(['contents'], name)).catch(() => undefined)"
REMOVE = "(name) => pond.removeFile(pond.getFiles().find(({ filename }) => filename === name).id)"
IDS = "() => new FormData(document.forms[0]).getAll('documents')"


@pytest.fixture
def message(page: Page) -> Any:
    return expect(page.locator(".filestore-message"))


def add(page: Page, *names: str) -> None:
    for name in names:
        page.evaluate(ADD, name)


def begin(page: Page, service: Service, name: str) -> None:
    """An upload that goes on until the service is opened."""
    service.open.clear()
    before = len(service.made("PUT"))
    add(page, name)
    until(lambda: len(service.made("PUT")) > before)


def names(page: Page) -> list[str]:
    """Those of the files whose ids the form would send."""
    return [file_id.split("-", 2)[2] for file_id in page.evaluate(IDS)]


class TestSending:
    def test_is_held_while_a_file_is_uploaded(
        self, page: Page, open_field: Callable[..., Pond], service: Service, message: Any
    ) -> None:
        pond = open_field()
        begin(page, service, "a.bin")
        address = page.url
        page.locator("#send").click()
        message.to_have_text("Wait until the files are uploaded, or remove them.")
        assert page.url == address
        service.open.set()
        pond.expect_uploaded(1)
        message.to_have_count(0)
        page.locator("#send").click()
        page.wait_for_url("**/field.html?documents=id-1-a.bin")

    def test_is_held_while_a_file_has_failed(
        self, page: Page, open_field: Callable[..., Pond], service: Service, complaints: Complaints, message: Any
    ) -> None:
        complaints.expect("status of 400")
        service.plan = lambda call: (400, '{"message": "Not this one."}') if b"bad" in call.body else None
        pond = open_field()
        add(page, "good.bin", "bad.bin")
        label = pond.item("bad.bin").locator(".filepond--file-status-main")
        expect(label).to_have_text("Not this one.")
        page.locator("#send").click()
        message.to_have_text("A file could not be uploaded. Try it again, or remove it.")
        pond.remove("bad.bin")
        message.to_have_count(0)
        page.locator("#send").click()
        page.wait_for_url("**/field.html?documents=id-*-good.bin")

    def test_by_a_script_has_ids_alone(self, page: Page, open_field: Callable[..., Pond], service: Service) -> None:
        """Nothing can hold form.submit()."""
        pond = open_field()
        assert page.evaluate(IDS) == []
        add(page, "done.bin")
        pond.expect_uploaded(1)
        begin(page, service, "under way.bin")
        assert page.evaluate(IDS) == ["id-1-done.bin"]

    def test_starts_what_waits_for_it(self, page: Page, open_field: Callable[..., Pond], message: Any) -> None:
        pond = open_field("{ instantUpload: false }")
        add(page, "a.bin")
        expect(pond.item("a.bin")).to_be_visible()
        page.locator("#send").click()
        pond.expect_uploaded(1)
        message.to_have_count(0)

    def test_without_filepond_is_not_possible_and_that_is_said(
        self, page: Page, site: Site, complaints: Complaints, service: Service, message: Any
    ) -> None:
        complaints.expect("FilePond has to be loaded")
        html = re.sub(r'<script src="vendor.*?</script>', "", FORM).replace(
            "</form>", '<button id="send">Send</button></form>'
        )
        address = site.add("bare.html", html.replace("SCRIPT", "{}").replace("API_ROOT_URL", service.url))
        page.goto(address)
        message.to_contain_text("Files cannot be added right now")
        page.locator("#documents").set_input_files({"name": "hello.txt", "mimeType": "text/plain", "buffer": b"hello"})
        page.locator("#send").click()
        assert page.url == address
        assert page.evaluate(IDS) == []


class TestLeaving:
    def test_in_the_middle_of_an_upload_is_asked_about_and_afterwards_said(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        pond = open_field()
        page.locator("body").click()  # Chromium asks nobody who has done nothing on the page
        begin(page, service, "film 100%.mp4")
        asked: list[str] = []

        def stay_away(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        page.on("dialog", stay_away)
        page.reload()
        expect(pond.item("film 100%.mp4")).to_contain_text("The upload was interrupted. Add the file again.")
        assert asked == ["beforeunload"]
        assert page.evaluate(IDS) == []
        service.open.set()
        until(lambda: len(service.made("DELETE")) == 1)
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(pond.items).to_have_count(0)
        assert asked == ["beforeunload"]

    def test_restores_in_the_order_in_which_files_were_added(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        pond = open_field("{ itemInsertLocation: 'after' }")
        begin(page, service, "first and slow.bin")
        service.open.set()
        add(page, "second.bin", "third.bin")
        pond.expect_uploaded(3)
        page.reload()
        pond.expect_uploaded(3)
        assert names(page) == ["first and slow.bin", "second.bin", "third.bin"]

    def test_restores_nothing_where_the_page_s_address_asks_for_something_else(
        self, page: Page, open_field: Callable[..., Pond]
    ) -> None:
        open_field(address="query.html?application=1")
        add(page, "a.bin")
        Pond(page).expect_uploaded(1)
        other = open_field(address="query.html?application=2")
        expect(other.items).to_have_count(0)
        open_field(address="query.html?application=1").expect_uploaded(1)

    def test_a_copy_of_the_tab_has_nothing_of_it(self, page: Page, open_field: Callable[..., Pond]) -> None:
        """Its storage starts as a copy: an undo there would take a file away that is still submitted here."""
        pond = open_field()
        add(page, "a.bin")
        pond.expect_uploaded(1)
        with page.context.expect_page() as opened:
            page.evaluate("() => void window.open(location.href)")
        expect(opened.value.locator(".filepond--root")).to_be_visible()
        assert opened.value.evaluate("() => FilestoreUploader.unsubmitted()") == []
        assert opened.value.evaluate("() => window.pond.getFiles().length") == 0
        opened.value.close()
        page.reload()
        pond.expect_uploaded(1)


class TestAfterSubmitting:
    NEXT_PAGE = """<script type="module">
      import { submitted } from './filestore-client/src/client.js';
      submitted(JSON.parse(decodeURIComponent(location.hash.slice(1))));
      parent.postMessage('done');
    </script>"""
    # A frame has the tab's storage and scripts of its own, as the next page has.
    OPEN = """(ids) => new Promise((resolve) => {
      addEventListener('message', resolve, { once: true });
      const frame = document.createElement('iframe');
      frame.src = `next.html#${encodeURIComponent(JSON.stringify(ids))}`;
      document.body.append(frame);
    })"""

    def test_nothing_takes_a_file_back_that_another_page_has_handed_over(
        self, page: Page, open_field: Callable[..., Pond], site: Site, service: Service
    ) -> None:
        """The browser's Back shows the form as it was, with its script still knowing how to undo."""
        pond = open_field("{ restoreAs: false }")
        add(page, "a.bin", "b.bin")
        pond.expect_uploaded(2)
        site.add("next.html", self.NEXT_PAGE)
        page.evaluate(self.OPEN, page.evaluate(IDS))
        pond.undo("a.bin")
        assert service.made("DELETE") == []
        page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        expect(pond.items).to_have_count(0)
        assert service.made("DELETE") == []


class TestShowingAgain:
    AGAIN = """() => window.pond.setOptions(
      FilestoreUploader.options(API, { restoreAs: 'mine', labelIdle: 'Other words' })
    )"""

    def test_with_new_options_keeps_what_is_there(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        """A component makes its options anew whenever it is rendered."""
        pond = open_field("{ restoreAs: 'mine' }")
        add(page, "restored.bin")
        pond.expect_uploaded(1)
        page.reload()
        pond.expect_uploaded(1)
        add(page, "done.bin")
        pond.expect_uploaded(2)
        begin(page, service, "under way.bin")
        page.evaluate(self.AGAIN.replace("API", json.dumps(service.url)))
        expect(page.locator(".filepond--drop-label")).to_contain_text("Other words")
        begin(page, service, "new.bin")
        expect(pond.items).to_have_count(4)
        page.evaluate(REMOVE, "under way.bin")
        until(lambda: len(service.made("DELETE")) == 1)
        assert service.made("DELETE")[0].path.endswith("under way.bin")
        service.open.set()
        pond.expect_uploaded(3)
        assert sorted(names(page)) == ["done.bin", "new.bin", "restored.bin"]


class TestTakingAway:
    def test_by_a_script_in_the_middle_of_an_upload_takes_it_back(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        pond = open_field()
        begin(page, service, "a.bin")
        page.evaluate("() => window.pond.removeFile(window.pond.getFiles()[0].id)")
        expect(pond.items).to_have_count(0)
        until(lambda: len(service.made("DELETE")) == 1)
        assert page.evaluate("() => sessionStorage.getItem('filestore-uploads')") == "{}"


class TestRefusals:
    @pytest.mark.parametrize(("status", "is_offered"), [(400, False), (429, True)])
    def test_that_are_final_offer_no_retry(
        self,
        page: Page,
        open_field: Callable[..., Pond],
        service: Service,
        complaints: Complaints,
        status: int,
        is_offered: bool,
    ) -> None:
        complaints.expect(f"status of {status}")
        service.plan = lambda _: (status, json.dumps({"message": "No.", "code": "no"}))
        # Thirty refusals are a matter of minutes otherwise.
        page.add_init_script(
            "const later = setTimeout; window.setTimeout = (act, time) => later(act, Math.min(time, 50));"
        )
        pond = open_field()
        add(page, "a.bin")
        item = pond.item("a.bin")
        expect(item).to_have_attribute("data-filepond-item-state", "processing-error")
        retry = item.locator(".filepond--action-retry-item-processing")
        hint = item.locator(".filepond--file-status-sub")
        for part in (retry, hint):
            expect(part).to_be_visible() if is_offered else expect(part).to_be_hidden()

    def test_of_more_files_than_there_may_be_take_the_first_and_name_the_rest(
        self, page: Page, open_field: Callable[..., Pond], message: Any
    ) -> None:
        pond = open_field("{ maxFiles: 3, itemInsertLocation: 'after' }")
        files: list[FilePayload] = [
            {"name": f"{number}.txt", "mimeType": "text/plain", "buffer": b"x"} for number in range(5)
        ]
        page.locator(".filepond--browser").set_input_files(files)
        message.to_have_text("At most 3 files can be added. Left out: 3.txt, 4.txt")
        pond.expect_uploaded(3)
        assert names(page) == ["0.txt", "1.txt", "2.txt"]

    def test_of_addresses_that_cannot_be_fetched_have_words(
        self, page: Page, open_field: Callable[..., Pond], complaints: Complaints
    ) -> None:
        complaints.expect("ERR_CONNECTION_REFUSED|ERR_UNSAFE_PORT|CORS")
        pond = open_field()
        page.evaluate("() => void window.pond.addFile('http://127.0.0.1:1/pic.png').catch(() => undefined)")
        expect(pond.item("pic.png")).to_contain_text("It could not be fetched from its address. Save it, and add it")

    @pytest.mark.parametrize("answer", ["isGood", "Promise.resolve(isGood)", "isGood ? undefined : false"])
    def test_of_the_page_itself_send_nothing(
        self, page: Page, open_field: Callable[..., Pond], service: Service, answer: str
    ) -> None:
        """Uploads begin when FilePond asks whether a file is to be added: with the answer, not with the question."""
        pond = open_field(
            f"{{ beforeAddFile: ({{ filename }}) => {{ const isGood = filename !== 'bad.bin'; return {answer}; }} }}"
        )
        add(page, "bad.bin", "good.bin")
        pond.expect_uploaded(1)
        expect(pond.items).to_have_count(1)
        assert [call.json["name"] for call in service.made("POST")] == ["good.bin"]
