"""Messages of S3 by way of SQS: those that nothing can be done about, and those of which AWS says little."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from filestore.storage.statements import Statements
from tests.support import UNKNOWN_ID, call, counted_calls, get, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]
NOTHING_FAILED: dict[str, list[object]] = {"batchItemFailures": []}


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
    def silent_refusals(self, emulator_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
        del emulator_aws
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
        monkeypatch.setattr(Statements, "_read", lambda _, ids, __: ({}, set(ids)))
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


def test_nothing_of_an_unreadable_message_is_logged(log: Callable[[], list[dict[str, Any]]]) -> None:
    event = sample_event("uploaded")
    event["Records"][0]["body"] = '{"Records": [{"s3": {"object": {"eTag": "", "versionId": "v", "size": "secret"}}}]}'
    invoke("uploaded", event)
    assert log()[0]["message"] == "unreadable message"
    assert "secret" not in json.dumps(log())
