"""PUT /files."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore.domain.outcome import Throttled
from filestore.storage.repository import FileRepository
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, put, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]


def test_stores_and_leaves_nothing_to_sweep(uploaded: dict[str, Any], record: Record) -> None:
    reply = call("store", [uploaded["id"]])
    assert (reply.status, reply.body) == (200, [uploaded["id"]])
    item = record(uploaded["id"])
    assert item
    assert "stored_at" in item
    assert not {"sweep_at", "sweep_shard", "purge_at"} & item.keys()


def test_keeps_the_first_date_when_stored_twice(stored: dict[str, Any], record: Record, clock: Clock) -> None:
    """A back end that retries must not move the date it shows to its users."""
    before = record(stored["id"])
    clock.advance(3600)
    assert call("store", [stored["id"]]).body == [stored["id"]]
    assert record(stored["id"]) == before


def test_stores_an_upload_whose_event_has_not_come(requested: dict[str, Any], record: Record) -> None:
    """The form may be submitted faster than S3 tells of the upload."""
    created = put(requested["url"], b"contents", requested["headers"])
    assert call("store", [requested["id"]]).body == [requested["id"]]
    item = record(requested["id"])
    assert item
    assert (item["version_id"], item["size"]) == (created["versionId"], "8")
    assert get(call("info", [requested["id"]]).body[0]["url"]) == b"contents"


def test_the_event_that_comes_after_the_store_changes_nothing(requested: dict[str, Any], record: Record) -> None:
    created = put(requested["url"], b"contents", requested["headers"])
    call("store", [requested["id"]])
    before = record(requested["id"])
    invoke("uploaded", upload_event(created))
    assert record(requested["id"]) == before


def test_of_several_unseen_uploads_the_first_is_stored(requested: dict[str, Any]) -> None:
    for contents in (b"contents", b"CONTENTS"):
        put(requested["url"], contents, requested["headers"])
    call("store", [requested["id"]])
    assert get(call("info", [requested["id"]]).body[0]["url"]) == b"contents"


def test_leaves_out_what_it_cannot_store_and_creates_nothing(
    uploaded: dict[str, Any], record_count: Callable[[], int]
) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    deleted = call("upload", {"name": "a"}).body["id"]
    call("delete", [deleted])
    ids = [UNKNOWN_ID, pending, uploaded["id"], deleted, "no id", "../x", UNKNOWN_ID]
    assert call("store", ids).body == [uploaded["id"]]
    assert record_count() == 3


def test_says_why_when_asked(uploaded: dict[str, Any]) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    deleted = call("upload", {"name": "a"}).body["id"]
    call("delete", [deleted])
    body = call("store", [UNKNOWN_ID, pending, uploaded["id"], deleted], query={"problems": "yes"}).body
    assert body["result"] == [uploaded["id"]]
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        UNKNOWN_ID: "unknown",
        pending: "not_uploaded",
        deleted: "deleted",
    }


def test_answers_in_the_order_of_the_request() -> None:
    uploads = [call("upload", {"name": "a"}).body for _ in range(30)]
    invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
    ids = [upload["id"] for upload in reversed(uploads)]
    assert call("store", ids).body == ids


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (25, 1), (26, 2), (100, 4)])
def test_costs_one_call_of_aws_for_25_files(count: int, expected: int) -> None:
    uploads = [call("upload", {"name": "a"}).body for _ in range(count)]
    invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
    with counted_calls() as calls:
        assert len(call("store", [upload["id"] for upload in uploads]).body) == count
    assert calls == {"BatchExecuteStatement": expected}


def test_has_nothing_to_do_where_files_are_stored_as_they_arrive(configure: Callable[..., None]) -> None:
    configure(STORE_ON_LOAD="True")
    for ids in ([UNKNOWN_ID], []):
        reply = call("store", ids)
        assert (reply.status, reply.body["code"]) == (400, "stored_on_load")
        assert reply.body["message"] == "Configured to store files at the time of upload. There is nothing to do."


def test_a_store_of_an_upload_that_was_not_told_of_says_what_became_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One was taken back while the bucket was looked into, of another DynamoDB says nothing."""
    uploads = [call("upload", {"name": "a", "size": 1}).body for _ in range(3)]
    taken_back, throttled, stored = (upload["id"] for upload in uploads)
    for upload in uploads:
        put(upload["url"], b"x", upload["headers"])
    record = FileRepository.record_and_store_uploads

    def meanwhile(files: FileRepository, found: Any, **values: Any) -> Any:
        call("undo", file_id=taken_back, headers={"x-upload-token": uploads[0]["token"]})
        return record(files, found, **values) | {throttled: Throttled()}

    monkeypatch.setattr(FileRepository, "record_and_store_uploads", meanwhile)
    body = call("store", [taken_back, throttled, stored], query={"problems": "yes"}).body
    assert body["result"] == [stored]
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        taken_back: "deleted",
        throttled: "try_again",
    }
