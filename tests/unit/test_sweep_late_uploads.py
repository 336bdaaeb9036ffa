"""What the sweep waits for: uploads that end after their URL has expired, and those that no version pins."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.support import Clock, call, counted_calls, get, invoke, put, upload_event
from tests.sweeping import NOTHING, sweep

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]
DAY = 24 * 3600


class TestSlowUploads:
    """S3 looks at the expiry of a URL when a request begins: what began in time may end hours later, and is taken."""

    @pytest.fixture(autouse=True)
    def a_day(self, emulator_aws: None, configure: Callable[..., None]) -> None:
        del emulator_aws
        configure(LATE_UPLOAD_MARGIN="86400")

    def test_find_their_record_until_the_margin_is_over(
        self, requested: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        begun = int(clock())
        clock.advance(3660)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {
            "Query": 16,
            "ListMultipartUploads": 1,
            "BatchGetItem": 1,
            "ListObjectVersions": 1,
            "BatchExecuteStatement": 1,
        }
        assert int((record(requested["id"]) or {})["sweep_at"]) == begun + 3600 + DAY
        clock.advance(DAY - 61)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "ListMultipartUploads": 1}
        created = put(requested["url"], b"contents", requested["headers"])
        assert invoke("uploaded", upload_event(created)) == {"batchItemFailures": []}
        assert call("store", [requested["id"]]).body == [requested["id"]]
        assert get(call("info", [requested["id"]]).body[0]["url"]) == b"contents"

    def test_are_adopted_in_the_end_where_their_event_was_lost(
        self, requested: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        clock.advance(3660)
        sweep()
        put(requested["url"], b"contents", requested["headers"])
        clock.advance(DAY - 60)
        assert sweep() == NOTHING | {"adopted": 1}
        assert len(versions()) == 1

    def test_are_waited_for_no_longer_than_that(
        self, requested: dict[str, Any], clock: Clock, versions: Versions, record: Record
    ) -> None:
        clock.advance(3600 + DAY)
        assert sweep() == NOTHING | {"pending_removed": 1}
        assert record(requested["id"]) is None
        invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
        assert versions() == []

    @pytest.mark.parametrize("deletion", ["requested", "undone", "expired"])
    def test_to_a_deleted_file_are_removed_though_their_event_was_lost(
        self, uploaded: dict[str, Any], clock: Clock, versions: Versions, record: Record, deletion: str
    ) -> None:
        if deletion == "requested":
            call("delete", [uploaded["id"]])
        if deletion == "undone":
            call("undo", file_id=uploaded["id"], headers={"x-upload-token": uploaded["token"]})
        clock.advance(7200)
        sweep()
        item = record(uploaded["id"]) or {}
        assert (item["deletion"], "sweep_at" in item, "purge_at" in item) == (deletion, True, False)
        put(uploaded["url"], b"CONTENTS", uploaded["headers"])
        clock.advance(DAY - 3600)
        assert sweep() == NOTHING | {"deletions_finished": 1, "versions_removed": 1}
        assert versions() == []


class TestUploadsBeforeTheBucketIsVersioned:
    """Versioning that was just switched on may take a quarter of an hour to reach all of S3."""

    @pytest.fixture
    def unversioned(self, requested: dict[str, Any]) -> dict[str, Any]:
        bucket = wiring.settings().bucket_name
        aws.s3().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
        put(requested["url"], b"contents", requested["headers"])
        aws.s3().put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return requested

    def test_are_not_pinned_as_another_would_overwrite_them(
        self, unversioned: dict[str, Any], clock: Clock, versions: Versions, configure: Callable[..., None]
    ) -> None:
        configure(LATE_UPLOAD_MARGIN="86400")
        assert call("store", [unversioned["id"]]).body == []
        clock.advance(3660)
        assert sweep() == NOTHING
        assert versions() == [(unversioned["id"], "null")]
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "ListMultipartUploads": 1}

    def test_give_way_to_one_that_has_a_version(
        self, unversioned: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        created = put(unversioned["url"], b"CONTENTS", unversioned["headers"])
        clock.advance(3660)
        assert sweep() == NOTHING | {"adopted": 1, "versions_removed": 1}
        assert versions() == [(unversioned["id"], created["versionId"])]

    def test_are_gone_when_no_other_can_come(
        self, unversioned: dict[str, Any], clock: Clock, versions: Versions, record: Record
    ) -> None:
        clock.advance(3660)
        assert sweep() == NOTHING | {"versions_removed": 1}
        assert versions() == []
        assert sweep() == NOTHING | {"pending_removed": 1}
        assert record(unversioned["id"]) is None
