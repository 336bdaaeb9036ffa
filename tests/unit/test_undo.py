"""DELETE /file/{id}."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.bucket import Bucket
from tests.support import UNKNOWN_ID, Clock, Reply, call, counted_calls, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


def undo(upload: dict[str, Any], token: str | None = None) -> Reply:
    return call("undo", file_id=upload["id"], headers={"x-upload-token": token or upload["token"]})


def test_removes_an_upload_and_says_nothing_more(uploaded: dict[str, Any], versions: Versions) -> None:
    event = sample_event("undo") | {"pathParameters": {"id": uploaded["id"]}}
    event["headers"]["x-upload-token"] = uploaded["token"]
    answer = invoke("undo", event)
    assert (answer["statusCode"], answer["body"]) == (204, "")
    assert versions() == []
    assert call("store", [uploaded["id"]]).body == []


def test_may_be_repeated(uploaded: dict[str, Any]) -> None:
    assert undo(uploaded).status == 204
    assert undo(uploaded).status == 204


def test_cancels_an_upload_that_is_still_on_its_way(requested: dict[str, Any], versions: Versions) -> None:
    assert undo(requested).status == 204
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    assert versions() == []


def test_is_refused_once_a_back_end_has_stored_the_file(stored: dict[str, Any], versions: Versions) -> None:
    reply = undo(stored)
    assert (reply.status, reply.body["code"]) == (409, "already_stored")
    assert len(versions()) == 1
    assert len(call("info", [stored["id"]]).body) == 1


@pytest.mark.parametrize("token", ["x", "é", "\ud800", " " * 9000])
def test_another_token_opens_nothing(uploaded: dict[str, Any], token: str, versions: Versions) -> None:
    reply = undo(uploaded, token)
    assert (reply.status, reply.body["code"]) == (403, "invalid_token")
    assert len(versions()) == 1


@pytest.mark.parametrize("headers", [{}, {"x-upload-token": ""}])
def test_a_token_is_needed(uploaded: dict[str, Any], headers: dict[str, str]) -> None:
    reply = call("undo", file_id=uploaded["id"], headers={"x-upload-token": "", **headers})
    assert (reply.status, reply.body["code"]) == (403, "invalid_token")


@pytest.mark.parametrize("file_id", [UNKNOWN_ID, "x", "", "..", "\ud800", "x" * 5000])
def test_an_unknown_file_is_404(file_id: str, record_count: Callable[[], int]) -> None:
    reply = call("undo", file_id=file_id, headers={"x-upload-token": "x"})
    assert (reply.status, reply.body["code"]) == (404, "unknown")
    assert record_count() == 0


def test_a_file_asked_for_with_its_name_alone_has_no_token() -> None:
    upload = call("upload", {"name": "a"}).body
    assert undo(upload, "x").status == 403


class TestWhereFilesAreStoredAsTheyArrive:
    def test_is_allowed_while_the_upload_url_lives(
        self, configure: Callable[..., None], requested: dict[str, Any], versions: Versions
    ) -> None:
        configure(STORE_ON_LOAD="True")
        invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
        assert undo(requested).status == 204
        assert versions() == []
        assert call("info", [requested["id"]]).body == []

    def test_is_refused_afterwards(
        self, configure: Callable[..., None], requested: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        configure(STORE_ON_LOAD="True")
        invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
        clock.advance(3601)
        reply = undo(requested)
        assert (reply.status, reply.body["code"]) == (409, "already_stored")
        assert len(versions()) == 1


def test_costs_one_call_for_the_record_and_one_for_the_object(uploaded: dict[str, Any]) -> None:
    with counted_calls() as calls:
        undo(uploaded)
    assert calls == {"BatchExecuteStatement": 1, "DeleteObjects": 1}


def test_a_repeated_one_finishes_what_was_interrupted(
    uploaded: dict[str, Any], versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bucket, "delete", lambda *_: set())
        undo(uploaded)
    assert len(versions()) == 1
    assert undo(uploaded).status == 204
    assert versions() == []


def test_the_record_may_be_dropped_once_the_bytes_are_gone_for_sure(
    uploaded: dict[str, Any], clock: Clock, record: Callable[[str], dict[str, Any] | None]
) -> None:
    """While the upload URL lives more bytes may come, and without the record nothing would look for them."""
    undo(uploaded)
    assert "purge_at" not in (record(uploaded["id"]) or {})
    clock.advance(3660)
    invoke("sweep", sample_event("sweep"))
    assert int((record(uploaded["id"]) or {})["purge_at"]) > clock()


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


def test_ttl_leaves_alone_the_record_of_an_upload_that_is_taken_back(requested: dict[str, Any], record: Record) -> None:
    """What comes to its URL afterwards is only found as long as there is a record."""
    assert "purge_at" in (record(requested["id"]) or {})
    call("undo", file_id=requested["id"], headers={"x-upload-token": requested["token"]})
    item = record(requested["id"]) or {}
    assert item["deletion"] == "undone"
    assert "purge_at" not in item


@pytest.mark.parametrize(("seconds", "status"), [(3599, 204), (3600, 409), (3601, 409)])
def test_what_is_stored_as_it_arrives_can_be_taken_back_until_its_url_expires(
    configure: Callable[..., None], requested: dict[str, Any], clock: Clock, seconds: int, status: int
) -> None:
    configure(STORE_ON_LOAD="True")
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    clock.advance(seconds)
    headers = {"x-upload-token": requested["token"]}
    assert call("undo", file_id=requested["id"], headers=headers).status == status
