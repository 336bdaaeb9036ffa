"""The form that ``make run`` serves: what goes wrong on the way, and what people are told."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Response, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.pages import RECORD_PROGRESS, FilesPage, Form, Network
from tests.browser.pictures import PDF
from tests.stack import Stack


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
        hasty_stack: Stack,
        complaints: Complaints,
        file: Callable[..., Path],
    ) -> None:
        complaints.expect("status of 403")
        form = Form(page).open(hasty_stack.outputs["WebUrl"])
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
        assert hasty_stack.versions(form.pond.ids()[0])

    def test_too_large_a_file_is_refused_before_anything_is_sent(
        self, form: Form, page: Page, file: Callable[..., Path]
    ) -> None:
        path = file("film.mp4")
        with path.open("r+b") as sparse:
            sparse.truncate(5 * 1024**3 + 1)
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        form.pond.drop(path)
        expect(page.locator("#failures")).to_have_text("film.mp4: Too large. A file may have up to 5 GB.")
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
