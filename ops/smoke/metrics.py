"""Whether the alarms look at what is really there."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ops.smoke.checks import CheckFailed, NotSeen, check, expect
from ops.smoke.session import UNKNOWN_ID, Smoke

_OURS = "Filestore"
# What AWS' own services emit, by their documentation, and the dimensions they do it with.
_OF_AWS = {
    ("AWS/ApiGateway", "ApiName", "Stage"): {"5XXError", "Latency"},
    ("AWS/Lambda", "FunctionName"): {"Errors", "Throttles"},
    ("AWS/SQS", "QueueName"): {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
}
# What a walk leaves behind, whatever else happens on the stack.
_WALKED = ("UploadsRequested", "UploadsRecorded", "BytesUploaded", "FilesStored", "FilesDeleted", "RequestsRejected")
_LOOK_EVERY = 20
_ALARM = "This alarm will never go off as it should: compare it with template.yaml, and deploy again."


class Metric(NamedTuple):
    """A metric as CloudWatch tells it from others."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


@check(source="docs/operations.md; lambda:InvokeFunction")
def sweep(smoke: Smoke) -> str:
    """A sweep, run now, comes to its end."""
    swept = _sweep(smoke)
    expect("finished", swept.get("finished"), True, "See the log of SweepFunction, and its role's rights.")
    return json.dumps(swept)


@check(source="Metrics and dimensions: the services' documentation; embedded metric format")
def alarm_dimensions(smoke: Smoke) -> str:
    """Every alarm watches a metric that AWS or a function emits, with a dimension of this stack."""
    resources = smoke.deployment.resources()
    ours = {physical.rsplit("/", 1)[-1] for _, _, physical in resources}
    ours |= {smoke.deployment.name, smoke.deployment.stage}
    alarms = _alarms(smoke)
    wanted = sum(kind == "AWS::CloudWatch::Alarm" for _, kind, _ in resources)
    expect("alarms", len(alarms), wanted, "Some alarms of the stack are gone: deploy again.")
    for alarm, metric in alarms.items():
        if metric.namespace == _OURS:
            expect(alarm, metric.dimensions, (("service", smoke.deployment.name),), _ALARM)
            continue
        names = tuple(name for name, _ in metric.dimensions)
        if metric.name not in _OF_AWS.get((metric.namespace, *names), set()):
            raise CheckFailed(expected=f"{alarm} to watch a metric that is there", came=metric, do=_ALARM)
        strange = [value for _, value in metric.dimensions if value not in ours]
        expect(f"{alarm}: values that are none of this stack's", strange, [], _ALARM)
    return f"{len(alarms)} alarms"


@check(source="Amazon CloudWatch user guide: embedded metric format")
def metrics_emitted(smoke: Smoke) -> str:
    """The functions' log lines have the alarms' metrics of Filestore in the embedded metric format."""
    wanted = {metric for metric in _alarms(smoke).values() if metric.namespace == _OURS}
    _sweep(smoke)
    emitted: set[Metric] = set()

    def there() -> bool:
        emitted.update(_emitted(smoke))
        return wanted <= emitted

    if not smoke.wait(there):
        raise CheckFailed(
            expected=sorted(wanted - emitted),
            came=sorted({metric.name for metric in emitted}),
            do="The functions' lines have no such metric: see source/filestore/telemetry.py and LoggingConfig.",
        )
    return f"{len(emitted)} metrics in the log"


@check(source="Amazon CloudWatch: metrics of log lines arrive within minutes",
       not_here="the emulator makes no metrics of log lines: metrics-emitted has looked at the lines")  # fmt: skip
def metrics_arrive(smoke: Smoke) -> str:
    """The alarms' metrics, and those of files, arrive in CloudWatch under the alarms' dimensions."""
    _walk(smoke)
    service = (("service", smoke.deployment.name),)
    missing = set(_alarms(smoke).values()) | {Metric(_OURS, name, service) for name in _WALKED}
    count, started = len(missing), time.monotonic()
    while missing:
        missing -= _with_data(smoke, sorted(missing))
        waited = time.monotonic() - started
        if not missing or waited > smoke.metrics_patience:
            break
        smoke.say(f"metrics-arrive: {len(missing)} of {count} metrics are still to come, {waited:.0f} s")
        time.sleep(_LOOK_EVERY)
    names = ", ".join(f"{metric.namespace} {metric.name}" for metric in sorted(missing))
    if any(metric.namespace in (_OURS, "AWS/ApiGateway") for metric in missing):
        raise CheckFailed(
            expected=f"{count} metrics within {smoke.metrics_patience:.0f} s",
            came=f"all but {names}",
            do="Repeat: ONLY=metrics-arrive METRICS_WITHIN=900. If it stays so: alarm-dimensions, metrics-emitted.",
        )
    if missing:
        raise NotSeen(f"idle queues and functions are reported late: {names}. Repeat in a quarter of an hour")
    return f"{count} metrics after {time.monotonic() - started:.0f} s"


def _sweep(smoke: Smoke) -> dict[str, Any]:
    name = smoke.deployment.functions()["SweepFunction"]
    smoke.counted["Lambda"] += 1
    answer = smoke.deployment.client("lambda").invoke(FunctionName=name, Qualifier="live")
    swept: dict[str, Any] = json.loads(answer["Payload"].read())
    return swept


def _walk(smoke: Smoke) -> None:
    """One of everything that is counted."""
    for queue in ("UploadedQueueUrl", "UploadedDeadLetterQueueUrl"):
        # SQS reports of queues alone that somebody has asked about.
        smoke.deployment.client("sqs").get_queue_attributes(
            QueueUrl=smoke.deployment.outputs[queue], AttributeNames=["ApproximateNumberOfMessages"]
        )
    upload = smoke.upload(b"counted")
    smoke.recorded(upload["id"])
    if not smoke.deployment.stores_on_load:
        smoke.ask("PUT", [upload["id"]])
    smoke.ask("DELETE", [upload["id"]])
    smoke.call("DELETE", f"/file/{UNKNOWN_ID}", headers={"x-upload-token": "none"})
    _sweep(smoke)


def _alarms(smoke: Smoke) -> dict[str, Metric]:
    """What each alarm of the stack watches, by the alarm's logical id."""
    names = {
        physical.rsplit(":", 1)[-1]: logical
        for logical, kind, physical in smoke.deployment.resources()
        if kind == "AWS::CloudWatch::Alarm"
    }
    found = smoke.deployment.client("cloudwatch").describe_alarms(AlarmNames=sorted(names))["MetricAlarms"]
    return {names[alarm["AlarmName"]]: _metric(alarm) for alarm in found}


def _metric(described: dict[str, Any]) -> Metric:
    dimensions = tuple((each["Name"], each["Value"]) for each in described["Dimensions"])
    return Metric(described["Namespace"], described["MetricName"], dimensions)


def _emitted(smoke: Smoke) -> Iterator[Metric]:
    """The metrics in the functions' log lines since this run began."""
    pages = smoke.deployment.client("logs").get_paginator("filter_log_events")
    for _, kind, group in smoke.deployment.resources():
        if kind == "AWS::Logs::LogGroup":
            for page in pages.paginate(logGroupName=group, startTime=int(smoke.started * 1000)):
                for event in page["events"]:
                    yield from _in_line(event["message"])


def _in_line(text: str) -> Iterator[Metric]:
    """As CloudWatch reads the embedded metric format."""
    line = json.loads(text) if text.lstrip().startswith("{") else {}
    for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            where = tuple((name, line[name]) for name in names)
            yield from (Metric(directive["Namespace"], each["Name"], where) for each in directive["Metrics"])


def _with_data(smoke: Smoke, metrics: list[Metric]) -> set[Metric]:
    """Those that have a value since this run began."""
    smoke.counted["metric"] += len(metrics)
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": metric.namespace,
                    "MetricName": metric.name,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in metric.dimensions],
                },
                "Period": 60,
                "Stat": "SampleCount",
            },
        }
        for number, metric in enumerate(metrics)
    ]
    answer = smoke.deployment.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=datetime.fromtimestamp(smoke.started - 60, UTC),
        EndTime=datetime.fromtimestamp(time.time() + 60, UTC),
    )
    return {metrics[int(each["Id"][1:])] for each in answer["MetricDataResults"] if each["Values"]}
