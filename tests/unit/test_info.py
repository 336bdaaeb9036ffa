"""POST /files."""

import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, sample_event

pytestmark = pytest.mark.usefixtures("engine_aws")


def test_describes_a_stored_file(stored: dict[str, Any]) -> None:
    (described,) = call("info", [stored["id"]]).body
    assert get(described.pop("url")) == b"contents"
    assert {described.pop(name)[-1] for name in ("created_at", "uploaded_at", "stored_at")} == {"Z"}
    assert described == {"id": stored["id"], "name": "report.pdf", "type": "application/pdf", "size": 8}


def test_shows_meta_and_checksum_as_they_were_given() -> None:
    declared = {"meta": {"form": "7"}, "checksum": {"algorithm": "CRC32", "value": "NSRBwg=="}}
    file_id = call("upload", {"name": "a", **declared}).body["id"]
    (described,) = call("info", [file_id], query={"nonstored": "yes"}).body
    assert {name: described[name] for name in declared} == declared


def test_shows_only_stored_files_unless_asked(stored: dict[str, Any]) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    gone = call("upload", {"name": "a"}).body["id"]
    call("delete", [gone])
    ids = [gone, pending, stored["id"], UNKNOWN_ID]

    def shown(**query: str) -> list[str]:
        return [file["id"] for file in call("info", ids, query=query).body]

    assert shown() == [stored["id"]]
    assert shown(nonstored="yes") == [pending, stored["id"]]
    assert shown(deleted="yes") == [gone, stored["id"]]
    assert shown(deleted="yes", nonstored="yes") == [gone, pending, stored["id"]]
    assert shown(nonstored="no") == [stored["id"]]


def test_a_deleted_file_is_described_without_a_link(stored: dict[str, Any]) -> None:
    call("delete", [stored["id"]])
    (described,) = call("info", [stored["id"]], query={"deleted": "yes"}).body
    assert "deleted_at" in described
    assert "url" not in described


class TestDeletedFilesThatWereNeverStored:
    """Clients of 2019 ask for them with ``?deleted=yes`` alone, whatever it was that deleted them."""

    def keys(self, file_id: str) -> set[str]:
        (described,) = call("info", [file_id], query={"deleted": "yes"}).body
        return set(described)

    def test_one_that_was_uploaded_has_a_size(self, uploaded: dict[str, Any]) -> None:
        call("delete", [uploaded["id"]])
        assert self.keys(uploaded["id"]) == {"id", "name", "type", "size", "created_at", "uploaded_at", "deleted_at"}

    def test_one_that_was_not_has_none(self) -> None:
        file_id = call("upload", {"name": "a"}).body["id"]
        call("delete", [file_id])
        assert self.keys(file_id) == {"id", "name", "type", "created_at", "deleted_at"}

    def test_one_that_was_taken_back(self) -> None:
        upload = call("upload", {"name": "a", "type": "text/plain"}).body
        call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]})
        assert self.keys(upload["id"]) == {"id", "name", "type", "created_at", "deleted_at"}

    def test_one_that_has_expired(self, uploaded: dict[str, Any], clock: Clock) -> None:
        clock.advance(7 * 24 * 3600)
        invoke("sweep", sample_event("sweep"))
        assert self.keys(uploaded["id"]) == {"id", "name", "type", "size", "created_at", "uploaded_at", "deleted_at"}


def test_an_upload_that_is_not_stored_has_no_link(uploaded: dict[str, Any]) -> None:
    (described,) = call("info", [uploaded["id"]], query={"nonstored": "yes"}).body
    assert "uploaded_at" in described
    assert "url" not in described


def test_says_why_a_file_is_left_out(uploaded: dict[str, Any]) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    body = call("info", [uploaded["id"], pending, UNKNOWN_ID], query={"problems": "yes"}).body
    assert body["result"] == []
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        uploaded["id"]: "not_stored",
        pending: "not_uploaded",
        UNKNOWN_ID: "unknown",
    }


def test_an_upload_that_was_deleted_unstored_is_left_out_as_such(uploaded: dict[str, Any]) -> None:
    call("delete", [uploaded["id"]])

    def problem(**query: str) -> str:
        body = call("info", [uploaded["id"]], query={"problems": "yes", **query}).body
        return str(body["problems"][uploaded["id"]]["code"])

    assert problem() == "deleted"
    assert problem(nonstored="yes") == "deleted"
    assert call("info", [uploaded["id"]], query={"problems": "yes", "deleted": "yes"}).body["problems"] == {}


@pytest.mark.parametrize("name", ['Überblick "final".pdf', "日本語.txt", "100%.pdf", "a;b=c.txt", "x" * 255])
def test_a_download_is_saved_under_the_files_own_name(name: str, finish: Callable[[dict[str, Any]], str]) -> None:
    file_id = finish({"name": name})
    with urllib.request.urlopen(call("info", [file_id]).body[0]["url"]) as response:
        assert unquote(response.headers["Content-Disposition"].split("filename*=UTF-8''")[1]) == name


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (100, 1)])
def test_costs_one_call_of_aws_for_100_files(count: int, expected: int) -> None:
    ids = [call("upload", {"name": "a"}).body["id"] for _ in range(count)]
    with counted_calls() as calls:
        assert len(call("info", ids, query={"nonstored": "yes"}).body) == count
    assert calls == {"BatchGetItem": expected}
