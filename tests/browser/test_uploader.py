"""uploader.js on pages of other people's, from another origin than anything of Filestore's."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.pages import Pond
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack, eventually
from tests.support import ROOT, UNKNOWN_ID

STATIC = ROOT / "static"
UPLOADER = STATIC / "web" / "uploader.js"

FORM = """<!doctype html>
<title>A form</title>
<link rel="icon" href="logo.svg">
<link rel="stylesheet" href="vendor/filepond/filepond.min.css">
<form><input type="file" name="documents" id="documents" multiple></form>
<script src="vendor/filepond/filepond.min.js"></script>
<script type="module">
  import { createServer, FilestoreUploader } from './uploader.js';
  Object.assign(window, { createServer, FilestoreUploader });
  const options = SCRIPT;
  window.pond = FilestoreUploader.setup('API_ROOT_URL/', '#documents', options);
</script>
"""


@pytest.fixture
def open_form(page: Page, site: Site, stack: Stack) -> Callable[..., Pond]:
    """Opens a page with FilePond and these options, in JavaScript."""

    def open_(options: str = "{}", name: str = "form.html") -> Pond:
        html = FORM.replace("SCRIPT", options).replace("API_ROOT_URL", stack.outputs["ApiRootUrl"])
        page.goto(site.add(name, html))
        expect(page.locator(".filepond--root")).to_be_visible()
        return Pond(page)

    return open_


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
        assert message == "There is no element #none to put the uploader on."

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

    def test_more_than_s3_takes_in_one_put_is_too_large(
        self, open_form: Callable[..., Pond], file: Callable[..., Path]
    ) -> None:
        pond = open_form("{ maxFileSize: 10 * 1024 ** 4 }")
        path = file("film.mp4")
        with path.open("r+b") as sparse:
            sparse.truncate(5 * 1024**3 + 1)
        pond.drop(path)
        label(pond, "film.mp4").to_have_text("Too large: a file may have up to 5 GB.")

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


class TestHandingOver:
    def test_what_was_submitted_is_neither_taken_back_nor_restored(
        self, open_form: Callable[..., Pond], page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        """Between the form's submission and PUT /files nothing else protects it."""
        requests: list[Request] = []
        pond = open_form()
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        ids = pond.ids()
        page.evaluate("(ids) => FilestoreUploader.submitted(ids)", ids)
        page.on("request", lambda request: requests.append(request) if request.method == "DELETE" else None)
        pond.undo("a.bin")
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(pond.items).to_have_count(0)
        assert requests == []
        assert stack.files("PUT", ids).json() == ids

    def test_another_form_is_not_given_it(self, open_form: Callable[..., Pond], file: Callable[..., Path]) -> None:
        pond = open_form()
        pond.drop(file("a.bin"))
        pond.expect_uploaded(1)
        expect(open_form(name="other.html").items).to_have_count(0)
        expect(open_form("{ restoreAs: false }").items).to_have_count(0)
        open_form().expect_uploaded(1)

    def test_a_page_that_names_the_upload_itself_gets_it_restored(
        self, open_form: Callable[..., Pond], file: Callable[..., Path]
    ) -> None:
        """As a server does that shows the form again, after a field was not as it should be."""
        pond = open_form()
        pond.drop(file("Ü 100%.bin"))
        pond.expect_uploaded(1)
        (file_id,) = pond.ids()
        again = open_form(
            f"{{ restoreAs: 'x', files: [{{ source: '{file_id}', options: {{ type: 'limbo' }} }}] }}", "again.html"
        )
        again.expect_uploaded(1)
        expect(again.item("Ü 100%.bin")).to_contain_text("8 bytes")
        assert again.ids() == [file_id]

    def test_an_upload_that_nobody_knows_of_is_said_to_have_expired(
        self, open_form: Callable[..., Pond], page: Page
    ) -> None:
        open_form(f"{{ files: [{{ source: '{UNKNOWN_ID}', options: {{ type: 'limbo' }} }}] }}")
        expect(page.locator(".filepond--file-status-main")).to_have_text("This upload has expired. Add the file again.")

    def test_a_stored_file_that_is_gone_is_said_to_be(
        self, open_form: Callable[..., Pond], page: Page, complaints: Complaints
    ) -> None:
        complaints.expect("status of 404")
        stored = f"{{ source: '{UNKNOWN_ID}', options: {{ type: 'local' }} }}"
        open_form(f"{{ files: [{stored}], download: (id) => `nothing/${{id}}` }}")
        expect(page.locator(".filepond--file-status-main")).to_have_text("This file is not there any more.")


class TestOtherClients:
    def test_the_example_of_the_guide_works_as_it_stands(
        self, page: Page, site: Site, stack: Stack, file: Callable[..., Path]
    ) -> None:
        example = example_of_the_readme()
        assert len(example.splitlines()) <= 15
        example += '<link rel="icon" href="logo.svg">'  # for no browser to look for a favicon of the test's site
        page.route("https://unpkg.com/filepond@4/dist/*", unpkg)
        submitted: list[str] = []

        def receive(route: Route) -> None:
            submitted.append(route.request.post_data or "")
            route.fulfill(body="ok")

        page.route("https://example.org/apply", receive)
        page.goto(site.add("example.html", example.replace("API_ROOT_URL", stack.outputs["ApiRootUrl"])))
        pond = Pond(page)
        pond.drop(file("report.pdf", PDF))
        pond.expect_uploaded(1)
        (file_id,) = pond.ids()
        page.get_by_role("button", name="Send").click()
        page.wait_for_url("https://example.org/apply")
        assert submitted == [f"documents={file_id}"]
        assert stack.files("PUT", [file_id]).json() == [file_id]
        assert stack.download(file_id) == PDF


class TestThePackage:
    def test_the_module_is_small_and_stands_alone(self) -> None:
        minified = subprocess.run(
            [STATIC / "node_modules" / ".bin" / "esbuild", "--minify", UPLOADER], capture_output=True, check=True
        ).stdout
        assert len(minified) <= 12 * 1024
        assert re.findall(rb"\bimport\b", minified) == []

    def test_typescript_accepts_every_script(self) -> None:
        checked = subprocess.run(
            [STATIC / "node_modules" / ".bin" / "tsc", "-p", STATIC], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout) == (0, "")

    def test_the_page_s_own_packages_are_pinned(self) -> None:
        package = json.loads((STATIC / "package.json").read_text())
        versions = {**package["dependencies"], **package["devDependencies"]}.values()
        assert [version for version in versions if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


CORS = {"Access-Control-Allow-Origin": "*"}


def unpkg(route: Route) -> None:
    """The content delivery network of the example: the same package, from this machine."""
    name = route.request.url.rsplit("/", 1)[-1]
    route.fulfill(path=STATIC / "node_modules" / "filepond" / "dist" / name)


def example_of_the_readme() -> str:
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"<!-- example -->\n```html\n(.*?)```\n<!-- /example -->", readme, re.DOTALL)
    assert found
    return found[1]
