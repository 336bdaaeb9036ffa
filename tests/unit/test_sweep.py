"""The sweep."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from filestore.storage.bucket import Bucket
from tests.support import Clock, call, counted_calls, get, invoke, put, upload_event
from tests.sweeping import NOTHING, sweep

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


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
        assert calls == {"Query": 16, "ListMultipartUploads": 1, "BatchGetItem": 1, "BatchExecuteStatement": 1}
        assert int((record(uploaded["id"]) or {})["sweep_at"]) == uploaded_at + 7200
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "ListMultipartUploads": 1}

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
        pages = wiring.sweep().due.pages

        def delete_meanwhile(shard: str, *, now: int) -> Any:
            for page in pages(shard, now=now):
                if page:
                    with monkeypatch.context() as interrupted:
                        interrupted.setattr(Bucket, "delete", lambda *_: set())
                        call("delete", [uploaded["id"]])
                yield page

        with monkeypatch.context() as patch:
            patch.setattr(type(wiring.sweep().due), "pages", lambda _, shard, now: delete_meanwhile(shard, now=now))
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
        assert int(item["purge_at"]) > clock() + 29 * 24 * 3600

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
        pages = wiring.sweep().due.pages

        def store_meanwhile(shard: str, *, now: int) -> Any:
            for page in pages(shard, now=now):
                call("store", [file.id for file in page])
                yield page

        monkeypatch.setattr(type(wiring.sweep().due), "pages", lambda _, shard, now: store_meanwhile(shard, now=now))
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
    assert line["PendingRemoved"] == [1.0]
    assert sorted(failure["exception"].splitlines()[-1] for failure in failures[-2:]) == [
        f"shard {shard}" for shard in broken
    ]


class TestPending:
    def test_are_removed_once_their_url_is_dead(self, requested: dict[str, Any], clock: Clock, record: Record) -> None:
        clock.advance(3659)
        assert sweep() == NOTHING
        clock.advance(1)
        assert sweep() == NOTHING | {"pending_removed": 1}
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
        assert calls == {"Query": 16, "ListMultipartUploads": 1}
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
