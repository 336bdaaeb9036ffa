"""Ways to break a deployed stack, each mended when its block ends, and the rows of make smoke that have to notice."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config

from local import emulator


class Ground(NamedTuple):
    """A stack of the module's own, to break and to mend. Pages of two origins may use it."""

    aws: emulator.Emulator
    state: Path
    outputs: dict[str, str]
    functions: dict[str, str]

    def client(self, service: str) -> Any:
        return self.aws.client(service)


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
        endpoint_url=ground.aws.url,
        aws_access_key_id=ground.aws.key,
        aws_secret_access_key=emulator.SECRET,
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
            "malformed-at-the-gateway": "Expected DELETE /files with an object (400,",
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
    (
        "no right to send parts",
        right_taken("SignFunction", "s3:PutObject"),
        {"in-parts": "Expected S3 to take part 1, came 403"},
    ),
    ("no right to query", right_taken("SweepFunction", "dynamodb:Query"), {"sweep": "Expected finished True, came "}),
    ("an alarm of another stack", WRONG_SERVICE, {"alarm-dimensions": "came (('service', 'filestore-of-another'),)"}),
    ("an alarm of nothing", WRONG_METRIC, {"metrics-emitted": "OldestDueAgee"}),
    ("no CORS on the bucket", without_cors, {"bucket-preflight": "see CorsConfiguration of StorageBucket"}),
    ("no versions", without_versions, {"put-signed": "came None. Do not go live"}),
    ("no events", without_events, {"event": "Expected S3's event within 1 seconds, came none."}),
    ("a public bucket", in_public, {"bucket-is-private": "came 200. The bucket is public"}),
]
