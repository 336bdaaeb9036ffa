"""S3 throttling: what cannot be answered now is named, and neither lost nor a failure of everything else."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from filestore import wiring
from filestore.errors import StorageError
from filestore.storage import aws
from filestore.storage.bucket import Bucket
from tests.support import Clock, call, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Throttle = Callable[..., None]
Alter = Callable[[str, Callable[[dict[str, Any]], dict[str, Any]]], None]
Versions = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def throttle(monkeypatch: pytest.MonkeyPatch) -> Throttle:
    """Has S3 refuse an operation: always, or for one key only."""
    client = aws.s3()

    def refuse(operation: str, *, key: str | None = None, code: str = "SlowDown") -> None:
        original = client._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - below it the SDK would retry

        def make_api_call(name: str, parameters: dict[str, Any]) -> Any:
            if name == operation and key in (None, parameters.get("Prefix")):
                raise ClientError({"Error": {"Code": code, "Message": ""}}, name)
            return original(name, parameters)

        monkeypatch.setattr(client, "_make_api_call", make_api_call)

    return refuse


@pytest.fixture
def alter(monkeypatch: pytest.MonkeyPatch) -> Alter:
    """Has S3 answer an operation otherwise."""
    client = aws.s3()

    def change(operation: str, altered: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        original = client._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - what the SDK has made of it

        def make_api_call(name: str, parameters: dict[str, Any]) -> Any:
            answer = original(name, parameters)
            return altered(answer) if name == operation else answer

        monkeypatch.setattr(client, "_make_api_call", make_api_call)

    return change


def upload(count: int = 1) -> list[dict[str, Any]]:
    uploads: list[dict[str, Any]] = [call("upload", {"name": "a"}).body for _ in range(count)]
    for each in uploads:
        each["object"] = put(each["url"], b"x")
    return uploads


def test_a_store_says_which_upload_to_try_again(throttle: Throttle) -> None:
    first, second = upload(2)
    throttle("ListObjectVersions", key=first["id"])
    body = call("store", [first["id"], second["id"]], query={"problems": "yes"}).body
    assert body["result"] == [second["id"]]
    assert body["problems"][first["id"]]["code"] == "try_again"


def test_a_delete_is_done_and_the_sweep_removes_the_bytes(
    stored: dict[str, Any], throttle: Throttle, versions: Versions, monkeypatch: pytest.MonkeyPatch
) -> None:
    unthrottled = aws.s3()._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - as in throttle
    throttle("DeleteObjects")
    assert call("delete", [stored["id"]]).body == [stored["id"]]
    assert len(versions()) == 1
    monkeypatch.setattr(aws.s3(), "_make_api_call", unthrottled)
    assert invoke("sweep", sample_event("sweep"))["versions_removed"] == 1
    assert versions() == []


def test_only_the_messages_that_are_concerned_come_again(stored: dict[str, Any], throttle: Throttle) -> None:
    (fresh,) = upload()
    overwrite = put(stored["url"], b"CONTENTS", stored["headers"])
    throttle("DeleteObjects")
    answer = invoke("uploaded", upload_event(fresh["object"], overwrite))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}


def test_a_sweep_goes_on_without_the_files_that_are_concerned(throttle: Throttle, clock: Clock) -> None:
    first, _, _ = upload(3)
    clock.advance(3660)
    throttle("ListObjectVersions", key=first["id"])
    assert invoke("sweep", sample_event("sweep"))["adopted"] == 2


def test_a_list_that_is_cut_off_and_names_no_next_page_is_none(alter: Alter, clock: Clock) -> None:
    """The SDK takes it for the last page. What it does not show would be taken for gone."""
    (fresh,) = upload()
    alter("ListObjectVersions", lambda answer: answer | {"IsTruncated": True, "Versions": []})
    body = call("store", [fresh["id"]], query={"problems": "yes"}).body
    assert body["problems"][fresh["id"]]["code"] == "try_again"
    clock.advance(10**6)
    assert invoke("sweep", sample_event("sweep"))["pending_removed"] == 0


def test_a_version_is_gone_when_s3_says_so_and_not_when_it_says_nothing(stored: dict[str, Any], alter: Alter) -> None:
    alter("DeleteObjects", lambda answer: {key: value for key, value in answer.items() if key != "Deleted"})
    overwrite = put(stored["url"], b"CONTENTS", stored["headers"])
    answer = invoke("uploaded", upload_event(overwrite))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}


def test_a_refusal_for_good_is_raised(throttle: Throttle) -> None:
    bucket = wiring.delete_files().bucket
    (fresh,) = upload()
    versions = bucket.versions([fresh["id"]])[fresh["id"]]
    throttle("DeleteObjects", code="AccessDenied")
    with pytest.raises(StorageError, match="AccessDenied"):
        bucket.delete(versions)


def test_versions_come_oldest_first(requested: dict[str, Any]) -> None:
    """Two in the same millisecond too: the order is the bucket's, not the clock's."""
    created = [put(requested["url"], b"contents", requested["headers"])["versionId"] for _ in range(5)]
    bucket = wiring.delete_files().bucket
    assert [version.version_id for version in bucket.versions([requested["id"]])[requested["id"]]] == created


def test_a_client_is_made_before_the_threads_that_share_it() -> None:
    """Making one costs as much as a hundred calls, and the SDK's session is for one thread at a time."""
    made_by: list[int] = []

    def connect() -> Any:
        made_by.append(threading.get_ident())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Bucket(connect, "bucket").versions(["a", "b", "c"])
    assert made_by == [threading.get_ident()]
