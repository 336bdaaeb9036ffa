"""The sweep."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from filestore.storage.bucket import Bucket
from filestore.storage.repository import FileRepository
from tests.support import Clock, Context, call, counted_calls, get, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("engine_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]

NOTHING = {
    "expired": 0,
    "deletions_finished": 0,
    "adopted": 0,
    "placeholders_removed": 0,
    "versions_removed": 0,
    "finished": True,
}
DAY = 24 * 3600


def sweep(context: Context | None = None) -> dict[str, Any]:
    swept: dict[str, Any] = invoke("sweep", sample_event("sweep"), context)
    return swept


def test_has_nothing_to_do_for_an_empty_table() -> None:
    assert sweep() == NOTHING


class TestUploadsThatNobodyStored:
    def test_live_for_their_lifetime(self, uploaded: dict[str, Any], clock: Clock) -> None:
        clock.advance(7199)
        assert sweep() == NOTHING
        assert call("store", [uploaded["id"]]).body == [uploaded["id"]]

    def test_are_given_the_end_of_their_lifetime_by_the_first_sweep_that_sees_them(
        self, uploaded: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        uploaded_at = int(clock())
        clock.advance(3660)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "BatchGetItem": 1, "BatchExecuteStatement": 1}
        assert int((record(uploaded["id"]) or {})["sweep_at"]) == uploaded_at + 7200
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16}

    def test_are_gone_before_their_url_is_dead_if_they_live_less_long(
        self, configure: Callable[..., None], clock: Clock, versions: Versions
    ) -> None:
        configure(UNSTORED_FILE_LIFETIME="60")
        upload = call("upload", {"name": "a"}).body
        invoke("uploaded", upload_event(put(upload["url"], b"contents")))
        clock.advance(59)
        assert sweep() == NOTHING
        clock.advance(1)
        assert sweep()["expired"] == 1
        assert versions() == []

    def test_that_are_deleted_while_the_sweep_puts_them_off_are_finished_at_once(
        self, uploaded: dict[str, Any], clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock.advance(3660)
        pages = wiring.sweep().files.due

        def delete_meanwhile(shard: str, *, now: int) -> Any:
            for page in pages(shard, now=now):
                if page:
                    with monkeypatch.context() as interrupted:
                        interrupted.setattr(Bucket, "delete", lambda *_: set())
                        call("delete", [uploaded["id"]])
                yield page

        with monkeypatch.context() as patch:
            patch.setattr(type(wiring.sweep().files), "due", lambda _, shard, now: delete_meanwhile(shard, now=now))
            assert sweep() == NOTHING
        assert len(versions()) == 1
        assert sweep() == NOTHING | {"deletions_finished": 1, "versions_removed": 1}
        assert versions() == []

    def test_are_gone_afterwards(
        self, uploaded: dict[str, Any], clock: Clock, versions: Versions, record: Record
    ) -> None:
        clock.advance(7200)
        with counted_calls() as calls:
            assert sweep() == NOTHING | {"expired": 1, "deletions_finished": 1, "versions_removed": 1}
        # Marked, and finished.
        assert calls["BatchExecuteStatement"] == 2
        assert versions() == []
        item = record(uploaded["id"])
        assert item
        assert item["deletion"] == "expired"
        assert not {"sweep_at", "sweep_shard"} & item.keys()
        assert int(item["purge_at"]) > clock() + 29 * DAY

    def test_cannot_be_stored_any_more_and_say_so(self, uploaded: dict[str, Any], clock: Clock) -> None:
        clock.advance(7200)
        sweep()
        body = call("store", [uploaded["id"]], query={"problems": "yes"}).body
        assert body["result"] == []
        assert body["problems"][uploaded["id"]]["code"] == "expired"

    def test_stay_if_they_are_stored_at_the_last_moment(
        self, uploaded: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sweep has read its page when the store comes: the record decides, not the page."""
        clock.advance(7200)
        pages = wiring.sweep().files.due

        def store_meanwhile(shard: str, *, now: int) -> Any:
            for page in pages(shard, now=now):
                call("store", [file.id for file in page])
                yield page

        monkeypatch.setattr(type(wiring.sweep().files), "due", lambda _, shard, now: store_meanwhile(shard, now=now))
        assert sweep() == NOTHING
        assert get(call("info", [uploaded["id"]]).body[0]["url"]) == b"contents"


def test_a_shard_that_cannot_be_swept_does_not_hold_up_the_others(
    requested: dict[str, Any], clock: Clock, record: Record, log: Callable[[], list[dict[str, Any]]]
) -> None:
    broken = [shard for shard in "012" if requested["id"][0] != shard][:2]
    for shard in broken:
        aws.dynamodb().put_item(
            TableName=wiring.settings().table_name,
            Item={"id": {"S": shard * 32}, "sweep_shard": {"S": shard}, "sweep_at": {"N": "1"}},
        )
    clock.advance(3660)
    with pytest.raises(ExceptionGroup) as raised:
        invoke("sweep", {})
    assert len(raised.value.exceptions) == 2
    assert record(requested["id"]) is None
    *failures, line = log()
    assert line["PlaceholdersRemoved"] == [1.0]
    assert sorted(failure["exception"].splitlines()[-1] for failure in failures[-2:]) == [
        f"shard {shard}" for shard in broken
    ]


class TestGauges:
    """What the alarms look at."""

    def test_say_how_many_are_due_and_for_how_long(self, clock: Clock, log: Callable[[], list[dict[str, Any]]]) -> None:
        for _ in range(3):
            call("upload", {"name": "a"})
            clock.advance(100)
        clock.advance(3660)
        sweep()
        assert (log()[-1]["DueFiles"], log()[-1]["OldestDueAge"]) == ([3.0], [300.0])

    def test_are_zero_where_nothing_is_due(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        sweep()
        assert (log()[-1]["DueFiles"], log()[-1]["OldestDueAge"]) == ([0.0], [0.0])

    def test_are_not_there_where_what_is_due_could_not_be_read(
        self, clock: Clock, log: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Throttled for good: the sweep must not say that all is well."""
        call("upload", {"name": "a"})
        clock.advance(3660)
        monkeypatch.setattr(FileRepository, "get", lambda _, ids: ({}, set(ids)))
        with pytest.raises(ExceptionGroup, match="not swept"):
            invoke("sweep", {})
        assert not {"DueFiles", "OldestDueAge"} & log()[-1].keys()


class TestPlaceholders:
    def test_are_removed_once_their_url_is_dead(self, requested: dict[str, Any], clock: Clock, record: Record) -> None:
        clock.advance(3659)
        assert sweep() == NOTHING
        clock.advance(1)
        assert sweep() == NOTHING | {"placeholders_removed": 1}
        assert record(requested["id"]) is None

    def test_whose_event_was_lost_are_recorded_and_live_from_then_on(
        self, requested: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        put(requested["url"], b"contents", requested["headers"])
        put(requested["url"], b"CONTENTS", requested["headers"])
        clock.advance(3660)
        assert sweep() == NOTHING | {"adopted": 1, "versions_removed": 1}
        clock.advance(7199)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16}
        assert len(versions()) == 1
        assert call("store", [requested["id"]]).body == [requested["id"]]
        assert get(call("info", [requested["id"]]).body[0]["url"]) == b"contents"


class TestDeletedFiles:
    def test_are_finished_when_the_delete_was_interrupted(
        self, stored: dict[str, Any], clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Bucket, "delete", lambda *_: set())
            call("delete", [stored["id"]])
        assert len(versions()) == 1
        clock.advance(3660)
        assert sweep() == NOTHING | {"deletions_finished": 1, "versions_removed": 1}
        assert versions() == []

    def test_stay_in_the_sweep_while_their_url_lives(
        self, stored: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        """Whoever holds the URL can upload after the delete, and S3's event of it may be lost."""
        call("delete", [stored["id"]])
        assert sweep() == NOTHING
        put(stored["url"], b"CONTENTS", stored["headers"])
        clock.advance(3660)
        assert sweep() == NOTHING | {"deletions_finished": 1, "versions_removed": 1}
        assert versions() == []

    def test_keep_their_record(self, stored: dict[str, Any], clock: Clock, record: Record) -> None:
        call("delete", [stored["id"]])
        clock.advance(3660)
        sweep()
        item = record(stored["id"])
        assert item
        assert item["deletion"] == "requested"
        assert "purge_at" not in item


class TestSlowUploads:
    """S3 looks at the expiry of a URL when a request begins: what began in time may end hours later, and is taken."""

    @pytest.fixture(autouse=True)
    def a_day(self, engine_aws: None, configure: Callable[..., None]) -> None:
        del engine_aws
        configure(LATE_UPLOAD_MARGIN="86400")

    def test_find_their_record_until_the_margin_is_over(
        self, requested: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        begun = int(clock())
        clock.advance(3660)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "BatchGetItem": 1, "ListObjectVersions": 1, "BatchExecuteStatement": 1}
        assert int((record(requested["id"]) or {})["sweep_at"]) == begun + 3600 + DAY
        clock.advance(DAY - 61)
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16}
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
        assert sweep() == NOTHING | {"placeholders_removed": 1}
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
        assert calls == {"Query": 16}

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
        assert sweep() == NOTHING | {"placeholders_removed": 1}
        assert record(unversioned["id"]) is None


class TestBacklogs:
    @staticmethod
    def upload(count: int) -> list[str]:
        uploads = [call("upload", {"name": "a"}).body for _ in range(count)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        return [upload["id"] for upload in uploads]

    def test_are_paged_through(self, clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("filestore.storage.repository._DUE_PAGE", 2)
        self.upload(60)
        clock.advance(7200)
        assert sweep()["expired"] == 60
        assert versions() == []

    def test_that_take_too_long_are_gone_on_with_by_the_next_sweep(
        self, clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("filestore.storage.repository._DUE_PAGE", 2)
        self.upload(60)
        clock.advance(7200)
        first = sweep(Context(itertools.chain([300_000] * 3, itertools.repeat(1_000))))
        assert first["finished"] is False
        assert 0 < first["expired"] < 60
        second = sweep()
        assert second["finished"] is True
        assert first["expired"] + second["expired"] == 60
        assert versions() == []

    def test_are_not_swept_twice(self, clock: Clock) -> None:
        self.upload(10)
        call("upload", {"name": "placeholder"})
        call("delete", self.upload(2))
        clock.advance(7200)
        sweep()
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16}
