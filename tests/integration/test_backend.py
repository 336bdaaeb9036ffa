"""The demo's back end over HTTP: what it takes, and whom it takes it from."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from local.applications import BackendError, Filestore
from tests.stack import Stack
from tests.support import UNKNOWN_ID

APPLICATION = {"name": "Ada", "email": "ada@example.org", "position": "Engineer", "note": ""}


def ask(
    stack: Stack, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
) -> requests.Response:
    """A request as the page itself sends it, unless the headers say otherwise."""
    url: str = stack.outputs["WebUrl"]
    return requests.request(
        method,
        f"{url}backend/{path}",
        json=body,
        headers={"Origin": url.rstrip("/"), **(headers or {})},
        timeout=60,
        allow_redirects=False,
    )


def apply(stack: Stack, *ids: str, **fields: Any) -> requests.Response:
    return ask(stack, "POST", "applications", {**APPLICATION, "documents": ids, **fields})


class TestApplications:
    def test_its_files_are_stored_when_it_is_answered(self, stack: Stack) -> None:
        upload = stack.upload(b"contents")
        received = apply(stack, upload["id"])
        assert received.status_code == 201
        assert [file["id"] for file in received.json()["files"]] == [upload["id"]]
        assert stack.download(upload["id"]) == b"contents"
        link = ask(stack, "GET", f"files/{upload['id']}")
        assert link.status_code == 302
        assert requests.get(link.headers["Location"], timeout=60).content == b"contents"

    def test_one_file_that_cannot_be_kept_is_named_and_nothing_is_written_down(self, stack: Stack) -> None:
        upload = stack.upload()
        refused = apply(stack, upload["id"], UNKNOWN_ID)
        assert refused.status_code == 409
        assert refused.json()["problems"].keys() == {UNKNOWN_ID}
        listed = {file["id"]: file["application_id"] for file in ask(stack, "GET", "files").json()["files"]}
        assert listed[upload["id"]] is None
        assert apply(stack, upload["id"]).status_code == 201

    @pytest.mark.parametrize(
        "change",
        [
            {"name": ""},
            {"email": "  "},
            {"position": None},
            {"note": "x" * 1001},
            {"documents": []},
            {"documents": "abc"},
            {"documents": [1]},
            {"documents": [""]},
            {"documents": ["a\nb"]},
            {"documents": ["x" * 129]},
            {"documents": [UNKNOWN_ID, "\0"]},
            {"documents": ["\ud800"]},
            {"name": "\ud800"},
            {"name": {"of": "Ada"}},
            {"documents": [f"{number:032}" for number in range(101)]},
        ],
    )
    def test_what_makes_no_sense_is_refused(self, stack: Stack, change: dict[str, Any]) -> None:
        assert apply(stack, UNKNOWN_ID, **change).status_code == 400

    @pytest.mark.parametrize("body", [None, [], "text"])
    def test_what_is_no_object_is_refused(self, stack: Stack, body: object) -> None:
        assert ask(stack, "POST", "applications", body).status_code == 400

    def test_what_is_nested_too_deeply_is_refused(self, stack: Stack) -> None:
        url: str = stack.outputs["WebUrl"]
        headers = {"Origin": url.rstrip("/"), "Content-Type": "application/json"}
        body = '{"name":' * 100_000
        assert requests.post(f"{url}backend/applications", data=body, headers=headers, timeout=60).status_code == 400

    def test_blanks_among_the_ids_are_dropped(self, stack: Stack) -> None:
        upload = stack.upload()
        assert [file["id"] for file in apply(stack, "", upload["id"], "").json()["files"]] == [upload["id"]]

    def test_the_same_one_sent_again_is_the_same_one(self, stack: Stack) -> None:
        """Whoever has not got the answer sends it again, perhaps while the first is still on its way."""
        upload, other = stack.upload(), stack.upload()
        first, second = apply(stack, upload["id"], other["id"]), apply(stack, other["id"], upload["id"])
        assert (second.status_code, second.json()) == (201, first.json())

    def test_the_same_one_sent_several_times_at_once_is_one(self, stack: Stack) -> None:
        ids = [stack.upload()["id"] for _ in range(3)]
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: apply(stack, *ids), range(8)))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert [file["id"] for file in answers[0].json()["files"]] == ids

    @pytest.mark.parametrize("change", [{"name": "Grace"}, {"note": "Please"}])
    def test_another_one_does_not_get_its_files(self, stack: Stack, change: dict[str, str]) -> None:
        upload, other = stack.upload(), stack.upload()
        kept = apply(stack, upload["id"]).json()
        for documents in ([upload["id"]], [other["id"], upload["id"]]):
            refused = apply(stack, *documents, **change)
            assert refused.status_code == 409
            assert refused.json()["problems"] == {
                upload["id"]: {"code": "in_use", "message": "It belongs to another application."}
            }
        assert ask(stack, "GET", f"applications/{kept['id']}").json() == kept

    def test_a_file_of_another_one_cannot_be_put_into_it(self, stack: Stack) -> None:
        mine, others = stack.upload(), stack.upload()
        application = apply(stack, mine["id"]).json()
        apply(stack, others["id"])
        body = {**APPLICATION, "documents": [mine["id"], others["id"]]}
        refused = ask(stack, "PUT", f"applications/{application['id']}", body)
        assert (refused.status_code, set(refused.json()["problems"])) == (409, {others["id"]})
        assert ask(stack, "GET", f"applications/{application['id']}").json() == application

    @pytest.mark.parametrize("query", ["cursor=x", "order=random", "deleted=perhaps"])
    def test_a_list_of_files_has_the_queries_of_the_api(self, stack: Stack, query: str) -> None:
        refused = ask(stack, "GET", f"files?{query}")
        assert refused.status_code == 400
        assert refused.json()["code"] in ("invalid_cursor", "invalid_request")

    def test_what_its_key_has_stored_otherwise_is_its_own_too(self, stack: Stack) -> None:
        """It is in the list, without an application, and can be downloaded and deleted."""
        sent, other = stack.upload(), stack.store(b"by curl")
        application = apply(stack, sent["id"]).json()
        listed = {file["id"]: file for file in ask(stack, "GET", "files").json()["files"]}
        assert listed[sent["id"]]["application_id"] == application["id"]
        assert (listed[sent["id"]]["applicant"], listed[sent["id"]]["position"]) == ("Ada", "Engineer")
        assert listed[other["id"]]["application_id"] is None
        link = ask(stack, "GET", f"files/{other['id']}")
        assert requests.get(link.headers["Location"], timeout=60).content == b"by curl"
        deleted = ask(stack, "DELETE", "files", [sent["id"], UNKNOWN_ID, other["id"]])
        assert deleted.json() == {"deleted": [sent["id"], UNKNOWN_ID, other["id"]], "problems": {}}
        assert ask(stack, "GET", f"applications/{application['id']}").json()["files"] == []
        assert ask(stack, "GET", f"files/{other['id']}").status_code == 404
        page = ask(stack, "GET", "files?deleted=yes").json()["files"]
        assert {sent["id"], other["id"]} <= {file["id"] for file in page if "deleted_at" in file}

    def test_a_key_that_is_not_accepted_is_named(self, stack: Stack) -> None:
        with pytest.raises(BackendError) as refused:
            Filestore(stack.outputs["ApiRootUrl"], "revoked").page({})
        assert (refused.value.status, refused.value.code) == (502, "key_refused")

    @pytest.mark.parametrize("body", [None, [], {}, [1], ["x" * 129], ["\ud800"], [f"{n:032}" for n in range(101)]])
    def test_what_makes_no_sense_deletes_nothing(self, stack: Stack, body: object) -> None:
        assert ask(stack, "DELETE", "files", body).status_code == 400

    def test_there_is_no_application_but_those_received(self, stack: Stack) -> None:
        assert ask(stack, "GET", "applications/none").status_code == 404
        assert ask(stack, "PUT", "applications/none", {**APPLICATION, "documents": [UNKNOWN_ID]}).status_code == 404


class TestOtherSites:
    """The server holds an API key, and every page in the browser can reach 127.0.0.1."""

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
    def test_can_change_nothing(self, stack: Stack, origin: str) -> None:
        upload = stack.upload()
        kept = apply(stack, upload["id"]).json()
        headers = {"Origin": origin}
        for method, path in (
            ("POST", "applications"),
            ("PUT", f"applications/{kept['id']}"),
            ("DELETE", "files"),
        ):
            body = [upload["id"]] if path == "files" else {**APPLICATION, "documents": [upload["id"]]}
            refused = ask(stack, method, path, body, headers)
            assert refused.status_code == 403
        assert stack.download(upload["id"]) == b"contents"

    def test_can_read_nothing(self, stack: Stack) -> None:
        answer = ask(stack, "GET", "files", headers={"Origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]

    @pytest.mark.parametrize("path", ["", "config.json", "backend/files"])
    def test_cannot_point_a_name_of_theirs_at_it(self, stack: Stack, path: str) -> None:
        url = stack.outputs["WebUrl"] + path
        for host in (
            "evil.example",
            f"evil.example:{stack.port}",
            "127.0.0.1:1",
            "localhost",
            f"127.0.0.1.:{stack.port}",
        ):
            assert requests.get(url, headers={"Host": host}, timeout=60).status_code == 400
        assert requests.get(url, headers={"Host": f"localhost:{stack.port}"}, timeout=60).status_code == 200

    @pytest.mark.parametrize("path", ["", "config.json", "backend/files"])
    def test_cannot_load_a_part_of_it(self, stack: Stack, path: str) -> None:
        """They may lead here, as any link does. Another port of this machine is another site, too."""
        url = stack.outputs["WebUrl"] + path
        for site in ("cross-site", "same-site"):
            for kind in ("image", "script", "iframe", "empty"):
                loaded = requests.get(url, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": kind}, timeout=60)
                assert (loaded.status_code, "apiRootUrl" in loaded.text) == (403, False)
            led = requests.get(url, headers={"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "document"}, timeout=60)
            assert led.status_code == 200
            assert led.headers["Cross-Origin-Resource-Policy"] == "same-origin"

    def test_cannot_frame_the_page(self, stack: Stack) -> None:
        policy = requests.get(stack.outputs["WebUrl"], timeout=60).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy

    @pytest.mark.parametrize(
        "path",
        [
            "../package.json",
            "%2e%2e/package.json",
            "vendor/filepond/../package.json",
            "vendor/typescript/tsc.js",
            "x\0",
        ],
    )
    def test_sees_only_the_page_and_its_packages(self, stack: Stack, path: str) -> None:
        request = requests.Request("GET", stack.outputs["WebUrl"]).prepare()
        request.url = stack.outputs["WebUrl"] + path
        assert requests.Session().send(request, timeout=60).status_code == 404
