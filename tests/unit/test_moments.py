"""The sweep at the limits in time: at the last second, and one beside it."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.bucket import Bucket
from tests.support import Clock, Context, call, counted_calls, invoke, put, upload_event

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


@pytest.mark.usefixtures("emulator_aws")
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
        assert calls == {"Query": 16, "ListMultipartUploads": 1}

    def test_writes_once_for_an_upload_that_never_came(self, requested: dict[str, Any], clock: Clock) -> None:
        del requested
        clock.advance(3660)
        with counted_calls() as calls:
            assert invoke("sweep", {})["pending_removed"] == 1
        assert calls == {
            "Query": 16,
            "ListMultipartUploads": 1,
            "BatchGetItem": 1,
            "ListObjectVersions": 1,
            "BatchExecuteStatement": 1,
        }

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
        assert (swept["finished"], swept["pending_removed"]) == (finished, int(finished))

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
