"""What becomes of uploads on pages of other people's: submitted, restored, undone."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.pages import Pond
from tests.browser.pictures import PDF
from tests.stack import Stack
from tests.support import ROOT, UNKNOWN_ID


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


STATIC = ROOT / "static"


def unpkg(route: Route) -> None:
    """The content delivery network of the example: the same package, from this machine."""
    name = route.request.url.rsplit("/", 1)[-1]
    route.fulfill(path=STATIC / "node_modules" / "filepond" / "dist" / name)


def example_of_the_readme() -> str:
    readme = (ROOT / "README.md").read_text()
    found = re.search(r"<!-- example -->\n```html\n(.*?)```\n<!-- /example -->", readme, re.DOTALL)
    assert found
    return found[1]
