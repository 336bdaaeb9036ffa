"""make smoke: green on a stack that is as it should be, and each thing that is not is noticed in its own row."""

import argparse
import functools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.config import Config

from bench.processes import free_port
from local import deploy, emulator, gaps
from ops.smoke.__main__ import run_checks
from ops.smoke.checks import Row, Verdict
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke
from tests.stack import Stack
from tests.support import ROOT

NOT_SEEN_HERE = {
    "expired-url": "URLs live for 3600 s here, and this waits for 10 at most",
    "roots": "the emulator has no TLS",
    "multipart-bare-parts": "the emulator's multipart uploads differ from S3's",
    "multipart-wrong-checksum": "the emulator's multipart uploads differ from S3's",
    "multipart-complete-twice": "the emulator's multipart uploads differ from S3's",
    "multipart-abort-after-complete": "the emulator's multipart uploads differ from S3's",
    "metrics-arrive": "the emulator makes no metrics of log lines: metrics-emitted has looked at the lines",
    "parameter-change": "not asked for: UPDATE=yes changes a parameter and sets it back, for some minutes",
}
# Refused by S3, and by the emulator once local/engine.py refuses it as S3 does.
REFUSED_AS_S3_DOES = {"put-chunked", "put-unsigned-header"}
EVERY = 50


def smoke_on(outputs: Path, *names: str, patience: float = 20, **options: Any) -> dict[str, Row]:
    """The rows of these checks, in this process."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=outputs))
    rows: list[Row] = []
    run_checks(Smoke(deployment, Cleanup(lambda _: None), patience=patience, **options), names, rows)
    return {row.name: row for row in rows}


@pytest.fixture(scope="module", autouse=True)
def clients_are_kept() -> Iterator[None]:
    """Making a client is slow, and every run would make nine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "client", functools.cache(emulator.client))
        yield


def is_clean(client: Callable[[str], Any]) -> bool:
    keys = client("apigateway").get_api_keys()["items"]
    buckets = client("s3").list_buckets()["Buckets"]
    return not any(each["name"].startswith("filestore-smoke-") for each in keys) and not any(
        each["Name"].startswith("filestore-smoke-") for each in buckets
    )


class TestOnWhatMakeRunRuns:
    @pytest.fixture(scope="class")
    def rows(self, stack: Stack) -> dict[str, tuple[str, str]]:
        """Verdict and words by row, as an operator reads them."""
        command = [sys.executable, "-m", "ops.smoke", "--state-dir", str(stack.state)]
        shown = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        table, _, bill = shown.stdout.partition("It made ")
        assert re.match(r"\d+ requests to the API, \d+ uploads to S3, .*: 0\.\d\d cents at most\.\n", bill), (
            shown.stderr
        )
        joined = re.sub(r"\n {10,}", " ", table)
        found = re.findall(r"^(OK|FAILED|NOT SEEN) +(\S+) +(.*)$", joined, re.MULTILINE)
        return {name: (verdict, said) for verdict, name, said in found}

    def test_everything_holds_that_can_be_seen(self, rows: dict[str, tuple[str, str]]) -> None:
        assert len(rows) == EVERY
        wrong = {name: row for name, row in rows.items() if row[0] == "FAILED"}
        assert {name: row for name, row in wrong.items() if name not in REFUSED_AS_S3_DOES} == {}
        assert {name: said for name, (verdict, said) in rows.items() if verdict == "NOT SEEN"} == NOT_SEEN_HERE

    @pytest.mark.parametrize("name", sorted(REFUSED_AS_S3_DOES))
    def test_the_emulator_refuses_what_s3_refuses(self, rows: dict[str, tuple[str, str]], name: str) -> None:
        assert rows[name] == ("OK", {"put-chunked": "501", "put-unsigned-header": "403"}[name])

    def test_nothing_stays_but_the_records_of_deleted_files(
        self, stack: Stack, rows: dict[str, tuple[str, str]]
    ) -> None:
        verdict, said = rows["cleanup"]
        count = re.fullmatch(
            r"keys, files and buckets of this run are gone; (\d+) records of deleted files stay, as always", said
        )
        assert verdict == "OK"
        assert count
        assert is_clean(stack.client)
        records = stack.client("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"]
        ours = [record for record in records if record["name"]["S"].startswith("filestore-smoke-")]
        assert len(ours) == int(count[1])
        assert [record for record in ours if "deleted_at" not in record] == []
        assert [version for record in ours for version in stack.versions(record["id"]["S"])] == []

    def test_ctrl_c_leaves_nothing_behind(self, stack: Stack) -> None:
        command = [sys.executable, "-m", "ops.smoke", "--state-dir", str(stack.state)]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            # Of several files that are stored by then one is about to be deleted.
            assert any("] delete-at-once" in line for line in running.stderr)
            running.send_signal(signal.SIGINT)
            table, _ = running.communicate(timeout=60)
        assert running.returncode == 130
        assert re.search(r"^OK +store-before-event ", table, re.MULTILINE)
        assert re.search(r"^OK +cleanup ", table, re.MULTILINE)
        assert is_clean(stack.client)
        records = stack.client("dynamodb").scan(TableName=stack.outputs["TableName"])["Items"]
        alive = [record["name"]["S"] for record in records if "deleted_at" not in record]
        assert [name for name in alive if name.startswith("filestore-smoke-")] == []


def test_a_stack_that_stores_files_as_they_arrive(storing_stack: Stack) -> None:
    rows = smoke_on(
        storing_stack.state, "event", "store-before-event", "details-and-flags", "problems", "undo", "delete",
        "delete-at-once", "too-many-ids", "put-over-stored", "download", "several-sets-and-removes",
    )  # fmt: skip
    assert {name: row.verdict for name, row in rows.items() if row.verdict != "OK"} == {}
    assert len(rows) == 13


def test_urls_that_expire_soon(hasty_stack: Stack) -> None:
    assert smoke_on(hasty_stack.state, "expired-url")["expired-url"].said == "after 2 s"


# ------------------------------------------------------- stacks that are broken


class Ground(NamedTuple):
    """A stack of the module's own, to break and to mend. Pages of two origins may use it."""

    state: Path
    outputs: dict[str, str]
    functions: dict[str, str]
    client: Callable[[str], Any]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    aws, state = emulator.Emulator(free_port(), tmp_path_factory.mktemp("account")), tmp_path_factory.mktemp("ground")
    aws.start()
    outputs = deploy.deploy(aws, {"AllowedOrigins": "https://www.example.com,https://app.example.com"})
    functions = deploy.functions(aws)
    swagger, template = deploy.read_yaml("swagger.yaml"), deploy.read_yaml("template.yaml")
    gaps.fill(aws, outputs, swagger=swagger, template=template, functions=functions)
    outputs |= {
        "ApiRootUrl": f"{aws.url}/restapis/{outputs['ApiId']}/dev/_user_request_",
        "AwsEndpointUrl": aws.url,
    }
    (state / "outputs.json").write_text(json.dumps(outputs))
    yield Ground(state, outputs, functions, aws.client)
    aws.stop()


def test_origins_that_are_named(ground: Ground) -> None:
    rows = smoke_on(ground.state, "answers-can-be-read", "bucket-preflight", "refusals-can-be-read")
    assert rows["answers-can-be-read"] == Row(
        "answers-can-be-read", Verdict.OK, "https://www.example.com, and not https://stranger.example.org"
    )
    assert rows["bucket-preflight"] == Row("bucket-preflight", Verdict.OK, "https://www.example.com")
    assert rows["refusals-can-be-read"].verdict == "OK"


def test_a_parameter_that_is_changed_and_set_back(ground: Ground) -> None:
    rows = smoke_on(ground.state, "parameter-change", with_update=True)
    assert re.fullmatch(r"7 functions, twice; \d+ requests meanwhile, all answered", rows["parameter-change"].said)
    (deployed,) = ground.client("cloudformation").describe_stacks(StackName="filestore")["Stacks"]
    assert {"ParameterKey": "UnstoredFileLifetime", "ParameterValue": "3600"} in deployed["Parameters"]
    assert is_clean(ground.client)


def test_what_a_killed_run_left_goes_with_the_next(ground: Ground) -> None:
    """Nobody else knows of its key and of what it had stored; where the next cannot either, the one after that does."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=ground.state))
    killed = Smoke(deployment, Cleanup(lambda _: None))
    killed.make_key()
    file_id = killed.store(b"left behind")["id"]
    assert killed.versions(file_id)
    assert not is_clean(ground.client)
    with off_the_usage_plan(ground):
        helpless = smoke_on(ground.state, "usage-plan", patience=1)["cleanup"]
    assert helpless.verdict == "FAILED"
    assert re.match(r"Left: files named \S+; API key \S+: make revoke NAME=", helpless.said)
    assert killed.versions(file_id)
    assert smoke_on(ground.state, "usage-plan")["cleanup"].verdict == "OK"
    assert is_clean(ground.client)
    assert killed.versions(file_id) == []


Break = Callable[[Ground], AbstractContextManager[None]]


@contextmanager
def without_gateway_responses(ground: Ground) -> Iterator[None]:
    gateway, api = ground.client("apigateway"), {"restApiId": ground.outputs["ApiId"]}
    found = [each for each in gateway.get_gateway_responses(**api)["items"] if not each["defaultResponse"]]
    for each in found:
        gateway.delete_gateway_response(**api, responseType=each["responseType"])
    gateway.create_deployment(**api, stageName="dev")
    yield
    for each in found:
        del each["defaultResponse"]
        gateway.put_gateway_response(**api, **each)
    gateway.create_deployment(**api, stageName="dev")


def method_changed(path: str, name: str, **changes: Any) -> Break:
    """A method that is another for a while."""

    @contextmanager
    def changed(ground: Ground) -> Iterator[None]:
        gateway, api = ground.client("apigateway"), {"restApiId": ground.outputs["ApiId"]}
        resources = {each["path"]: each["id"] for each in gateway.get_resources(**api)["items"]}
        where = {**api, "resourceId": resources[path], "httpMethod": name}
        method = gateway.get_method(**where)
        integration = method["methodIntegration"]
        settings = ("authorizationType", "apiKeyRequired", "requestValidatorId", "requestModels")
        before = {setting: method[setting] for setting in settings}

        def put(after: dict[str, Any]) -> None:
            gateway.put_method(**where, **{setting: value for setting, value in after.items() if value is not None})
            gateway.put_integration(
                **where,
                type=integration["type"],
                integrationHttpMethod=integration["httpMethod"],
                uri=integration["uri"],
            )
            gateway.create_deployment(**api, stageName="dev")

        put({**before, **changes})
        yield
        put(before)

    return changed


@contextmanager
def with_another_preflight(ground: Ground) -> Iterator[None]:
    gateway, api = ground.client("apigateway"), {"restApiId": ground.outputs["ApiId"]}
    resources = {each["path"]: each["id"] for each in gateway.get_resources(**api)["items"]}
    where = {**api, "resourceId": resources["/file"], "httpMethod": "OPTIONS", "statusCode": "204"}
    before = gateway.get_integration_response(**where)["responseParameters"]
    methods = "method.response.header.Access-Control-Allow-Methods"
    gateway.put_integration_response(**where, responseParameters={**before, methods: "'GET'"})
    gateway.create_deployment(**api, stageName="dev")
    yield
    gateway.put_integration_response(**where, responseParameters=before)
    gateway.create_deployment(**api, stageName="dev")


@contextmanager
def off_the_usage_plan(ground: Ground) -> Iterator[None]:
    # The emulator takes the list as it stands there, and not the text that AWS takes; the SDK would not send it.
    gateway = boto3.client(
        "apigateway",
        endpoint_url=ground.outputs["AwsEndpointUrl"],
        region_name=emulator.REGION,
        config=Config(parameter_validation=False),
    )

    def patch(stages: list[dict[str, str]]) -> None:
        gateway.update_usage_plan(
            usagePlanId=ground.outputs["UsagePlanId"],
            patchOperations=[{"op": "replace", "path": "/apiStages", "value": stages}],  # type: ignore[typeddict-item]
        )

    patch([])
    yield
    patch([{"apiId": ground.outputs["ApiId"], "stage": "dev"}])


def right_taken(function: str, action: str) -> Break:
    """A function whose role lacks a right."""

    @contextmanager
    def taken(ground: Ground) -> Iterator[None]:
        iam = ground.client("iam")
        configuration = ground.client("lambda").get_function_configuration(FunctionName=ground.functions[function])
        where = {"RoleName": configuration["Role"].rsplit("/", 1)[-1], "PolicyName": "code"}
        policy = iam.get_role_policy(**where)["PolicyDocument"]
        less = json.loads(json.dumps(policy).replace(f'"{action}"', '"s3:GetBucketAcl"'))
        assert less != policy
        iam.put_role_policy(**where, PolicyDocument=json.dumps(less))
        yield
        iam.put_role_policy(**where, PolicyDocument=json.dumps(policy))

    return taken


def alarm_changed(**changes: Any) -> Break:
    """An alarm of the sweep that watches something else."""

    @contextmanager
    def changed(ground: Ground) -> Iterator[None]:
        cloudwatch = ground.client("cloudwatch")
        alarms = cloudwatch.describe_alarms()["MetricAlarms"]
        (alarm,) = (each for each in alarms if "OverdueFilesAlarm" in each["AlarmName"])
        names = (
            "AlarmName", "Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods",
            "ComparisonOperator", "Threshold", "TreatMissingData",
        )  # fmt: skip
        before = {name: alarm[name] for name in names}
        cloudwatch.put_metric_alarm(**{**before, **changes})
        yield
        cloudwatch.put_metric_alarm(**before)

    return changed


@contextmanager
def without_cors(ground: Ground) -> Iterator[None]:
    s3, where = ground.client("s3"), {"Bucket": ground.outputs["StorageBucketName"]}
    rules = s3.get_bucket_cors(**where)["CORSRules"]
    s3.delete_bucket_cors(**where)
    yield
    s3.put_bucket_cors(**where, CORSConfiguration={"CORSRules": rules})


@contextmanager
def without_versions(ground: Ground) -> Iterator[None]:
    s3, where = ground.client("s3"), {"Bucket": ground.outputs["StorageBucketName"]}
    s3.put_bucket_versioning(**where, VersioningConfiguration={"Status": "Suspended"})
    yield
    s3.put_bucket_versioning(**where, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def without_events(ground: Ground) -> Iterator[None]:
    s3, where = ground.client("s3"), {"Bucket": ground.outputs["StorageBucketName"]}
    found = s3.get_bucket_notification_configuration(**where)
    s3.put_bucket_notification_configuration(**where, NotificationConfiguration={})
    yield
    del found["ResponseMetadata"]
    s3.put_bucket_notification_configuration(**where, NotificationConfiguration=found)


@contextmanager
def in_public(ground: Ground) -> Iterator[None]:
    s3, where = ground.client("s3"), {"Bucket": ground.outputs["StorageBucketName"]}
    policy = s3.get_bucket_policy(**where)["Policy"]
    statements = json.loads(policy)["Statement"]
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": statements[0]["Resource"]}
    blocked = s3.get_public_access_block(**where)["PublicAccessBlockConfiguration"]
    s3.delete_public_access_block(**where)
    s3.put_bucket_policy(**where, Policy=json.dumps({"Version": "2012-10-17", "Statement": [*statements, everybody]}))
    yield
    s3.put_bucket_policy(**where, Policy=policy)
    s3.put_public_access_block(**where, PublicAccessBlockConfiguration=blocked)


NO_VALIDATOR = method_changed("/files", "DELETE", requestValidatorId=None)
NO_KEY_NEEDED = method_changed("/files", "PUT", apiKeyRequired=False)
WRONG_SERVICE = alarm_changed(Dimensions=[{"Name": "service", "Value": "filestore-of-another"}])
WRONG_METRIC = alarm_changed(MetricName="OldestDueAgee")
LOST_ALARM = alarm_changed(AlarmName="another")

BROKEN: list[tuple[str, Break, dict[str, str]]] = [
    (
        "no gateway responses",
        without_gateway_responses,
        {"gateway-responses": "Expected DEFAULT_4XX ", "refusals-can-be-read": "Expected INVALID_API_KEY: "},
    ),
    (
        "no validator",
        NO_VALIDATOR,
        {
            "import-validators": "Expected DELETE /files: validator body, came None.",
            "malformed-at-the-gateway": "Expected DELETE /files with an object (<HTTPStatus.BAD_REQUEST",
        },
    ),
    (
        "no key needed",
        NO_KEY_NEEDED,
        {"import-methods": "Expected PUT /files: API key True, came False.", "no-key": "Expected 403 for PUT /files"},
    ),
    ("another preflight", with_another_preflight, {"api-preflights": "came {'get'}"}),
    (
        "the stage off the usage plan",
        off_the_usage_plan,
        {"usage-plan": "came []. Deploy again", "key-works": "Expected 200 within 1 s, came 403"},
    ),
    (
        "no right to delete versions",
        right_taken("DeleteFunction", "s3:DeleteObjectVersion"),
        {"delete-at-once": "its role lacks s3:DeleteObject or s3:DeleteObjectVersion"},
    ),
    (
        "no right to read versions",
        right_taken("InfoFunction", "s3:GetObjectVersion"),
        {"download": "whether InfoFunction's role has s3:GetObjectVersion"},
    ),
    ("no right to query", right_taken("SweepFunction", "dynamodb:Query"), {"sweep": "Expected finished True, came "}),
    ("an alarm of another stack", WRONG_SERVICE, {"alarm-dimensions": "came (('service', 'filestore-of-another'),)"}),
    ("an alarm of nothing", WRONG_METRIC, {"metrics-emitted": "OldestDueAgee"}),
    ("no CORS on the bucket", without_cors, {"bucket-preflight": "see CorsConfiguration of StorageBucket"}),
    ("no versions", without_versions, {"put-signed": "came None. Do not go live"}),
    ("no events", without_events, {"event": "Expected S3's event within 1 seconds, came none."}),
    ("a public bucket", in_public, {"bucket-is-private": "came 200. The bucket is public"}),
]


@pytest.mark.parametrize(("broken", "said"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_what_is_broken_is_noticed_in_its_row(ground: Ground, broken: Break, said: dict[str, str]) -> None:
    with broken(ground):
        rows = smoke_on(ground.state, *said, patience=1)
    for name, words in said.items():
        assert rows[name].verdict == "FAILED", rows[name]
        assert words in rows[name].said
    mended = smoke_on(ground.state, *said)
    assert {name: row for name, row in mended.items() if row.verdict != "OK"} == {}


def test_without_a_key_that_works_the_rest_is_not_seen(ground: Ground) -> None:
    with off_the_usage_plan(ground):
        rows = smoke_on(ground.state, "download", "revoked-key", patience=1)
    assert {name: row.verdict for name, row in rows.items()} == {
        "key-works": "FAILED", "download": "NOT SEEN", "revoked-key": "NOT SEEN", "cleanup": "OK",
    }  # fmt: skip
    assert rows["download"].said == "it needs an API key, and none works: see key-works"
    assert is_clean(ground.client)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "source"}
