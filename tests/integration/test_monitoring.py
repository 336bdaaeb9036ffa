"""What the operator looks at: every metric of an alarm or of the dashboard is one that something really emits."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
import requests

from tests.sending import abandoned
from tests.stack import Stack, eventually
from tests.support import ROOT

# What AWS' own services emit, by their documentation, and the dimensions they do it with.
OF_AWS = {
    ("AWS/ApiGateway", ("ApiName", "Stage")): {"Count", "4XXError", "5XXError", "Latency", "IntegrationLatency"},
    ("AWS/Lambda", ("FunctionName",)): {"Errors", "Throttles", "ConcurrentExecutions"},
    ("AWS/SQS", ("QueueName",)): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    ("AWS/DynamoDB", ("TableName",)): {
        "ConsumedReadCapacityUnits",
        "ConsumedWriteCapacityUnits",
        "ReadThrottleEvents",
        "WriteThrottleEvents",
    },
    ("AWS/S3", ("BucketName", "StorageType")): {"BucketSizeBytes", "NumberOfObjects"},
}


class Metric(NamedTuple):
    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@pytest.fixture(scope="module")
def alarms(stack: Stack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return found


@pytest.fixture(scope="module")
def dashboard(stack: Stack) -> dict[str, Any]:
    cloudwatch = stack.client("cloudwatch")
    (entry,) = cloudwatch.list_dashboards()["DashboardEntries"]
    body: dict[str, Any] = json.loads(cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"])
    return body


@pytest.fixture(scope="module")
def emitted(stack: Stack) -> set[Metric]:
    """The metrics in the log lines of the functions, after everything they do has happened once."""
    replaced = stack.store(b"first")
    requests.put(replaced["url"], data=b"second", timeout=60)
    eventually(lambda: len(stack.versions(replaced["id"])) == 1)
    stack.client("s3").put_object(Bucket=stack.outputs["StorageBucketName"], Key="no id", Body=b"foreign")
    undone = stack.upload(size=8)
    stack.undo(undone["id"], undone["token"])
    assert stack.undo(undone["id"], "not the token").status_code == 403
    deleted = stack.store()["id"]
    stack.files("DELETE", [deleted])
    never_uploaded = stack.post_file({"name": "a"}).json()["id"]
    never_stored, event_lost = stack.upload()["id"], stack.upload()["id"]
    for file_id in (never_stored, event_lost):
        eventually(partial(_is_recorded, stack, file_id))
    forget = {"TableName": stack.outputs["TableName"], "UpdateExpression": "REMOVE uploaded_at"}
    stack.client("dynamodb").update_item(**forget, Key={"id": {"S": event_lost}})
    expire = {
        "TableName": stack.outputs["TableName"],
        "UpdateExpression": "SET url_expires_at = :past",
        "ExpressionAttributeValues": {":past": {"N": "1"}},
    }
    for file_id in (deleted, never_uploaded):
        stack.client("dynamodb").update_item(**expire, Key={"id": {"S": file_id}})
    for file_id in (deleted, never_uploaded, never_stored, event_lost):
        stack.make_due(file_id)
    abandoned(stack)
    stack.sweep()

    def lines_are_there() -> set[Metric]:
        found = set(_emitted(stack))
        last = {"ForeignObjects", "OldestDueAge", "RequestsRejected"}
        return found if last <= {metric.name for metric in found} else set()

    found: set[Metric] = eventually(lines_are_there)
    return found


def _is_recorded(stack: Stack, file_id: str) -> bool:
    return "uploaded_at" in (stack.record(file_id) or {})


def _lines(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    logs = stack.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            if event["message"].lstrip().startswith("{"):
                yield event["message"].strip(), json.loads(event["message"])


def _emitted(stack: Stack) -> Iterator[Metric]:
    """As CloudWatch reads the embedded metric format."""
    for _, line in _lines(stack):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                for metric in directive["Metrics"]:
                    assert isinstance(line[metric["Name"]], list | int | float)
                    where = tuple((name, line[name]) for name in dimensions)
                    yield Metric(directive["Namespace"], metric["Name"], where)


def _is_emitted(metric: Metric, emitted: set[Metric]) -> bool:
    if metric.namespace == "Filestore":
        return metric in emitted
    return metric.name in OF_AWS.get((metric.namespace, tuple(name for name, _ in metric.dimensions)), set())


def test_every_alarm_watches_what_is_emitted(alarms: list[dict[str, Any]], emitted: set[Metric]) -> None:
    watched = {
        alarm["AlarmName"]: Metric(
            alarm["Namespace"],
            alarm["MetricName"],
            tuple((dimension["Name"], dimension["Value"]) for dimension in alarm["Dimensions"]),
        )
        for alarm in alarms
    }
    assert len(watched) == 10
    assert [name for name, metric in watched.items() if not _is_emitted(metric, emitted)] == []


def test_every_alarm_is_about_something_of_this_stack(stack: Stack, alarms: list[dict[str, Any]]) -> None:
    resources = stack.client("cloudformation").describe_stack_resources(StackName="filestore")["StackResources"]
    ours = {resource["PhysicalResourceId"].rsplit("/", 1)[-1] for resource in resources} | {"filestore", "dev"}
    for alarm in alarms:
        assert {dimension["Value"] for dimension in alarm["Dimensions"]} <= ours, alarm["AlarmName"]


def test_the_dashboard_shows_what_is_emitted(dashboard: dict[str, Any], emitted: set[Metric]) -> None:
    shown = []
    for widget in dashboard["widgets"]:
        for namespace, name, *dimensions in widget["properties"].get("metrics", []):
            plain = [each for each in dimensions if isinstance(each, str)]
            shown.append(Metric(namespace, name, tuple(zip(plain[::2], plain[1::2], strict=True))))
    assert len(shown) > 40
    assert [metric for metric in shown if not _is_emitted(metric, emitted)] == []


def test_the_dashboard_shows_everything_the_functions_emit(dashboard: dict[str, Any], emitted: set[Metric]) -> None:
    text = json.dumps(dashboard)
    assert [metric.name for metric in emitted if f'"{metric.name}"' not in text] == []


def test_the_dashboard_shows_every_alarm(dashboard: dict[str, Any], alarms: list[dict[str, Any]]) -> None:
    (widget,) = [widget for widget in dashboard["widgets"] if widget["type"] == "alarm"]
    assert sorted(widget["properties"]["alarms"]) == sorted(alarm["AlarmArn"] for alarm in alarms)


@pytest.mark.usefixtures("emitted")
class TestTheLog:
    def test_follows_a_file_from_its_request_to_its_arrival(self, stack: Stack) -> None:
        reply = stack.post_file({"name": "a", "size": 1})
        file_id = reply.json()["id"]
        requests.put(reply.json()["url"], data=b"x", timeout=60)

        def arrivals() -> list[dict[str, Any]]:
            return [line for _, line in _lines(stack) if file_id in line.get("file_ids", [])]

        (arrival,) = eventually(arrivals)
        (request,) = [line for _, line in _lines(stack) if line.get("file_id") == file_id]
        assert request["message"] == "POST /file"
        assert re.fullmatch(r"[0-9a-f-]{36}", request["request_id"])
        assert arrival["message"] == "S3 object created"

    def test_has_one_line_of_600_bytes_at_most_for_a_request(self, stack: Stack) -> None:
        lines = [(text, line) for text, line in _lines(stack) if re.match(r"(POST|PUT|DELETE) /", line["message"])]
        assert len(lines) >= 8
        assert [text for text, _ in lines if len(text.encode()) > 600] == []
        requests_seen = [line["request_id"] for _, line in lines]
        assert len(requests_seen) == len(set(requests_seen))

    def test_has_no_token_no_key_and_no_url(self, stack: Stack) -> None:
        token = stack.upload(size=8)["token"]
        said = "\n".join(text for text, _ in _lines(stack))
        for secret in (stack.outputs["ApiKey"], token, "X-Amz-Signature", "X-Amz-Credential", "http://", "https://"):
            assert secret not in said

    def test_can_be_read_on_this_machine(self, stack: Stack) -> None:
        file_id = stack.upload(size=8)["id"]
        command = [sys.executable, "-m", "ops.logs", "--state-dir", str(stack.state), file_id]

        def shown() -> list[str]:
            return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()

        request, arrival = eventually(lambda: (found := shown()) and len(found) == 2 and found)
        assert re.match(rf"[\d:.]+  INFO     POST /file  status=200 .*file_id={file_id} ", request)
        assert re.search(rf"  S3 object created  .*file_ids={file_id} .*BytesUploaded=8", arrival)
