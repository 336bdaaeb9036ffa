"""What a function says of itself: dashboards and alarms read it, so every name, number and unit counts."""

import importlib
import json
import logging
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from filestore import telemetry
from filestore.storage.bucket import Bucket
from filestore.storage.due import DueFiles
from tests.support import UNKNOWN_ID, Clock, Context, call, invoke, put, sample_event, upload_event

Log = Callable[[], list[dict[str, Any]]]

COUNTS = {
    "UploadsRequested",
    "UploadsRecorded",
    "BytesUploaded",
    "FilesStored",
    "FilesDeleted",
    "UploadsUndone",
    "VersionsRemoved",
    "ForeignObjects",
    "UploadsExpired",
    "DeletionsFinished",
    "UploadsAdopted",
    "PendingRemoved",
    "RequestsRejected",
    "DueFiles",
    "OldestDueAge",
}


def counts(line: dict[str, Any]) -> dict[str, float]:
    """The metrics in a line; each has been told to CloudWatch, in its namespace."""
    found = {name: line[name][0] for name in COUNTS & line.keys()}
    if not found:
        assert "_aws" not in line
        return {}
    (metrics,) = line["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Filestore"
    assert {metric["Name"] for metric in metrics["Metrics"]} == found.keys()
    return found


class TestALine:
    def test_leaves_out_what_is_absent_and_counts_of_zero(self, log: Log) -> None:
        telemetry.report("text", counts={"a": 0, "b": 2}, gauges={"c": 0}, here=1, nothing=None, zero=0)
        (line,) = log()
        assert (line["message"], line["level"]) == ("text", "INFO")
        assert (line["b"], line["c"], line["here"], line["zero"]) == ([2.0], [0.0], 1, 0)
        assert not {"a", "nothing"} & line.keys()

    def test_without_metrics_is_no_metric(self, log: Log) -> None:
        telemetry.report("text")
        telemetry.report("text", counts={"a": 0})
        assert [line for line in log() if "_aws" in line] == []

    def test_has_each_metric_in_its_unit(self, log: Log) -> None:
        telemetry.report("text", counts={"BytesUploaded": 1, "FilesStored": 1}, gauges={"OldestDueAge": 1})
        (metrics,) = log()[0]["_aws"]["CloudWatchMetrics"]
        assert {metric["Name"]: metric["Unit"] for metric in metrics["Metrics"]} == {
            "BytesUploaded": "Bytes",
            "FilesStored": "Count",
            "OldestDueAge": "Seconds",
        }

    def test_has_metrics_as_powertools_writes_them(self, log: Log) -> None:
        """It is the reference for CloudWatch's embedded metric format; its own code takes ten times as long."""
        telemetry.report("text", counts={"BytesUploaded": 3, "FilesStored": 1}, gauges={"OldestDueAge": 0})
        (line,) = log()
        reference = EphemeralMetrics()
        reference.add_metric("BytesUploaded", MetricUnit.Bytes, 3)
        reference.add_metric("FilesStored", MetricUnit.Count, 1)
        reference.add_metric("OldestDueAge", MetricUnit.Seconds, 0)
        reference.set_timestamp(line["_aws"]["Timestamp"])
        theirs: dict[str, Any] = dict(reference.serialize_metric_set())
        assert json.dumps({name: line[name] for name in theirs}) == json.dumps(theirs)
        assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60

    def test_is_marked_where_it_is_the_first_of_an_instance(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(telemetry, "_is_cold_start", True)
        telemetry.report("first")
        telemetry.report("second")
        assert [line.get("cold_start") for line in log()] == [True, None]

    def test_has_its_time_as_rfc_3339_in_utc_and_no_place_in_the_code(self, log: Log) -> None:
        telemetry.report("text")
        (line,) = log()
        assert line["timestamp"].endswith(("Z", "+00:00"))
        assert "location" not in line

    def test_of_the_sdk_is_let_through_from_warnings_on(self) -> None:
        """At INFO it says where it has found credentials."""
        assert logging.getLogger("botocore").level == logging.WARNING

    @pytest.mark.usefixtures("moto_aws")
    def test_of_a_request_says_how_long_it_took(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        seconds = iter([100.0, 102.5])
        monkeypatch.setattr(
            importlib.import_module("filestore.api.endpoint"),
            "time",
            SimpleNamespace(perf_counter=lambda: next(seconds)),
        )
        call("store", "no ids")
        assert log()[0]["milliseconds"] == 2500


@pytest.mark.usefixtures("emulator_aws")
class TestWhatIsCounted:
    def test_by_an_upload_that_is_asked_for(self, log: Log) -> None:
        body = call("upload", {"name": "a"}).body
        (line,) = log()
        assert counts(line) == {"UploadsRequested": 1}
        assert (line["message"], line["status"], line["file_id"]) == ("POST /file", 200, body["id"])
        assert line["request_id"] == sample_event("upload")["requestContext"]["extendedRequestId"]
        assert "code" not in line
        assert call("upload", {"name": "a", "size": 1}).body["id"] == log()[1]["file_id"]
        assert counts(log()[1]) == {"UploadsRequested": 1}

    @pytest.mark.parametrize("store_on_load", ["False", "True"])
    def test_by_uploads_that_arrive(
        self, configure: Callable[..., None], requested: dict[str, Any], log: Log, store_on_load: str
    ) -> None:
        configure(STORE_ON_LOAD=store_on_load)
        created = [put(requested["url"], contents, requested["headers"]) for contents in (b"contents", b"CONTENTS")]
        invoke("uploaded", upload_event(*created))
        line = log()[-1]
        stored = {"FilesStored": 1} if store_on_load == "True" else {}
        assert counts(line) == {"UploadsRecorded": 1, "BytesUploaded": 8, "VersionsRemoved": 1, **stored}
        assert (line["message"], line["messages"], line["failed"]) == ("S3 object created", 2, 0)
        assert line["file_ids"] == [requested["id"]] * 2
        assert line["function_request_id"] == Context.aws_request_id

    def test_by_messages_that_fail(self, log: Log) -> None:
        event = upload_event({})
        event["Records"][0]["body"] = "no json"
        invoke("uploaded", event)
        unreadable, line = log()
        assert (unreadable["level"], unreadable["message_id"], unreadable["reason"]) == (
            "ERROR",
            "message-0",
            "JSONDecodeError",
        )
        assert (line["messages"], line["failed"], counts(line)) == (1, 1, {})
        assert "file_ids" not in line

    def test_by_a_store_and_a_delete(self, uploaded: dict[str, Any], log: Log) -> None:
        call("store", [uploaded["id"], UNKNOWN_ID])
        assert counts(log()[-1]) == {"FilesStored": 1}
        assert (log()[-1]["message"], log()[-1]["status"]) == ("PUT /files", 200)
        call("store", [uploaded["id"], UNKNOWN_ID], query={"problems": "yes"})
        assert counts(log()[-1]) == {"FilesStored": 1}
        call("info", [uploaded["id"], UNKNOWN_ID])
        assert counts(log()[-1]) == {}
        call("delete", [uploaded["id"], UNKNOWN_ID])
        assert counts(log()[-1]) == {"FilesDeleted": 1}
        assert "file_id" not in log()[-1]

    def test_by_an_undo(self, uploaded: dict[str, Any], log: Log) -> None:
        call("undo", file_id=uploaded["id"], headers={"x-upload-token": uploaded["token"]})
        assert counts(log()[-1]) == {"UploadsUndone": 1}
        assert (log()[-1]["status"], log()[-1]["file_id"]) == (204, uploaded["id"])

    @pytest.mark.parametrize(
        ("operation", "values", "status", "code"),
        [
            ("store", {"raw": "{"}, 400, "invalid_body"),
            ("undo", {"file_id": UNKNOWN_ID, "headers": {"x-upload-token": ""}}, 403, "invalid_token"),
            ("undo", {"file_id": UNKNOWN_ID, "headers": {"x-upload-token": "x"}}, 404, "unknown"),
        ],
    )
    def test_by_a_request_that_is_refused(
        self, operation: str, values: dict[str, Any], status: int, code: str, log: Log
    ) -> None:
        call(operation, **values)
        (line,) = log()
        assert (line["status"], line["code"], counts(line)) == (status, code, {"RequestsRejected": 1})

    def test_by_a_sweep(
        self, uploaded: dict[str, Any], clock: Clock, log: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One that expires, one whose event was lost, one that never came, one whose deletion was interrupted."""
        lost, _, deleted = (call("upload", {"name": "a"}).body for _ in range(3))
        put(lost["url"], b"x")
        invoke("uploaded", upload_event(put(deleted["url"], b"x")))
        with monkeypatch.context() as patch:
            patch.setattr(Bucket, "delete", lambda *_: set())
            call("delete", [deleted["id"]])
        clock.advance(7200)
        answer = invoke("sweep", sample_event("sweep"))
        line = log()[-1]
        assert counts(line) == {
            "UploadsExpired": 1,
            "DeletionsFinished": 2,
            "UploadsAdopted": 1,
            "PendingRemoved": 1,
            "VersionsRemoved": 2,
            "DueFiles": 4,
            "OldestDueAge": line["OldestDueAge"][0],
        }
        # The deletion is due since it was asked for.
        assert 7199 <= line["OldestDueAge"][0] <= 7201
        assert (line["message"], line["finished"]) == ("sweep", True)
        assert line["function_request_id"] == Context.aws_request_id
        assert answer == {
            "expired": 1,
            "deletions_finished": 2,
            "adopted": 1,
            "pending_removed": 1,
            "versions_removed": 2,
            "multipart_uploads_aborted": 0,
            "finished": True,
        }
        assert uploaded["id"]

    def test_by_a_sweep_that_fails_is_that_it_has_not_ended(self, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object, **__: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(DueFiles, "pages", fail)
        with pytest.raises(ExceptionGroup) as raised:
            invoke("sweep", {})
        assert len(raised.value.exceptions) == 16
        assert log()[-1]["finished"] is False
        assert all(line["message"] for line in log())
