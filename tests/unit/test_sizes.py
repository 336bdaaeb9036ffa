"""Files at their limits in size: at the last octet, and one beside it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import Clock, call, get, invoke, put, sample_event, upload_event

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


@pytest.mark.usefixtures("emulator_aws")
class TestAFileOfExactlyMaxFileSize:
    """The limit is what is taken, not the first that is refused."""

    @pytest.fixture(autouse=True)
    def limit(self, emulator_aws: None, configure: Callable[..., None]) -> None:
        del emulator_aws
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


@pytest.mark.usefixtures("emulator_aws")
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
