"""GET and HEAD /files/{id}/content."""

import copy
import urllib.request
from collections.abc import Callable
from email.message import Message
from typing import Any

import pytest

from filestore.storage.repository import FileRepository
from tests.support import (
    SWAGGER,
    UNKNOWN_ID,
    Reply,
    call,
    counted_calls,
    get,
    invoke,
    put,
    sample_event,
    status_of,
    upload_event,
)

pytestmark = pytest.mark.usefixtures("emulator_aws")


def content(file_id: str, **query: str) -> Reply:
    return call("content", file_id=file_id, query=query)


def led_to(file_id: str, **query: str) -> str:
    reply = content(file_id, **query)
    assert (reply.status, reply.body) == (302, None)
    return reply.headers["Location"]


def head(file_id: str) -> dict[str, Any]:
    event = sample_event("content") | {
        "httpMethod": "HEAD",
        "pathParameters": {"id": file_id},
        "queryStringParameters": None,
    }
    answer: dict[str, Any] = invoke("content", event)
    return answer


def headers_of(url: str, method: str = "GET") -> Message:
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as response:
        headers: Message = response.headers
        return headers


def test_leads_to_the_contents(stored: dict[str, Any]) -> None:
    url = led_to(stored["id"])
    assert get(url) == b"contents"
    headers = headers_of(url)
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith('attachment; filename="report.pdf"')


def test_leads_to_the_version_that_was_stored(stored: dict[str, Any]) -> None:
    """Whoever still holds the upload URL must not change what others get."""
    put(stored["url"], b"xontents", stored["headers"])
    assert get(led_to(stored["id"])) == b"contents"


def test_nobody_keeps_the_redirect(stored: dict[str, Any]) -> None:
    """The URL expires, and the file may be deleted meanwhile."""
    assert content(stored["id"]).headers["Cache-Control"] == "no-store"


def test_a_part_can_be_asked_for(stored: dict[str, Any]) -> None:
    request = urllib.request.Request(led_to(stored["id"]), headers={"Range": "bytes=2-4"})
    with urllib.request.urlopen(request) as response:
        assert (response.status, response.read()) == (206, b"nte")


class TestHead:
    def test_is_led_to_a_url_that_takes_a_head(self, stored: dict[str, Any]) -> None:
        """S3 signs the method as well: what a GET is led to would refuse it."""
        answer = head(stored["id"])
        url = answer["headers"]["Location"]
        assert (answer["statusCode"], answer["body"]) == (302, "")
        headers = headers_of(url, "HEAD")
        assert (headers["Content-Length"], headers["Content-Type"]) == ("8", "application/pdf")
        assert headers["Content-Disposition"].startswith("attachment;")
        assert status_of("GET", url) == 403
        assert status_of("HEAD", led_to(stored["id"])) == 403

    def test_is_refused_as_a_get_is(self, requested: dict[str, Any]) -> None:
        assert head(requested["id"])["statusCode"] == 409
        assert head(UNKNOWN_ID)["statusCode"] == 404

    def test_says_in_the_swagger_what_get_says(self) -> None:
        """The error has no body, as nothing that answers a HEAD has."""
        described = copy.deepcopy(SWAGGER["paths"]["/files/{id}/content"])
        get, head = described["get"], described["head"]
        for status, answer in get["responses"].items():
            answer.pop("content", None)
            if status != "302":
                assert head["responses"][status] == answer
        same = ("security", "parameters", "x-amazon-apigateway-integration")
        assert [head[name] for name in same] == [get[name] for name in same]
        assert head["responses"].keys() == get["responses"].keys()


class TestInline:
    @pytest.mark.parametrize(
        ("declared", "shown"),
        [
            ("image/png", "image/png"),
            ("IMAGE/JPEG", "image/jpeg"),
            ("application/pdf", "application/pdf"),
            ("audio/mpeg", "audio/mpeg"),
            ("video/webm;codecs=vp8,opus", "video/webm"),
            ("text/plain", "text/plain"),
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
            # At a comma browsers divide a header, and take the last type (Fetch standard, extract a MIME type).
            ("text/plain; a, text/html", "text/plain"),
            ("image/png; a=b, text/html", "image/png"),
        ],
    )
    def test_shows_what_cannot_script(self, finish: Callable[[dict[str, Any]], str], declared: str, shown: str) -> None:
        headers = headers_of(led_to(finish({"name": "ä.x", "type": declared}), disposition="inline"))
        assert headers["Content-Type"] == shown
        assert headers["Content-Disposition"] == "inline; filename=\"a.x\"; filename*=UTF-8''%C3%A4.x"

    @pytest.mark.parametrize(
        "declared",
        [
            "text/html",
            "image/svg+xml",
            "IMAGE/SVG+XML",
            "image/svg+xml; charset=utf-8",
            "image/svg",
            # Whatever ends in xml is a document to browsers, and may hold a page.
            "image/x+xml",
            "audio/xml",
            "text/xml",
            "application/xhtml+xml",
            "text/javascript",
            "application/octet-stream",
        ],
    )
    def test_leaves_an_attachment_what_could(self, finish: Callable[[dict[str, Any]], str], declared: str) -> None:
        """Not an error: whoever follows a link of a back end's cannot do anything about it."""
        headers = headers_of(led_to(finish({"name": "a.x", "type": declared}), disposition="inline"))
        assert headers["Content-Type"] == declared
        assert headers["Content-Disposition"].startswith("attachment;")

    def test_is_not_what_a_download_is_unless_it_is_asked_for(self, finish: Callable[[dict[str, Any]], str]) -> None:
        file_id = finish({"name": "a.png", "type": "image/png"})
        assert headers_of(led_to(file_id))["Content-Disposition"].startswith("attachment;")
        url = led_to(file_id, disposition="attachment")
        assert headers_of(url)["Content-Disposition"].startswith("attachment;")

    @pytest.mark.parametrize("value", ["Inline", "yes", ""])
    def test_has_no_other_word(self, stored: dict[str, Any], value: str) -> None:
        reply = content(stored["id"], disposition=value)
        said = "The query parameter disposition is attachment or inline."
        wrong = [{"path": "disposition", "message": said}]
        assert (reply.status, reply.body) == (400, {"message": said, "code": "invalid_request", "errors": wrong})


class TestOfAFileWithoutContents:
    def test_says_that_it_is_not_stored(self, requested: dict[str, Any]) -> None:
        """To store it makes the same call work."""
        pending = content(requested["id"])
        assert (pending.status, pending.body) == (
            409,
            {"message": "The file was requested but its contents have not been uploaded.", "code": "not_stored"},
        )
        invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
        uploaded = content(requested["id"])
        assert (uploaded.status, uploaded.body) == (409, {"message": "The file is not stored.", "code": "not_stored"})

    def test_says_that_it_is_unknown_where_they_will_never_come(self, stored: dict[str, Any]) -> None:
        call("delete", [stored["id"]])
        reply = content(stored["id"])
        assert (reply.status, reply.body) == (404, {"message": "The file was deleted.", "code": "unknown"})
        assert content(UNKNOWN_ID).body == {"message": "There is no such file.", "code": "unknown"}

    @pytest.mark.parametrize("file_id", ["x", "é", "0" * 33, "x" * 9000])
    def test_makes_no_call_for_what_is_no_id(self, file_id: str) -> None:
        with counted_calls() as calls:
            reply = content(file_id)
        assert (reply.status, reply.body["code"]) == (404, "unknown")
        assert calls == {}


def test_a_record_that_could_not_be_read_is_not_taken_for_none(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileRepository, "get", lambda _, ids: ({}, set(ids)))
    reply = content(stored["id"])
    assert (reply.status, reply.body["code"]) == (503, "try_again")


def test_its_line_in_the_log_names_the_file_and_no_url(
    stored: dict[str, Any], log: Callable[[], list[dict[str, Any]]]
) -> None:
    content(stored["id"])
    line = log()[-1]
    assert (line["message"], line["status"], line["file_id"]) == ("GET /files/{id}/content", 302, stored["id"])
    assert "X-Amz" not in str(line)
