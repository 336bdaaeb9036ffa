"""The client without FilePond: what it sends, what it tries again, what it says."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Error, FilePayload, Page

from tests.browser.conftest import Complaints, Site
from tests.browser.service import Call, Service, until
from tests.support import ROOT


def once(method: str, status: int, body: str = "") -> Callable[[Call], tuple[int, str] | None]:
    """A plan in which the first call with this method goes wrong."""
    left = [(status, body)]
    return lambda call: left.pop() if call.method == method and left else None


class TestUploading:
    def test_tells_its_progress_and_gives_the_id(self, open_client: Callable[..., Page], service: Service) -> None:
        page = open_client()
        uploaded = page.evaluate("send()")
        assert uploaded == {"id": "id-1-a.txt", "name": "a.txt", "size": 8, "type": "text/plain"}
        assert page.evaluate("steps.at(-1)") == 8
        assert [call.body for call in service.made("PUT")] == [b"contents"]
        (listed,) = page.evaluate("filestore.unsubmitted()")
        assert listed["expiresAt"] - listed["uploadedAt"] == 3_600_000
        assert {key: listed[key] for key in uploaded} == uploaded

    def test_is_undone(self, open_client: Callable[..., Page], service: Service) -> None:
        page = open_client()
        page.evaluate("send().then(({ id }) => client.undo(id))")
        assert [call.path for call in service.made("DELETE")] == ["api/file/id-1-a.txt"]
        assert page.evaluate("filestore.unsubmitted()") == []

    def test_is_nobody_s_to_undo_once_it_is_submitted(self, open_client: Callable[..., Page], service: Service) -> None:
        page = open_client()
        page.evaluate("send().then(({ id }) => { filestore.submitted([id]); return client.undo(id); })")
        assert service.made("DELETE") == []
        assert page.evaluate("filestore.unsubmitted()") == []

    def test_aborted_midway_is_taken_back(self, open_client: Callable[..., Page], service: Service) -> None:
        page = open_client()
        service.open.clear()
        page.evaluate("void send()")
        until(lambda: len(service.made("PUT")) == 1)
        assert page.evaluate("() => { upload.abort(); return upload.done.catch(({ name }) => name); }") == "AbortError"
        until(lambda: len(service.made("DELETE")) == 1)

    def test_is_restored_in_another_form_s_place_only_by_name(self, open_client: Callable[..., Page]) -> None:
        page = open_client("{ restoreAs: 'mine' }")
        page.evaluate("send()")
        page.reload()
        assert page.evaluate("client.restorable().map(({ id }) => id)") == ["id-1-a.txt"]
        page = open_client("{ restoreAs: 'yours' }")
        assert page.evaluate("client.restorable()") == []


class TestWhatIsSaidOfAFile:
    def test_a_type_that_is_not_known_is_left_out(self, open_client: Callable[..., Page], service: Service) -> None:
        open_client().evaluate("send(new File(['x'], 'a.heic'))")
        assert service.made("POST")[0].json == {"name": "a.heic", "size": 1}

    def test_numbers_and_booleans_are_kept_as_strings(self, open_client: Callable[..., Page], service: Service) -> None:
        open_client().evaluate("send(undefined, { metadata: { page: 3, ok: true, crop: { zoom: 1 }, none: null } })")
        assert service.made("POST")[0].json["meta"] == {"page": "3", "ok": "true"}

    @pytest.mark.parametrize(
        ("metadata", "kept", "left_out"),
        [
            ("{ kind: 'cv', poster: `data:image/png;base64,${'A'.repeat(600)}` }", {"kind": "cv"}, "poster"),
            ("{ kind: 'cv', ['k'.repeat(65)]: 'x' }", {"kind": "cv"}, "k" * 65),
            (
                "{ a: '\U0001f600'.repeat(500), kind: 'cv', b: 'x'.repeat(100) }",
                {"a": "\U0001f600" * 500, "kind": "cv"},
                "b",
            ),
        ],
    )
    def test_what_the_api_would_refuse_is_left_out_for_the_file_s_sake(
        self,
        open_client: Callable[..., Page],
        service: Service,
        complaints: Complaints,
        metadata: str,
        kept: dict[str, str],
        left_out: str,
    ) -> None:
        complaints.expect(f"metadata too long to be kept with a file: {left_out} ")
        open_client().evaluate(f"send(undefined, {{ metadata: {metadata} }})")
        assert service.made("POST")[0].json["meta"] == kept
        assert complaints.seen


class TestTryingAgain:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (400, "<Error><Code>RequestTimeout</Code></Error>"),
            (408, ""),
            (429, ""),
            (500, ""),
            (502, ""),
            (520, ""),
        ],
    )
    def test_mends_what_passes(
        self, open_client: Callable[..., Page], service: Service, complaints: Complaints, status: int, body: str
    ) -> None:
        complaints.expect(f"status of {status}")
        service.plan = once("PUT", status, body)
        open_client().evaluate("send()")
        assert len(service.made("PUT")) == 2

    @pytest.mark.parametrize("status", [400, 404, 501])
    def test_is_not_done_where_nothing_would_change(
        self, open_client: Callable[..., Page], service: Service, complaints: Complaints, status: int
    ) -> None:
        complaints.expect(f"status of {status}")
        service.plan = once("PUT", status)
        said = open_client().evaluate("send().catch(({ message }) => message)")
        assert said == f"Refused by the storage ({status})."
        assert len(service.made("PUT")) == 1

    def test_follows_a_connection_that_stands_still(self, open_client: Callable[..., Page], service: Service) -> None:
        """Nothing tells the browser of a connection that swallows what it is given."""
        page = open_client("{ stallTimeout: 0.2 }", eager=False)
        service.open.clear()
        page.evaluate("void send()")
        until(lambda: len(service.made("PUT")) == 2)
        service.open.set()
        page.evaluate("upload.done")
        assert page.evaluate("said")[:2] == ["The connection stands still. Trying again …", ""]

    def test_says_that_it_sends_again_what_did_not_arrive(
        self, open_client: Callable[..., Page], service: Service, complaints: Complaints
    ) -> None:
        """The bar does not go back, and would seem dead meanwhile."""
        complaints.expect("status of 500")
        first = once("PUT", 500)

        def stop_reading(call: Call) -> tuple[int, str] | None:
            answer = first(call)
            if answer:
                service.reading.clear()
            return answer

        service.plan = stop_reading
        page = open_client()
        page.evaluate("void send(new File([new Uint8Array(3e7)], 'a.bin'))")
        page.wait_for_function("said.length === 3")
        service.reading.set()
        page.evaluate("upload.done")
        assert page.evaluate("said") == ["Trying again …", "", "Sending again what did not arrive …", ""]
        steps = page.evaluate("steps")
        assert steps == sorted(steps)


class TestWhatPeopleAreTold:
    @pytest.mark.parametrize("address", ["YOUR_API", "www.example.org/prod"])
    def test_of_an_address_that_is_none(self, open_client: Callable[..., Page], service: Service, address: str) -> None:
        said = open_client(url=address).evaluate("send().catch(({ message }) => message)")
        assert said.startswith("Nothing can be uploaded: ")
        assert said.endswith(" is not the address of a Filestore API.")
        assert service.calls == []

    @pytest.mark.parametrize(
        ("status", "body"), [(501, "Unsupported method"), (404, "<h1>Nothing</h1>"), (200, "<p>Hello")]
    )
    def test_of_an_address_that_is_something_else_s(
        self, open_client: Callable[..., Page], service: Service, complaints: Complaints, status: int, body: str
    ) -> None:
        complaints.expect(f"status of {status}")
        service.plan = lambda _: (status, body)
        said = open_client().evaluate("send().catch(({ message }) => message)")
        assert said.startswith(f"Nothing can be uploaded: {service.url}")

    def test_in_the_page_s_own_words(self, open_client: Callable[..., Page]) -> None:
        page = open_client("{ maxFileSize: 4, texts: { tooLarge: 'Zu groß, höchstens {size}.' } }")
        assert page.evaluate("send().catch(({ message }) => message)") == "Zu groß, höchstens 4 bytes."


class TestTheGuide:
    """Its snippet for pages that use nothing of Filestore's."""

    @pytest.fixture
    def snippet(self) -> str:
        guide = (ROOT / "docs" / "front-end.md").read_text()
        found = re.search(r"## Without FilePond\n\n```js\n(.*?)```", guide, re.DOTALL)
        assert found
        return f"async ([apiRootUrl, text]) => {{ const file = new File([text], 'a.txt');\n{found[1]}\nreturn id; }}"

    def test_uploads(self, open_client: Callable[..., Page], service: Service, snippet: str) -> None:
        assert open_client().evaluate(snippet, [service.url, "hello"]) == "id-1-a.txt"
        assert [call.body for call in service.made("PUT")] == [b"hello"]

    @pytest.mark.parametrize(
        ("method", "status", "said"),
        [("POST", 400, "Not with this name."), ("PUT", 403, "The storage refuses the file \\(403\\).")],
    )
    def test_throws_what_is_refused(
        self,
        open_client: Callable[..., Page],
        service: Service,
        complaints: Complaints,
        snippet: str,
        method: str,
        status: int,
        said: str,
    ) -> None:
        complaints.expect(f"status of {status}")
        service.plan = once(method, status, json.dumps({"message": "Not with this name.", "code": "invalid_body"}))
        page: Any = open_client()
        with pytest.raises(Error, match=said):
            page.evaluate(snippet, [service.url, "hello"])
        assert len(service.calls) == (1 if method == "POST" else 2)


def test_the_page_of_the_guide_without_a_framework(page: Page, site: Site, service: Service) -> None:
    guide = (ROOT / "docs" / "front-end.md").read_text()
    found = re.search(r"<!-- plain -->\n```html\n(.*?)```", guide, re.DOTALL)
    assert found
    assert len(found[1].splitlines()) <= 15
    html = '<link rel="icon" href="logo.svg">' + found[1].replace("API_ROOT_URL", service.url)
    page.goto(site.add("plain.html", html))
    chosen: list[FilePayload] = [{"name": f"{name}.txt", "mimeType": "text/plain", "buffer": b"x"} for name in "ab"]
    page.locator("#choose").set_input_files(chosen)
    page.wait_for_function("document.querySelectorAll('[name=documents]').length === 2")
    ids = page.evaluate("() => new FormData(document.forms[0]).getAll('documents')")
    assert sorted(ids) == sorted(call.path.removeprefix("bucket/") for call in service.made("PUT"))
