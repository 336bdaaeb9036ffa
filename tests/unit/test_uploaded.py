"""S3 object created, by way of SQS."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from filestore.storage.repository import FileRepository
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("engine_aws")

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


def test_an_object_that_is_not_ours_is_left_alone_and_counted(
    versions: Versions, log: Callable[[], list[dict[str, Any]]]
) -> None:
    created = aws.s3().put_object(Bucket=wiring.settings().bucket_name, Key="a b/ü.txt", Body=b"x")
    event = upload_event({"key": "a+b/%C3%BC.txt", "versionId": created["VersionId"], "size": 1, "eTag": "x"})
    assert invoke("uploaded", event) == NOTHING_FAILED
    assert versions() == [("a b/ü.txt", created["VersionId"])]
    assert log()[-1]["ForeignObjects"] == [1.0]


def test_the_test_event_of_s3_is_ignored() -> None:
    event = sample_event("uploaded")
    event["Records"][0]["body"] = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"})
    assert invoke("uploaded", event) == NOTHING_FAILED


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '{"Records": 7}',
        '{"Records": [null]}',
        '{"Records": [{"s3": {"object": {"key": 7}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": "many", "versionId": "v", "eTag": "e"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": Infinity, "versionId": "v", "eTag": "e"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": 1%s, "versionId": "v", "eTag": "e"}}}]}' % ("0" * 40),
        '{"Records": [{"s3": {"object": {"key": "k", "size": -1, "versionId": "v", "eTag": "e"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": 1, "versionId": 7, "eTag": "e"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": 1, "versionId": ["v"], "eTag": "e"}}}]}',
        '{"Records": [{"s3": {"object": {"key": "k", "size": 1, "versionId": "\\ud800", "eTag": "e"}}}]}',
        "[" * 100_000,
    ],
)
def test_a_poisoned_message_fails_alone(body: str, requested: dict[str, Any], record: Record) -> None:
    event = upload_event(put(requested["url"], b"contents", requested["headers"]), {})
    event["Records"][1]["body"] = body
    assert invoke("uploaded", event) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    item = record(requested["id"])
    assert item
    assert "uploaded_at" in item


class TestWhereARefusalBringsNoRecord:
    """Documented is that it does, measured by nobody for a batch: a stored file must not depend on it."""

    @pytest.fixture(autouse=True)
    def silent_refusals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = aws.dynamodb()
        original = client._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - what the SDK has made of it

        def make_api_call(name: str, parameters: dict[str, Any]) -> Any:
            answer = original(name, parameters)
            for response in answer.get("Responses", []) if name == "BatchExecuteStatement" else []:
                response.get("Error", {}).pop("Item", None)
            return answer

        monkeypatch.setattr(client, "_make_api_call", make_api_call)

    def test_a_duplicate_keeps_the_stored_file(self, stored: dict[str, Any]) -> None:
        with counted_calls() as calls:
            assert invoke("uploaded", upload_event(stored["object"])) == NOTHING_FAILED
        assert get(call("info", [stored["id"]]).body[0]["url"]) == b"contents"
        assert calls["BatchGetItem"] == 1

    def test_an_overwrite_is_removed_all_the_same(self, stored: dict[str, Any], versions: Versions) -> None:
        overwrite = put(stored["url"], b"CONTENTS", stored["headers"])
        assert invoke("uploaded", upload_event(overwrite)) == NOTHING_FAILED
        assert versions() == [(stored["id"], stored["object"]["versionId"])]

    def test_nothing_is_removed_while_the_record_cannot_be_read(
        self, stored: dict[str, Any], versions: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(FileRepository, "_read", lambda _, ids, __: ({}, set(ids)))
        answer = invoke("uploaded", upload_event(stored["object"]))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert len(versions()) == 1

    def test_callers_are_told_the_truth(self, stored: dict[str, Any], requested: dict[str, Any]) -> None:
        assert call("store", [stored["id"]]).body == [stored["id"]]
        assert call("undo", file_id=stored["id"], headers={"x-upload-token": stored["token"]}).status == 409
        call("delete", [requested["id"]])
        assert call("delete", [requested["id"], UNKNOWN_ID]).body == [requested["id"]]


@pytest.mark.parametrize("version", [{}, {"versionId": ""}, {"versionId": "null"}], ids=["none", "empty", "null"])
def test_an_event_without_a_version_waits_and_touches_nothing(
    requested: dict[str, Any],
    stored: dict[str, Any],
    version: dict[str, str],
    record: Record,
    versions: Versions,
    log: Callable[[], list[dict[str, Any]]],
) -> None:
    """Versioning that was just switched on may take a quarter of an hour to reach all of S3."""
    other = call("upload", {"name": "a", "type": "text/plain"}).body
    created = put(other["url"], b"contents", other["headers"])
    before = [record(each["id"]) for each in (stored, other)], versions()
    event = upload_event(stored["object"], created, put(requested["url"], b"CONTENTS", requested["headers"]))
    for message in event["Records"][:2]:
        body = json.loads(message["body"])
        del body["Records"][0]["s3"]["object"]["versionId"]
        body["Records"][0]["s3"]["object"] |= version
        message["body"] = json.dumps(body)
    event["Records"].pop()
    assert invoke("uploaded", event) == {
        "batchItemFailures": [{"itemIdentifier": "message-0"}, {"itemIdentifier": "message-1"}]
    }
    assert before == ([record(each["id"]) for each in (stored, other)], before[1])
    assert set(before[1]) < set(versions())
    assert [line["message"] for line in log()[:-1] if line["level"] == "ERROR"] == ["upload without a version"] * 2


def test_ten_uploads_to_one_url_cost_one_call_and_one_removal(requested: dict[str, Any], versions: Versions) -> None:
    created = [put(requested["url"], b"contents", requested["headers"]) for _ in range(10)]
    with counted_calls() as calls:
        assert invoke("uploaded", upload_event(*created)) == NOTHING_FAILED
    assert calls == {"BatchExecuteStatement": 1, "DeleteObjects": 1}
    assert versions() == [(requested["id"], created[0]["versionId"])]


def test_nothing_of_an_unreadable_message_is_logged(log: Callable[[], list[dict[str, Any]]]) -> None:
    event = sample_event("uploaded")
    event["Records"][0]["body"] = '{"Records": [{"s3": {"object": {"eTag": "", "versionId": "v", "size": "secret"}}}]}'
    invoke("uploaded", event)
    assert log()[0]["message"] == "unreadable message"
    assert "secret" not in json.dumps(log())
