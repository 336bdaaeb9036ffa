"""S3 object created, by way of SQS."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, put, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]
NOTHING_FAILED: dict[str, list[object]] = {"batchItemFailures": []}


def test_records_the_upload(requested: dict[str, Any], record: Record) -> None:
    created = put(requested["url"], b"contents", requested["headers"])
    assert invoke("uploaded", upload_event(created)) == NOTHING_FAILED
    item = record(requested["id"])
    assert item
    assert item["version_id"] == created["versionId"]
    assert item["size"] == "8"
    assert "uploaded_at" in item
    assert "stored_at" not in item
    assert "purge_at" not in item


def test_leaves_its_place_in_the_index_as_it_is(requested: dict[str, Any], record: Record) -> None:
    """Two writes that a file which is stored in time never needs."""
    before = record(requested["id"])
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    after = record(requested["id"])
    assert before
    assert after
    assert {after[name] == before[name] for name in ("sweep_shard", "sweep_at")} == {True}


def test_is_due_before_its_url_expires_where_unstored_uploads_live_less_long(
    configure: Callable[..., None], record: Record, clock: Clock
) -> None:
    configure(UNSTORED_FILE_LIFETIME="3599")
    upload = call("upload", {"name": "a"}).body
    clock.advance(1)
    invoke("uploaded", upload_event(put(upload["url"], b"contents")))
    assert int((record(upload["id"]) or {})["sweep_at"]) == int(clock()) + 3599


def test_costs_one_call_of_aws(requested: dict[str, Any]) -> None:
    created = put(requested["url"], b"contents", requested["headers"])
    with counted_calls() as calls:
        invoke("uploaded", upload_event(created))
    assert calls == {"BatchExecuteStatement": 1}


def test_ten_uploads_cost_one_call_too() -> None:
    uploads = [call("upload", {"name": "a", "type": "text/plain"}).body for _ in range(10)]
    created = [put(upload["url"], b"x", upload["headers"]) for upload in uploads]
    with counted_calls() as calls:
        invoke("uploaded", upload_event(*created))
    assert calls == {"BatchExecuteStatement": 1}


class TestMoreThanMaxFileSize:
    """A name alone is signed without a size, so S3 takes whatever comes."""

    @pytest.mark.parametrize("store_on_load", ["False", "True"])
    def test_is_not_taken(
        self, configure: Callable[..., None], record: Record, versions: Versions, store_on_load: str
    ) -> None:
        configure(MAX_FILE_SIZE="7", STORE_ON_LOAD=store_on_load)
        upload = call("upload", {"name": "a"}).body
        assert invoke("uploaded", upload_event(put(upload["url"], b"contents"))) == NOTHING_FAILED
        assert "uploaded_at" not in (record(upload["id"]) or {})
        assert versions() == []

    def test_cannot_be_stored_before_its_event_has_come_either(self, configure: Callable[..., None]) -> None:
        configure(MAX_FILE_SIZE="7")
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], b"contents")
        body = call("store", [upload["id"]], query={"problems": "yes"}).body
        assert body["problems"][upload["id"]]["code"] == "not_uploaded"

    def test_gives_way_to_what_fits(self, configure: Callable[..., None], record: Record, versions: Versions) -> None:
        configure(MAX_FILE_SIZE="7")
        upload = call("upload", {"name": "a"}).body
        large, fits = put(upload["url"], b"contents"), put(upload["url"], b"fits")
        assert invoke("uploaded", upload_event(large, fits)) == NOTHING_FAILED
        assert (record(upload["id"]) or {})["version_id"] == fits["versionId"]
        assert versions() == [(upload["id"], fits["versionId"])]

    def test_of_today_does_not_concern_a_file_of_yesterday(
        self, stored: dict[str, Any], configure: Callable[..., None], versions: Versions
    ) -> None:
        """S3 may tell of an upload again after an operator has lowered the limit."""
        configure(MAX_FILE_SIZE="7")
        assert invoke("uploaded", upload_event(stored["object"])) == NOTHING_FAILED
        assert versions() == [(stored["id"], stored["object"]["versionId"])]


def test_stores_on_load_where_the_stack_says_so(
    requested: dict[str, Any], configure: Callable[..., None], record: Record
) -> None:
    configure(STORE_ON_LOAD="True")
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    item = record(requested["id"])
    assert item
    assert item["stored_at"] == item["uploaded_at"]
    assert "sweep_at" not in item
    assert "sweep_shard" not in item


def test_a_duplicate_changes_nothing(
    uploaded: dict[str, Any], record: Record, clock: Clock, versions: Versions
) -> None:
    before = record(uploaded["id"])
    clock.advance(60)
    assert invoke("uploaded", upload_event(uploaded["object"], uploaded["object"])) == NOTHING_FAILED
    assert record(uploaded["id"]) == before
    assert versions() == [(uploaded["id"], uploaded["object"]["versionId"])]


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_uploads_to_one_url_the_first_recorded_is_the_file(
    requested: dict[str, Any], first: int, versions: Versions
) -> None:
    """Events come in any order: whichever is recorded first wins, and the other version goes."""
    created = [put(requested["url"], contents, requested["headers"]) for contents in (b"contents", b"CONTENTS")]
    invoke("uploaded", upload_event(created[first], created[1 - first]))
    assert versions() == [(requested["id"], created[first]["versionId"])]


def test_a_stored_file_cannot_be_overwritten(stored: dict[str, Any], versions: Versions) -> None:
    """The URL works until it expires, so whoever holds it can still PUT."""
    url = call("info", [stored["id"]]).body[0]["url"]
    evil = put(stored["url"], b"EVIL EVL", stored["headers"])
    assert get(url) == b"contents"
    invoke("uploaded", upload_event(evil))
    assert get(call("info", [stored["id"]]).body[0]["url"]) == b"contents"
    assert versions() == [(stored["id"], stored["object"]["versionId"])]


def test_an_upload_after_the_delete_is_removed(stored: dict[str, Any], versions: Versions) -> None:
    call("delete", [stored["id"]])
    invoke("uploaded", upload_event(put(stored["url"], b"CONTENTS", stored["headers"])))
    assert versions() == []


def test_the_event_of_a_deleted_upload_brings_nothing_back(
    uploaded: dict[str, Any], record: Record, versions: Versions
) -> None:
    call("delete", [uploaded["id"]])
    before = record(uploaded["id"])
    invoke("uploaded", upload_event(uploaded["object"]))
    assert record(uploaded["id"]) == before
    assert versions() == []


def test_an_object_without_a_record_is_removed_and_none_is_made(
    versions: Versions, record_count: Callable[[], int]
) -> None:
    created = aws.s3().put_object(Bucket=wiring.settings().bucket_name, Key=UNKNOWN_ID, Body=b"x")
    event = upload_event({"key": UNKNOWN_ID, "versionId": created["VersionId"], "size": 1, "eTag": "x"})
    assert invoke("uploaded", event) == NOTHING_FAILED
    assert versions() == []
    assert record_count() == 0


def test_ten_uploads_to_one_url_cost_one_call_and_one_removal(requested: dict[str, Any], versions: Versions) -> None:
    created = [put(requested["url"], b"contents", requested["headers"]) for _ in range(10)]
    with counted_calls() as calls:
        assert invoke("uploaded", upload_event(*created)) == NOTHING_FAILED
    assert calls == {"BatchExecuteStatement": 1, "DeleteObjects": 1}
    assert versions() == [(requested["id"], created[0]["versionId"])]
