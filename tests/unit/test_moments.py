"""Files at their limits in size and time: at the last octet, at the last second, and one beside it."""

import itertools
import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.bucket import Bucket
from filestore.storage.repository import FileRepository, Throttled
from tests.support import (
    Clock,
    Context,
    call,
    counted_calls,
    get,
    invoke,
    put,
    sample_event,
    upload_event,
)

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


@pytest.mark.usefixtures("engine_aws")
class TestAFileOfExactlyMaxFileSize:
    """The limit is what is taken, not the first that is refused."""

    @pytest.fixture(autouse=True)
    def limit(self, engine_aws: None, configure: Callable[..., None]) -> None:
        del engine_aws
        configure(MAX_FILE_SIZE="8")

    @pytest.mark.parametrize("store_on_load", ["False", "True"])
    @pytest.mark.parametrize(("contents", "taken"), [(b"1234567", True), (b"12345678", True), (b"123456789", False)])
    def test_is_recorded(
        self, configure: Callable[..., None], record: Record, store_on_load: str, contents: bytes, taken: bool
    ) -> None:
        configure(STORE_ON_LOAD=store_on_load)
        upload = call("upload", {"name": "a"}).body
        invoke("uploaded", upload_event(put(upload["url"], contents)))
        item = record(upload["id"]) or {}
        assert ("uploaded_at" in item) is taken
        assert ("stored_at" in item) is (taken and store_on_load == "True")

    @pytest.mark.parametrize(("contents", "stored"), [(b"12345678", True), (b"123456789", False)])
    def test_is_stored_before_its_event_has_come(self, contents: bytes, stored: bool) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], contents)
        assert call("store", [upload["id"]]).body == ([upload["id"]] if stored else [])

    def test_is_stored_though_a_larger_one_came_first(self) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], b"123456789")
        put(upload["url"], b"12345678")
        assert call("store", [upload["id"]]).body == [upload["id"]]
        assert get(call("info", [upload["id"]]).body[0]["url"]) == b"12345678"

    @pytest.mark.parametrize(("contents", "adopted"), [(b"12345678", 1), (b"123456789", 0)])
    def test_is_adopted_where_its_event_was_lost(
        self, clock: Clock, versions: Versions, contents: bytes, adopted: int
    ) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], contents)
        clock.advance(3660)
        assert invoke("sweep", sample_event("sweep"))["adopted"] == adopted
        assert len(versions()) == adopted


@pytest.mark.usefixtures("engine_aws")
class TestEventsOfS3:
    @pytest.mark.parametrize(
        ("size", "failed"), [(0, False), (-1, True), (2**63 - 1, False), (2**63, True), (1.0, True), ("1", True)]
    )
    def test_have_sizes_that_a_record_can_hold(
        self, configure: Callable[..., None], requested: dict[str, Any], size: Any, failed: bool
    ) -> None:
        configure(MAX_FILE_SIZE=str(2**63))
        event = upload_event({"key": requested["id"], "versionId": "v", "size": size, "eTag": "e"})
        assert bool(invoke("uploaded", event)["batchItemFailures"]) is failed

    def test_are_not_failures_where_they_are_empty(self) -> None:
        event = upload_event({})
        event["Records"][0]["body"] = '{"Records": []}'
        assert invoke("uploaded", event) == {"batchItemFailures": []}

    def test_fail_where_they_are_no_test_and_have_nothing(self) -> None:
        event = upload_event({})
        event["Records"][0]["body"] = '{"Event": "s3:Another"}'
        assert invoke("uploaded", event) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}

    def test_of_several_objects_are_read_to_the_end(self, record: Record) -> None:
        uploads = [call("upload", {"name": "a"}).body for _ in range(3)]
        event = upload_event(*(put(upload["url"], b"x") for upload in uploads))
        notifications = [json.loads(message["body"]) for message in event["Records"]]
        notifications[0]["Records"] = [record for each in notifications for record in each["Records"]]
        event["Records"] = event["Records"][:1]
        event["Records"][0]["body"] = json.dumps(notifications[0])
        assert invoke("uploaded", event) == {"batchItemFailures": []}
        assert all("uploaded_at" in (record(upload["id"]) or {}) for upload in uploads)


@pytest.mark.usefixtures("engine_aws")
class TestTheSweep:
    def test_looks_at_deleted_files_until_a_minute_after_their_url_is_dead(
        self, stored: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        """S3 checks the expiry when a request begins, and clocks differ: bytes may come after the last second."""
        call("delete", [stored["id"]])
        for seconds in (0, 3599, 1, 59):
            clock.advance(seconds)
            assert invoke("sweep", {})["deletions_finished"] == 0
        assert "sweep_at" in (record(stored["id"]) or {})
        clock.advance(1)
        assert invoke("sweep", {})["deletions_finished"] == 1
        assert "sweep_at" not in (record(stored["id"]) or {})

    def test_removes_what_was_uploaded_in_that_last_minute(
        self, stored: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        call("delete", [stored["id"]])
        clock.advance(3659)
        invoke("sweep", {})
        put(stored["url"], b"CONTENTS", stored["headers"])
        clock.advance(1)
        assert invoke("sweep", {})["versions_removed"] == 1
        assert versions() == []

    def test_keeps_the_record_of_what_is_too_large_until_s3_has_deleted_it(
        self, configure: Callable[..., None], clock: Clock, record: Record, versions: Versions
    ) -> None:
        """TTL would drop the record, and with it the only trace of the bytes."""
        configure(MAX_FILE_SIZE="7")
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], b"contents")
        clock.advance(3660)
        with pytest.MonkeyPatch.context() as refused:
            refused.setattr(Bucket, "delete", lambda _, found: {version.key for version in found})
            invoke("sweep", {})
        assert "purge_at" not in (record(upload["id"]) or {})
        assert len(versions()) == 1
        assert invoke("sweep", {})["versions_removed"] == 1
        assert versions() == []

    def test_looks_at_nothing_again_before_its_time(self, stored: dict[str, Any]) -> None:
        call("delete", [stored["id"]])
        invoke("sweep", {})
        with counted_calls() as calls:
            invoke("sweep", {})
        assert calls == {"Query": 16}

    def test_writes_once_for_an_upload_that_never_came(self, requested: dict[str, Any], clock: Clock) -> None:
        del requested
        clock.advance(3660)
        with counted_calls() as calls:
            assert invoke("sweep", {})["placeholders_removed"] == 1
        assert calls == {"Query": 16, "BatchGetItem": 1, "ListObjectVersions": 1, "BatchExecuteStatement": 1}

    @pytest.mark.parametrize(("lifetime", "expired"), [(7201, 0), (7200, 1), (7199, 1)])
    def test_ends_a_lifetime_to_the_second(
        self, configure: Callable[..., None], uploaded: dict[str, Any], clock: Clock, lifetime: int, expired: int
    ) -> None:
        del uploaded
        configure(UNSTORED_FILE_LIFETIME=str(lifetime))
        clock.advance(7200)
        assert invoke("sweep", {})["expired"] == expired

    @pytest.mark.parametrize(("lifetime", "moved"), [(3599, True), (3600, False), (3601, False)])
    def test_is_told_of_an_end_only_where_it_would_not_look_before(
        self, configure: Callable[..., None], record: Record, lifetime: int, moved: bool
    ) -> None:
        configure(UNSTORED_FILE_LIFETIME=str(lifetime))
        upload = call("upload", {"name": "a"}).body
        before = (record(upload["id"]) or {})["sweep_at"]
        invoke("uploaded", upload_event(put(upload["url"], b"x")))
        assert ((record(upload["id"]) or {})["sweep_at"] != before) is moved

    @pytest.mark.parametrize(("milliseconds", "finished"), [(20_001, True), (20_000, False), (19_999, False)])
    def test_begins_nothing_in_its_last_twenty_seconds(self, clock: Clock, milliseconds: int, finished: bool) -> None:
        call("upload", {"name": "a"})
        clock.advance(3660)
        swept = invoke("sweep", {}, Context(itertools.repeat(milliseconds)))
        assert (swept["finished"], swept["placeholders_removed"]) == (finished, int(finished))

    def test_stops_at_the_first_shard_that_it_has_no_time_for(self, clock: Clock) -> None:
        """Sixteen shards, each with a file: without time it asks DynamoDB for the first of them alone."""
        for _ in range(60):
            call("upload", {"name": "a"})
        clock.advance(3660)
        with counted_calls() as calls:
            assert invoke("sweep", {}, Context(itertools.repeat(0)))["finished"] is False
        assert calls["Query"] < 16

    @pytest.mark.parametrize("remaining", [0, 1])
    def test_finishes_the_deletions_whose_bytes_are_gone_and_no_others(
        self, clock: Clock, record: Record, monkeypatch: pytest.MonkeyPatch, remaining: int
    ) -> None:
        uploads = [call("upload", {"name": "a"}).body for _ in range(2)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        clock.advance(7200)
        kept = {uploads[0]["id"]} if remaining else set()
        delete = Bucket.delete
        monkeypatch.setattr(Bucket, "delete", lambda bucket, found: delete(bucket, found) | kept)
        swept = invoke("sweep", {})
        assert (swept["expired"], swept["deletions_finished"]) == (2, 2 - remaining)
        assert swept["versions_removed"] == 2 - remaining
        assert ["sweep_at" in (record(upload["id"]) or {}) for upload in uploads] == [bool(remaining), False]

    def test_does_not_finish_the_deletion_of_a_file_whose_bytes_it_could_not_look_for(
        self, clock: Clock, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S3 has throttled: no list is not an empty list."""
        uploads = [call("upload", {"name": "a"}).body for _ in range(2)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        clock.advance(7200)
        versions = Bucket.versions
        with monkeypatch.context() as patch:
            for upload in uploads:
                with monkeypatch.context() as interrupted:
                    interrupted.setattr(Bucket, "delete", lambda *_: set())
                    call("delete", [upload["id"]])
            patch.setattr(
                Bucket,
                "versions",
                lambda bucket, keys: {
                    key: found for key, found in versions(bucket, keys).items() if key != uploads[0]["id"]
                },
            )
            assert invoke("sweep", {})["deletions_finished"] == 1
        assert ["sweep_at" in (record(upload["id"]) or {}) for upload in uploads] == [True, False]
        assert invoke("sweep", {})["versions_removed"] == 1


@pytest.mark.usefixtures("engine_aws")
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


@pytest.mark.usefixtures("engine_aws")
@pytest.mark.parametrize("media_type", ["text/x-a; charset=utf-8", None])
def test_a_download_has_the_type_that_was_declared(
    finish: Callable[[dict[str, Any]], str], media_type: str | None
) -> None:
    file_id = finish({"name": "a.png"} | ({"type": media_type} if media_type else {}))
    with urllib.request.urlopen(call("info", [file_id]).body[0]["url"]) as response:
        assert response.headers["Content-Type"] == (media_type or "image/png")


@pytest.mark.usefixtures("engine_aws")
class TestAnotherUploadsToken:
    """It tells nothing and does nothing, whatever has become of the file."""

    @pytest.fixture
    def undo(self) -> Callable[[dict[str, Any]], tuple[int, str]]:
        token = call("upload", {"name": "a", "size": 1}).body["token"]

        def undo(upload: dict[str, Any]) -> tuple[int, str]:
            reply = call("undo", file_id=upload["id"], headers={"x-upload-token": token})
            return reply.status, reply.body["code"]

        return undo

    def test_of_a_file_that_is_stored(
        self, undo: Callable[[dict[str, Any]], tuple[int, str]], stored: dict[str, Any], versions: Versions
    ) -> None:
        assert undo(stored) == (403, "invalid_token")
        assert len(versions()) == 1

    def test_of_a_file_that_is_deleted_but_still_there(
        self,
        undo: Callable[[dict[str, Any]], tuple[int, str]],
        stored: dict[str, Any],
        versions: Versions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as interrupted:
            interrupted.setattr(Bucket, "delete", lambda *_: set())
            call("delete", [stored["id"]])
        assert undo(stored) == (403, "invalid_token")
        assert len(versions()) == 1


@pytest.mark.usefixtures("engine_aws")
def test_ttl_leaves_alone_the_record_of_an_upload_that_is_taken_back(requested: dict[str, Any], record: Record) -> None:
    """What comes to its URL afterwards is only found as long as there is a record."""
    assert "purge_at" in (record(requested["id"]) or {})
    call("undo", file_id=requested["id"], headers={"x-upload-token": requested["token"]})
    item = record(requested["id"]) or {}
    assert item["deletion"] == "undone"
    assert "purge_at" not in item


@pytest.mark.usefixtures("engine_aws")
@pytest.mark.parametrize(("seconds", "status"), [(3599, 204), (3600, 409), (3601, 409)])
def test_what_is_stored_as_it_arrives_can_be_taken_back_until_its_url_expires(
    configure: Callable[..., None], requested: dict[str, Any], clock: Clock, seconds: int, status: int
) -> None:
    configure(STORE_ON_LOAD="True")
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    clock.advance(seconds)
    headers = {"x-upload-token": requested["token"]}
    assert call("undo", file_id=requested["id"], headers=headers).status == status
