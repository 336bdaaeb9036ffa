"""Messages of S3 that come together: what one of them has must not be lost or miscounted for the sake of another."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import call, invoke, put, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Log = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize("place", [0, 1])
def test_an_unreadable_one_holds_up_none_after_it(requested: dict[str, Any], record: Record, place: int) -> None:
    event = upload_event(*[put(requested["url"], b"contents", requested["headers"])] * 2)
    event["Records"][place]["body"] = "no json"
    assert invoke("uploaded", event) == {"batchItemFailures": [{"itemIdentifier": f"message-{place}"}]}
    assert "uploaded_at" in (record(requested["id"]) or {})


def test_foreign_objects_of_all_are_counted(log: Log) -> None:
    foreign = {"versionId": "version", "size": 1, "eTag": "x"}
    invoke("uploaded", upload_event({"key": "a"} | foreign, {"key": "b"} | foreign))
    assert log()[-1]["ForeignObjects"] == [2]


def test_one_without_a_version_is_named_and_its_file_is_not(requested: dict[str, Any], log: Log) -> None:
    event = upload_event(put(requested["url"], b"contents", requested["headers"]))
    body = json.loads(event["Records"][0]["body"])
    del body["Records"][0]["s3"]["object"]["versionId"]
    event["Records"][0]["body"] = json.dumps(body)
    invoke("uploaded", event)
    told, summary = log()[-2:]
    assert (told["message"], told["message_id"]) == ("upload without a version", "message-0")
    assert "file_ids" not in summary


@pytest.mark.parametrize("quoted", ["{}", '"{}"'])
def test_an_etag_is_kept_without_its_quotes(requested: dict[str, Any], record: Record, quoted: str) -> None:
    created = put(requested["url"], b"contents", requested["headers"])
    invoke("uploaded", upload_event(created | {"eTag": quoted.format("Xb4-2X")}))
    assert (record(requested["id"]) or {})["etag"] == "Xb4-2X"


def test_a_change_is_logged_with_its_file(stored: dict[str, Any], log: Log) -> None:
    assert call("update", {"name": "b"}, file_id=stored["id"]).status == 200
    assert log()[-1]["file_id"] == stored["id"]


@pytest.mark.parametrize(("key", "status"), [("", 400), ("1", 200), ("1" * 255, 200), ("1" * 256, 400)])
def test_a_back_end_s_idempotency_key_has_a_character(configure: Callable[..., None], key: str, status: int) -> None:
    configure(PUBLIC_UPLOAD="False")
    reply = call("upload", {"name": "a"}, headers={"Idempotency-Key": key}, key_id="a1")
    assert reply.status == status
    if status == 400:
        assert reply.body["message"] == "An Idempotency-Key has 1 to 255 printable ASCII characters."
