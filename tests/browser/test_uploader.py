"""uploader.js on pages of other people's, from another origin than anything of Filestore's."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import FORM, Complaints, Site
from tests.browser.pages import CORS, Pond
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack, eventually


def label(pond: Pond, name: str) -> Any:
    return expect(pond.item(name).locator(".filepond--file-status-main"))


class TestSetup:
    def test_two_arguments_are_enough(
        self, open_form: Callable[..., Pond], stack: Stack, file: Callable[..., Path]
    ) -> None:
        pond = open_form()
        pond.drop(file("a.bin"), file("b.bin"))
        pond.expect_uploaded(2)
        assert stack.files("PUT", pond.ids()).json() == pond.ids()

    def test_options_work_where_filepond_is_set_up_elsewhere(
        self, page: Page, site: Site, stack: Stack, file: Callable[..., Path]
    ) -> None:
        html = FORM.replace(
            "FilestoreUploader.setup('API_ROOT_URL/', '#documents', options)",
            "FilePond.create(document.querySelector('#documents'), FilestoreUploader.options('API_ROOT_URL', options))",
        )
        page.goto(
            site.add("options.html", html.replace("API_ROOT_URL", stack.outputs["ApiRootUrl"]).replace("SCRIPT", "{}"))
        )
        pond = Pond(page)
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        page.reload()
        pond.expect_uploaded(1)

    def test_nothing_to_put_it_on_is_said(self, open_form: Callable[..., Pond], page: Page) -> None:
        open_form()
        message = page.evaluate(
            "() => { try { FilestoreUploader.setup('x', '#none') } catch (error) { return error.message } }"
        )
        assert message == "There is no element #none."

    def test_files_are_not_fetched_from_elsewhere(self, open_form: Callable[..., Pond], page: Page) -> None:
        open_form()
        assert page.evaluate("createServer('x').fetch") is None

    def test_headers_go_along_with_every_call(
        self, open_form: Callable[..., Pond], page: Page, file: Callable[..., Path]
    ) -> None:
        pond = open_form("{ headers: { 'x-tenant': 'blue' } }")
        seen: dict[str, str | None] = {}

        def note(route: Route) -> None:
            seen[route.request.method] = route.request.headers.get("x-tenant")
            route.continue_()

        # With the route in between the preflight is Playwright's, which allows the header.
        page.route(re.compile("/_user_request_/"), note)
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        pond.undo("a.bin")
        assert seen == {"POST": "blue", "DELETE": "blue"}

    def test_meta_of_strings_goes_to_the_record(self, open_form: Callable[..., Pond], page: Page, stack: Stack) -> None:
        pond = open_form()
        page.evaluate("window.pond.addFile(new File(['x'], 'a.txt'), { metadata: { kind: 'cv', crop: { zoom: 1 } } })")
        pond.expect_uploaded(1)
        details = stack.details(pond.ids()[0])
        assert details
        assert details["meta"] == {"kind": "cv"}


class TestRefusals:
    """Without FilePond's own plugins to do it."""

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ("{ maxFileSize: 2048 }", "Too large: a file may have up to 2 KB."),
            ("{ acceptedFileTypes: ['image/*', 'application/pdf'] }", "Files of this type are not accepted."),
        ],
    )
    def test_come_before_anything_is_sent(
        self, open_form: Callable[..., Pond], page: Page, file: Callable[..., Path], options: str, message: str
    ) -> None:
        pond = open_form(options)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        pond.drop(file("a.txt", bytes(2049)))
        label(pond, "a.txt").to_have_text(message)
        assert requests == []

    def test_accepted_types_are_accepted(self, open_form: Callable[..., Pond], file: Callable[..., Path]) -> None:
        pond = open_form("{ acceptedFileTypes: ['image/*', 'application/pdf'] }")
        pond.drop(file("a.pdf", PDF), file("b.png", SUNSET))
        pond.expect_uploaded(2)

    def test_of_the_service_are_told_in_its_words(
        self, open_form: Callable[..., Pond], page: Page, complaints: Complaints
    ) -> None:
        complaints.expect("status of 400")
        open_form()
        page.evaluate("window.pond.addFile(new File(['x'], 'x'.repeat(300) + '.txt')).catch(() => undefined)")
        status = page.locator(".filepond--file-status-main")
        expect(status).to_have_text("A name has 1 to 255 characters, its directory not counted.")
        assert page.locator(".filepond--data input").evaluate_all("all => all.map(({ value }) => value)") == [""]

    def test_of_the_browser_itself_hint_at_the_page(
        self, open_form: Callable[..., Pond], page: Page, complaints: Complaints, file: Callable[..., Path]
    ) -> None:
        """A library that traces requests has added a header that the API does not expect."""
        complaints.expect("blocked by CORS policy|ERR_FAILED")
        page.add_init_script(
            "const [ask, later] = [fetch, setTimeout];"
            "window.setTimeout = (act, time) => later(act, time < 25_000 ? Math.min(time, 50) : time);"
            "const traced = (init) => ({ ...init, headers: { ...init?.headers, traceparent: '00-1-1-00' } });"
            "window.fetch = (url, init) => ask(url, traced(init));"
        )
        pond = open_form()
        pond.drop(file("a.bin"))
        label(pond, "a.bin").to_have_text("No connection to the service, or it does not take requests from this page.")


class TestRetries:
    def test_a_storage_that_is_busy_for_a_moment_does_no_harm(
        self,
        open_form: Callable[..., Pond],
        page: Page,
        stack: Stack,
        complaints: Complaints,
        file: Callable[..., Path],
    ) -> None:
        complaints.expect("status of 503")
        pond = open_form("{ onwait: (file, message) => (window.waits ??= []).push([file.name, message]) }")
        page.route("**/*X-Amz-Signature*", lambda route: route.fulfill(status=503, headers=CORS), times=2)
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        assert page.evaluate("window.waits") == [["a.bin", "Trying again …"], ["a.bin", ""]] * 2
        assert stack.files("PUT", pond.ids()).json() == pond.ids()

    def test_an_undo_that_fails_is_repeated(
        self,
        open_form: Callable[..., Pond],
        page: Page,
        stack: Stack,
        complaints: Complaints,
        file: Callable[..., Path],
    ) -> None:
        complaints.expect("status of 503")
        pond = open_form()
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        (file_id,) = pond.ids()
        page.route(f"**/file/{file_id}", lambda route: route.fulfill(status=503, headers=CORS), times=2)
        pond.undo("a.bin")

        def is_gone() -> bool:
            # Playwright answers the page only while it is asked for something itself.
            page.wait_for_timeout(100)
            return stack.versions(file_id) == []

        eventually(is_gone)

    def test_an_undo_that_goes_on_failing_leaves_the_upload_to_expire(
        self,
        open_form: Callable[..., Pond],
        page: Page,
        stack: Stack,
        complaints: Complaints,
        file: Callable[..., Path],
    ) -> None:
        complaints.expect("status of 400")
        pond = open_form()
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        (file_id,) = pond.ids()
        page.route(f"**/file/{file_id}", lambda route: route.fulfill(status=400, headers=CORS))
        pond.undo("a.bin")
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(pond.items).to_have_count(0)
        assert stack.versions(file_id)

    def test_a_file_that_is_gone_from_the_disk_is_said_to_be(
        self, open_form: Callable[..., Pond], complaints: Complaints, page: Page, file: Callable[..., Path]
    ) -> None:
        complaints.expect("ERR_FILE_NOT_FOUND|ERR_UPLOAD_FILE_CHANGED|ERR_ACCESS_DENIED|CORS|ERR_FAILED")
        pond = open_form("{ instantUpload: false }")
        path = file("a.bin")
        pond.drop(path)
        expect(pond.item("a.bin")).to_be_visible()
        path.unlink()
        page.evaluate("window.pond.processFiles().catch(() => undefined)")
        label(pond, "a.bin").to_have_text("The file cannot be read any more. Add it again.")
