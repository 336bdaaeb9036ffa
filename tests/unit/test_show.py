"""GET /files/{id}."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.repository import FileRepository
from tests.support import UNKNOWN_ID, Reply, call, counted_calls, get, put

pytestmark = pytest.mark.usefixtures("emulator_aws")


def show(file_id: str, **query: str) -> Reply:
    return call("show", file_id=file_id, query=query)


def test_describes_a_stored_file(stored: dict[str, Any]) -> None:
    reply = show(stored["id"])
    assert reply.status == 200
    described = reply.body
    assert get(described.pop("url")) == b"contents"
    assert {described.pop(name)[-1] for name in ("created_at", "uploaded_at", "stored_at")} == {"Z"}
    assert described == {"id": stored["id"], "name": "report.pdf", "type": "application/pdf", "size": 8}


def test_gives_the_details_that_several_files_have() -> None:
    """A back end reads both answers with the same code."""
    declared = {"meta": {"form": "7"}, "checksum": {"algorithm": "CRC32", "value": "NSRBwg=="}}
    upload = call("upload", {"name": "a", "size": 3, **declared}).body
    put(upload["url"], b"abc", upload["headers"])
    call("store", [upload["id"]])
    described = show(upload["id"]).body
    (of_several,) = call("info", [upload["id"]]).body
    assert described.pop("url").split("?")[0] == of_several.pop("url").split("?")[0]
    assert described == of_several
    assert described["meta"] == {"form": "7"}
    assert described["checksum"] == {**declared["checksum"], "verified": "declared"}


class TestWithoutItsFlag:
    """Code that finds a file by its id alone must not take one for stored that is not."""

    def test_a_pending_file_is_unknown(self, requested: dict[str, Any]) -> None:
        assert show(requested["id"]).status == 404
        assert show(requested["id"], deleted="yes").status == 404
        assert "url" not in show(requested["id"], nonstored="yes").body

    def test_an_uploaded_file_is_unknown(self, uploaded: dict[str, Any]) -> None:
        assert show(uploaded["id"]).status == 404
        described = show(uploaded["id"], nonstored="yes").body
        assert described["size"] == 8
        assert "url" not in described

    def test_a_deleted_file_is_unknown(self, stored: dict[str, Any]) -> None:
        call("delete", [stored["id"]])
        assert show(stored["id"]).status == 404
        assert show(stored["id"], nonstored="yes").status == 404
        described = show(stored["id"], deleted="yes").body
        assert "deleted_at" in described
        assert "url" not in described


def test_of_a_file_that_is_not_let_in_says_why(stored: dict[str, Any]) -> None:
    """The code is the same for all, the message is for whoever looks for the cause."""
    call("delete", [stored["id"]])
    assert show(stored["id"]).body == {"message": "The file was deleted.", "code": "unknown"}


@pytest.mark.parametrize("flag", ["deleted", "nonstored"])
def test_a_flag_that_is_neither_yes_nor_no_is_refused(stored: dict[str, Any], flag: str) -> None:
    reply = show(stored["id"], **{flag: "maybe"})
    assert (reply.status, reply.body["code"]) == (400, "invalid_request")
    assert flag in reply.body["message"]


def test_an_id_of_nothing_is_unknown_whatever_is_let_in() -> None:
    reply = show(UNKNOWN_ID, deleted="yes", nonstored="yes")
    assert (reply.status, reply.body) == (404, {"message": "There is no such file.", "code": "unknown"})


@pytest.mark.parametrize("file_id", ["x", "é", "0" * 33, "x" * 9000])
def test_what_is_no_id_is_unknown_and_costs_no_call_of_aws(file_id: str) -> None:
    with counted_calls() as calls:
        reply = show(file_id)
    assert (reply.status, reply.body["code"]) == (404, "unknown")
    assert calls == {}


def test_a_record_that_could_not_be_read_is_not_taken_for_none(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 404 a back end may forget the file."""
    monkeypatch.setattr(FileRepository, "get", lambda _, ids: ({}, set(ids)))
    reply = show(stored["id"])
    assert (reply.status, reply.body["code"]) == (503, "try_again")
    assert int(reply.headers["Retry-After"]) >= 1


def test_its_line_in_the_log_names_the_file(stored: dict[str, Any], log: Callable[[], list[dict[str, Any]]]) -> None:
    show(stored["id"])
    line = log()[-1]
    assert (line["message"], line["status"], line["file_id"]) == ("GET /files/{id}", 200, stored["id"])
