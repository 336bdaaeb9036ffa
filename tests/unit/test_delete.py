"""DELETE /files."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.bucket import Bucket
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, invoke, put, status_of, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


def test_the_bytes_go_and_the_record_stays(stored: dict[str, Any], record: Record, versions: Versions) -> None:
    url = call("info", [stored["id"]]).body[0]["url"]
    reply = call("delete", [stored["id"]])
    assert (reply.status, reply.body) == (200, [stored["id"]])
    assert versions() == []
    assert status_of("GET", url) == 404
    item = record(stored["id"])
    assert item
    assert "deleted_at" in item
    assert "stored_at" in item


def test_is_final(stored: dict[str, Any]) -> None:
    call("delete", [stored["id"]])
    assert call("store", [stored["id"]]).body == []
    assert call("info", [stored["id"]]).body == []


def test_keeps_the_first_date_when_repeated(stored: dict[str, Any], record: Record, clock: Clock) -> None:
    call("delete", [stored["id"]])
    before = record(stored["id"])
    clock.advance(3600)
    assert call("delete", [stored["id"]]).body == [stored["id"]]
    assert record(stored["id"]) == before


def test_unknown_ids_are_left_out_and_create_nothing(record_count: Callable[[], int]) -> None:
    assert call("delete", [UNKNOWN_ID, "no id"]).body == []
    body = call("delete", [UNKNOWN_ID, "no id"], query={"problems": "yes"}).body
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        UNKNOWN_ID: "unknown",
        "no id": "unknown",
    }
    assert record_count() == 0


def test_takes_what_is_not_uploaded_yet(requested: dict[str, Any], versions: Versions) -> None:
    """What arrives afterwards is removed when S3 tells of it."""
    assert call("delete", [requested["id"]]).body == [requested["id"]]
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    assert versions() == []


def test_keeps_the_record_of_what_was_never_uploaded(requested: dict[str, Any], record: Record) -> None:
    """The record of an upload that never happens is dropped after a while; of a deleted file it stays."""
    assert "purge_at" in (record(requested["id"]) or {})
    call("delete", [requested["id"]])
    assert "purge_at" not in (record(requested["id"]) or {})


def test_a_repeated_delete_finishes_what_was_interrupted(
    stored: dict[str, Any], versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Died(BaseException):
        """The function ended here."""

    def die(*_: object) -> None:
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", die)
        with pytest.raises(Died):
            call("delete", [stored["id"]])
    assert len(versions()) == 1
    assert call("delete", [stored["id"]]).body == [stored["id"]]
    assert versions() == []


@pytest.mark.parametrize(("count", "updates"), [(1, 1), (26, 2), (100, 4)])
def test_costs_one_call_for_25_files_and_one_for_their_objects(count: int, updates: int) -> None:
    uploads = [call("upload", {"name": "a"}).body for _ in range(count)]
    invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
    with counted_calls() as calls:
        assert len(call("delete", [upload["id"] for upload in uploads]).body) == count
    assert calls == {"BatchExecuteStatement": updates, "DeleteObjects": 1}
