"""What the template promises to whoever answers for the stack."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from filestore.use_cases import upload
from local.deploy import read_yaml
from tests import support
from tests.support import SWAGGER, TEMPLATE

RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
FUNCTIONS = {name: r["Properties"] for name, r in RESOURCES.items() if r["Type"] == "AWS::Serverless::Function"}


METHOD_SETTINGS: dict[str, Any] = {
    f"{setting['HttpMethod']} {setting['ResourcePath'].replace('~1', '/').replace('//', '/')}": setting
    for setting in RESOURCES["FilestoreApi"]["Properties"]["MethodSettings"]
}


def of_type(kind: str) -> dict[str, Any]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] == kind}


def references(node: Any) -> Iterator[str]:
    """The parameters and resources that a node refers to."""
    match node:
        case {"Ref": str() as name}:
            yield name
        case {"Fn::Sub": str() as text}:
            yield from re.findall(r"\$\{(\w+)", text)
        case {"Fn::Sub": [text, values]}:
            yield from re.findall(r"\$\{(\w+)", text)
            yield from references(values)
        case dict():
            for value in node.values():
                yield from references(value)
        case list():
            for value in node:
                yield from references(value)


def test_every_parameter_has_a_default() -> None:
    """One sam deploy is all it takes."""
    assert [name for name, parameter in PARAMETERS.items() if "Default" not in parameter] == []


class TestNumbers:
    """CloudFormation's type Number takes 1.5 and 1e3: the stack would be deployed, and every request a 502."""

    RANGES: ClassVar[dict[str, tuple[int, int]]] = {
        "SignedUrlExpiration": (1, 604_800),
        "UnstoredFileLifetime": (1, 31_536_000),
        "LateUploadMargin": (60, 604_800),
        "MaxFileSize": (1, 53_687_091_200_000),
        "MultipartThreshold": (1, 5_368_709_120),
        "UsagePlanRateLimit": (1, 999_999_999),
        "UsagePlanBurstLimit": (1, 999_999_999),
        "UsagePlanMonthlyQuota": (1, 999_999_999),
        "PublicRateLimit": (1, 999_999_999),
        "PublicBurstLimit": (1, 999_999_999),
        "MethodRateLimit": (1, 999_999_999),
        "MethodBurstLimit": (1, 999_999_999),
    }

    def test_are_all_here(self) -> None:
        """Whatever has a number as its default, but for those with a list or a gap: they have tests of their own."""
        numeric = {name for name, each in PARAMETERS.items() if re.fullmatch(r"[0-9.]+", str(each["Default"]))}
        assert numeric - {"LogRetentionDays", "ReservedConcurrency"} == self.RANGES.keys()
        assert all(each["Type"] in ("String", "CommaDelimitedList") for each in PARAMETERS.values())
        assert all(isinstance(each["Default"], str) for each in PARAMETERS.values())

    @pytest.mark.parametrize("name", RANGES)
    def test_are_whole_and_in_their_range(self, name: str) -> None:
        first, last = self.RANGES[name]
        pattern = re.compile(PARAMETERS[name]["AllowedPattern"])
        assert PARAMETERS[name]["ConstraintDescription"] == f"must be a whole number from {first} to {last}"
        assert pattern.fullmatch(PARAMETERS[name]["Default"])
        tried = {*range(first - 1, 2000), *(last // divisor for divisor in range(1, 2000)), 10 * last}
        tried |= {last + step * 10**zeros for step in (-1, 1) for zeros in range(len(str(last)))}
        for number in tried:
            assert bool(pattern.fullmatch(str(number))) == (first <= number <= last), number
        for text in ("", " ", "1.5", "1.0", "1e3", "-1", "+1", " 1", "1 ", "1\n", "01", "0x1", "1_0", "\u0661", "inf"):
            assert not pattern.fullmatch(text), text


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_new_value_of_a_parameter_makes_a_new_version(function: str) -> None:
    """SAM makes none for it, and requests go to the version: CloudFormation does, for a new description."""
    everywhere = set(references(TEMPLATE["Globals"]["Function"]["Environment"])) & set(PARAMETERS)
    assert len(everywhere) == 6
    settings = everywhere | set(references(FUNCTIONS[function].get("Environment", {})))
    # What no page asks for has no use for the origin of a page.
    unused = {"AllowedOrigins"} if function == "SweepFunction" else set()
    assert settings - unused | {"StorageBucketName", "Tracing"} <= set(
        references(FUNCTIONS[function]["VersionDescription"])
    )


def test_ttl_leaves_pending_records_alone_for_longer_than_an_upload_can_take() -> None:
    _, longest = TestNumbers.RANGES["LateUploadMargin"]
    assert longest + 7 * 24 * 3600 <= upload._PURGE_AFTER  # noqa: SLF001 - the constant


@pytest.mark.parametrize("function", FUNCTIONS)
def test_lambda_logs_only_runs_that_fail(function: str) -> None:
    """The lines of the others are half of what would be logged, and say little that a metric does not."""
    config = support.translated()[function]["Properties"]["LoggingConfig"]
    assert config.pop("LogGroup") == {"Ref": "FunctionsLogGroup"}
    assert config == {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}


def test_no_metric_is_kept_for_each_method() -> None:
    """API Gateway's detailed metrics are billed one by one; those of the stage are not, and are what alarms look at."""
    assert [setting for setting in METHOD_SETTINGS.values() if setting.get("MetricsEnabled")] == []


class TestGradualDeployment:
    def test_is_off_unless_asked_for(self) -> None:
        assert not [r for r in support.translated().values() if r["Type"].startswith("AWS::CodeDeploy::")]

    def test_moves_every_function_and_back_when_an_alarm_goes_off(self) -> None:
        resources = support.translated(GradualDeployment="true")
        groups = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::CodeDeploy::DeploymentGroup"}
        assert set(groups) == {f"{function}DeploymentGroup" for function in FUNCTIONS}
        for group in groups.values():
            assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
            assert group["AutoRollbackConfiguration"]["Enabled"] is True
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
            alarms = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
            assert alarms == {"ServerErrorsAlarm", "UploadedErrorsAlarm", "SweepErrorsAlarm"}
        for function in FUNCTIONS:
            update = resources[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
            assert update["DeploymentGroupName"] == {"Ref": f"{function}DeploymentGroup"}

    def test_requests_go_to_the_alias_that_is_moved(self) -> None:
        for item in SWAGGER["paths"].values():
            for operation in item.values():
                uri = operation["x-amazon-apigateway-integration"].get("uri")
                assert uri is None or uri["Fn::Sub"].endswith("Function.Arn}:live/invocations")


class TestData:
    @pytest.mark.parametrize("name", ["FilesTable", "StorageBucket"])
    def test_outlives_the_stack(self, name: str) -> None:
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"

    def test_of_the_table_is_protected_in_prod_and_can_be_restored(self) -> None:
        table = RESOURCES["FilesTable"]["Properties"]
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}

    def test_is_encrypted_at_rest(self) -> None:
        bucket = RESOURCES["StorageBucket"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        ((_, with_key, without),) = [rule["Fn::If"] for rule in bucket]
        assert with_key["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
        assert without["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        # DynamoDB encrypts every table, with AWS' own key where none is named (DynamoDB developer guide).
        assert "SSESpecification" not in RESOURCES["FilesTable"]["Properties"]
        assert all(queue["Properties"]["SqsManagedSseEnabled"] for queue in of_type("AWS::SQS::Queue").values())

    def test_is_not_public(self) -> None:
        bucket = RESOURCES["StorageBucket"]["Properties"]
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}

    def test_that_never_became_a_file_goes(self) -> None:
        (rule,) = RESOURCES["StorageBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


class TestTheApi:
    def test_limits_every_method_and_the_public_ones_more_tightly(self) -> None:
        public = {
            f"{method.upper()} {path}"
            for path, item in SWAGGER["paths"].items()
            for method, operation in item.items()
            if operation.get("security") != [{"ApiKey": []}]
        }
        assert public == {
            "POST /file",
            "OPTIONS /file",
            "DELETE /file/{id}",
            "OPTIONS /file/{id}",
            "POST /file/{id}/parts",
            "GET /file/{id}/parts",
            "OPTIONS /file/{id}/parts",
            "POST /file/{id}/complete",
            "OPTIONS /file/{id}/complete",
        }
        assert set(METHOD_SETTINGS) == {"* /*"} | public
        for name, setting in METHOD_SETTINGS.items():
            kind = "Method" if name == "* /*" else "Public"
            assert setting["ThrottlingRateLimit"] == {"Ref": f"{kind}RateLimit"}
            assert setting["ThrottlingBurstLimit"] == {"Ref": f"{kind}BurstLimit"}
        assert int(PARAMETERS["PublicRateLimit"]["Default"]) < int(PARAMETERS["MethodRateLimit"]["Default"])

    def test_limits_every_key(self) -> None:
        plan = RESOURCES["FilestoreUsagePlan"]["Properties"]
        assert plan["Throttle"].keys() == {"RateLimit", "BurstLimit"}
        assert plan["Quota"]["Limit"] == {"Ref": "UsagePlanMonthlyQuota"}

    def test_never_writes_bodies_to_a_log(self) -> None:
        assert {setting["DataTraceEnabled"] for setting in METHOD_SETTINGS.values()} == {False}
        assert not [setting for setting in METHOD_SETTINGS.values() if "LoggingLevel" in setting]

    def test_has_an_access_log_without_ids_queries_and_keys(self) -> None:
        _, setting, _ = RESOURCES["FilestoreApi"]["Properties"]["AccessLogSetting"]["Fn::If"]
        fields = set(json.loads(setting["Format"]).values())
        assert {"$context.extendedRequestId", "$context.status", "$context.identity.apiKeyId"} <= fields
        assert not fields & {"$context.path", "$context.identity.apiKey", "$context.identity.userAgent"}
        # The client may say it, in x-amzn-requestid (API Gateway developer guide, variables for access logging).
        assert "$context.requestId" not in fields


class TestAlarms:
    @pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
    def test_tell_whom_the_operator_named(self, name: str) -> None:
        alarm = RESOURCES[name]["Properties"]
        told = [
            {"Fn::If": ["HasAlarmEmail", {"Ref": "AlarmTopic"}, {"Ref": "AWS::NoValue"}]},
            {"Fn::If": ["HasAlarmTopic", {"Ref": "AlarmTopicArn"}, {"Ref": "AWS::NoValue"}]},
        ]
        assert alarm["AlarmActions"] == alarm["OKActions"] == told

    @pytest.mark.parametrize("name", of_type("AWS::CloudWatch::Alarm"))
    def test_are_explained(self, name: str) -> None:
        explained = (support.ROOT / "docs/monitoring.md").read_text()
        assert f"`{name}`" in explained


def test_whatever_a_scanner_is_told_to_skip_has_its_reason() -> None:
    text = (support.ROOT / ".checkov.yaml").read_text()
    reasons = dict(re.findall(r"((?:  #.*\n)+)  - (\w+)\n", text))
    assert sorted(reasons.values()) == sorted(read_yaml(".checkov.yaml")["skip-check"])
    for reason, skipped in reasons.items():
        assert re.fullmatch(r"CKV2?_AWS_\d+", skipped)
        assert len(reason) > 40, skipped
    assert not [name for name, resource in RESOURCES.items() if "checkov" in resource.get("Metadata", {})]


def test_every_condition_is_used() -> None:
    """What cfn-lint cannot tell: it does not see that monitoring.yaml uses some."""
    text = json.dumps([RESOURCES, TEMPLATE["Outputs"], TEMPLATE["Globals"]])
    of_conditions = json.dumps(list(TEMPLATE["Conditions"].values()))
    assert [
        name
        for name in TEMPLATE["Conditions"]
        if f'"Fn::If": ["{name}"' not in text
        and f'"Condition": "{name}"' not in text
        and f'"Condition": "{name}"' not in of_conditions
    ] == []


def test_the_release_is_seen_in_the_stack_and_on_every_version_of_a_function() -> None:
    release = tomllib.loads((support.ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^## (\d\S*)", (support.ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0] == release
    assert TEMPLATE["Outputs"]["Version"]["Value"] == release
    for function in FUNCTIONS.values():
        assert function["VersionDescription"]["Fn::Sub"].startswith(f"{release} ${{")


# That of uploads is public in one stack and closed in another.
ENDPOINTS = {name for name, each in FUNCTIONS.items() if "Api" in each["Events"]}


class TestItsLength:
    LINES = (support.ROOT / "template.yaml").read_text().splitlines()

    def test_is_what_one_can_still_read(self) -> None:
        """785 with seven functions, indexes, ownership, parts and closed uploads; 25 for each function that comes."""
        assert len(self.LINES) <= 785 + 25 * (len(FUNCTIONS) - 7)

    @pytest.mark.parametrize("function", sorted(ENDPOINTS - {"UploadFunction"}))
    def test_grows_by_25_lines_at_most_for_one_more_endpoint(self, function: str) -> None:
        """Its function, its role, its limits, its output; and three lines of the dashboard, in monitoring.yaml."""
        event = FUNCTIONS[function]["Events"]["Api"]["Properties"]
        public = f"ResourcePath: '{event['Path'].replace('/', '/~1', 1).replace('/{', '~1{')}'"
        own, within = [], False
        for line in self.LINES:
            if re.match(r"  \S|\S", line):
                within = re.match(rf"  {function}(Role)?:$", line) is not None
            if line.strip() and (within or function in line or public in line):
                own.append(line)
        assert len(own) > 20
        assert len(own) <= 25, own
        shown = (support.ROOT / "monitoring.yaml").read_text().splitlines()
        assert len([line for line in shown if f'"${{{function}}}"' in line]) == 3
