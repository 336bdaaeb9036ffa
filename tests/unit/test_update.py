"""PATCH /files/{id}."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from filestore.domain.outcome import Applied, Throttled
from filestore.storage.repository import FileRepository
from filestore.storage.statements import Statements
from tests.support import UNKNOWN_ID, Reply, call, counted_calls, invoke, put, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]


def update(file_id: str, body: object) -> Reply:
    return call("update", body, file_id=file_id)


def test_gives_another_name(stored: dict[str, Any]) -> None:
    before = call("show", file_id=stored["id"]).body
    reply = update(stored["id"], {"name": "final.pdf"})
    assert reply.status == 200
    (disposition,) = parse_qs(urlsplit(reply.body["url"]).query)["response-content-disposition"]
    assert disposition.startswith('attachment; filename="final.pdf";')
    del before["url"], reply.body["url"]
    assert reply.body == before | {"name": "final.pdf"}
    shown = call("show", file_id=stored["id"]).body
    del shown["url"]
    assert shown == reply.body


def test_gives_other_meta_in_place_of_all_there_was(finish: Callable[[dict[str, Any]], str]) -> None:
    file_id = finish({"name": "a", "meta": {"form": "7", "page": "1"}})
    assert update(file_id, {"meta": {"form": "8"}}).body["meta"] == {"form": "8"}
    assert call("show", file_id=file_id).body["meta"] == {"form": "8"}
    assert update(file_id, {"meta": {}}).body["meta"] == {}
    assert call("show", file_id=file_id).body["name"] == "a"


def test_changes_nothing_else_of_the_record(stored: dict[str, Any], record: Record) -> None:
    before = record(stored["id"])
    assert before
    update(stored["id"], {"name": "b", "meta": {"a": "b"}})
    assert record(stored["id"]) == before | {"name": "b", "meta": {"a": {"S": "b"}}}


def test_drops_a_directory_as_an_upload_does(stored: dict[str, Any]) -> None:
    assert update(stored["id"], {"name": "C:\\x\\y.txt"}).body["name"] == "y.txt"


def test_takes_one_call(stored: dict[str, Any]) -> None:
    with counted_calls() as calls:
        update(stored["id"], {"name": "b", "meta": {}})
    assert calls == {"BatchExecuteStatement": 1}


class TestWhatIsNotStored:
    """A back end has the id with the form, before it decides."""

    def test_can_be_changed_while_it_is_pending(self, requested: dict[str, Any]) -> None:
        reply = update(requested["id"], {"name": "b"})
        assert (reply.status, reply.body["name"]) == (200, "b")
        assert "url" not in reply.body
        invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
        assert call("store", [requested["id"]]).body == [requested["id"]]
        assert call("show", file_id=requested["id"]).body["name"] == "b"

    def test_can_be_changed_while_it_is_uploaded(self, uploaded: dict[str, Any]) -> None:
        assert update(uploaded["id"], {"meta": {"a": "b"}}).status == 200
        assert call("store", [uploaded["id"]]).body == [uploaded["id"]]
        assert call("show", file_id=uploaded["id"]).body["meta"] == {"a": "b"}

    def test_keeps_the_type_that_its_first_name_told(self) -> None:
        """It tells of the contents, and these do not change."""
        upload = call("upload", {"name": "a.pdf"}).body
        assert update(upload["id"], {"name": "a.png"}).body["type"] == "application/pdf"

    def test_cannot_be_changed_once_it_is_deleted(self, stored: dict[str, Any], record: Record) -> None:
        call("delete", [stored["id"]])
        before = record(stored["id"])
        reply = update(stored["id"], {"name": "b"})
        assert (reply.status, reply.body) == (409, {"message": "The file was deleted.", "code": "deleted"})
        assert record(stored["id"]) == before

    @pytest.mark.parametrize("file_id", [UNKNOWN_ID, "x", "é", "x" * 9000])
    def test_does_not_come_to_be(self, file_id: str, record_count: Callable[[], int]) -> None:
        reply = update(file_id, {"name": "b"})
        assert (reply.status, reply.body) == (404, {"message": "There is no such file.", "code": "unknown"})
        assert record_count() == 0


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ([], ""),
        (None, ""),
        ("name", ""),
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "a\x00"}, "/name"),
        ({"name": "x" * 256}, "/name"),
        ({"name": "a", "size": 1}, "/size"),
        ({"type": "text/plain"}, "/type"),
        ({"meta": None}, "/meta"),
        ({"meta": {"a": 1}}, "/meta/a"),
        ({"meta": {"a": "x" * 513}}, "/meta/a"),
        ({"meta": {str(number): "" for number in range(51)}}, "/meta"),
        ({"meta": {str(number): "x" * 512 for number in range(4)}}, "/meta"),
    ],
)
def test_refuses_a_body_and_says_where_it_is_wrong(stored: dict[str, Any], body: object, path: str) -> None:
    with counted_calls() as calls:
        reply = update(stored["id"], body)
    assert (reply.status, reply.body["code"]) == (400, "invalid_body")
    assert [error["path"] for error in reply.body["errors"]] == [path]
    assert calls == {}


class TestWhereTheAnswerIsNotClear:
    def test_reads_what_the_write_did_not_bring(self, stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """That a statement of a batch brings the record is not documented."""
        execute = Statements.execute

        def untold(statements: Statements, changes: Any) -> Any:
            return dict.fromkeys(execute(statements, changes), Applied(None))

        monkeypatch.setattr(Statements, "execute", untold)
        assert update(stored["id"], {"name": "b"}).body["name"] == "b"
        monkeypatch.setattr(FileRepository, "get", lambda _, ids: ({}, set(ids)))
        assert update(stored["id"], {"name": "c"}).status == 503

    def test_says_to_try_again(self, stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FileRepository, "update", lambda *_, **__: Throttled())
        reply = update(stored["id"], {"name": "b"})
        assert (reply.status, reply.body["code"]) == (503, "try_again")
