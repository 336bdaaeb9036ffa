"""A stack's life in its operator's hands: deployed, upgraded, beside another, removed; its keys made and revoked."""

import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bench.processes import free_port
from local import deploy, gaps
from local.emulator import ROOT, Emulator
from local.errors import LocalError
from ops import keys, removal
from ops.errors import OperatorError
from tests.stack import Stack, eventually

# What was first deployable with the index as it is now, commit 2e038a4. The next one, for a release that is tagged:
# git archive --format=zip -o tests/integration/releases/VERSION.zip TAG source template.yaml swagger.yaml \
#   monitoring.yaml
PREVIOUS_RELEASE = ROOT / "tests/integration/releases/1.0.0-rc.1.zip"


class Deployment(Stack):
    """A stack under a name of its own, without the rest of what make run starts."""

    def __init__(self, aws: Emulator, name: str, *, root: Path = ROOT, **parameters: str) -> None:
        self.aws = aws
        self.name = name
        self.deploy(parameters, root)

    def deploy(self, parameters: Mapping[str, str], root: Path = ROOT) -> None:
        deployed = deploy.deploy(self.aws, parameters, stack=self.name, root=root)
        stage = parameters.get("EnvironmentParameter", "dev")
        functions = deploy.functions(self.aws, self.name)
        swagger, template = deploy.read_yaml("swagger.yaml", root), deploy.read_yaml("template.yaml", root)
        gaps.fill(self.aws, deployed, swagger=swagger, template=template, functions=functions, stage=stage)
        self.outputs = deployed | {
            "ApiRootUrl": f"{self.aws.url}/restapis/{deployed['ApiId']}/{stage}/_user_request_",
            "AwsEndpointUrl": self.aws.url,
            "AwsAccessKeyId": self.aws.key,
            "Functions": functions,
        }
        names = [key.name for key in keys.listed(self.aws.client, self.name)]
        if "test" not in names:
            self.api_key = keys.create(self.aws.client, self.name, "test")

    @property
    def key(self) -> dict[str, str]:
        return {"x-api-key": self.api_key}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account of the module's own."""
    emulator = Emulator(free_port(), tmp_path_factory.mktemp("account"))
    emulator.start()
    yield emulator
    emulator.stop()


class TestUpgrade:
    @pytest.fixture(scope="class")
    def release(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        folder = tmp_path_factory.mktemp("release")
        with zipfile.ZipFile(PREVIOUS_RELEASE) as archive:
            archive.extractall(folder)
        return folder

    def test_changes_at_most_one_index_of_the_table(self, release: Path) -> None:
        """CloudFormation refuses more than one that comes or goes in an update, and any that changes (DynamoDB)."""

        def indexes(root: Path) -> dict[str, Any]:
            table = deploy.read_yaml("template.yaml", root)["Resources"]["FilesTable"]["Properties"]
            return {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}

        before, after = indexes(release), indexes(ROOT)
        assert len(before.keys() ^ after.keys()) <= 1
        assert {name: after[name] for name in before.keys() & after.keys()} == {
            name: before[name] for name in before.keys() & after.keys()
        }

    def test_keeps_every_file_and_every_key(self, aws: Emulator, release: Path) -> None:
        stack = Deployment(aws, "upgraded", root=release)
        before = stack.outputs
        stored, deleted, uploaded = stack.store(b"stored"), stack.store(b"deleted"), stack.upload(b"uploaded", size=8)
        undone, requested = stack.upload(size=8), stack.post_file({"name": "later"}).json()
        stack.files("DELETE", [deleted["id"]])
        details = stack.details(stored["id"])
        eventually(lambda: "uploaded_at" in (stack.record(uploaded["id"]) or {}))

        stack.deploy({})

        # Not the API's own id: AWS imports a changed swagger in place, the embedded AWS makes the API anew.
        for name in ("UsagePlanId", "StorageBucketName", "TableName", "UploadedQueueUrl"):
            assert stack.outputs[name] == before[name]
        assert stack.download(stored["id"]) == b"stored"
        assert {**(stack.details(stored["id"]) or {}), "url": ""} == {**(details or {}), "url": ""}
        assert requests.get((details or {})["url"], timeout=60).content == b"stored"
        assert "deleted_at" in (stack.details(deleted["id"]) or {})
        assert stack.files("PUT", [uploaded["id"]]).json() == [uploaded["id"]]
        assert stack.download(uploaded["id"]) == b"uploaded"
        assert stack.undo(undone["id"], undone["token"]).status_code == 204
        assert requests.put(requested["url"], data=b"later", timeout=60).status_code == 200
        eventually(lambda: "uploaded_at" in (stack.record(requested["id"]) or {}))
        assert stack.files("PUT", [requested["id"]]).json() == [requested["id"]]
        assert stack.download(requested["id"]) == b"later"
        assert stack.files("DELETE", [stored["id"]]).json() == [stored["id"]]
        assert stack.versions(stored["id"]) == []

    def test_leaves_the_accounts_role_for_access_logs_where_it_is(self, aws: Emulator, release: Path) -> None:
        """It was made by the stack once, and other APIs of the account may have come to log with it."""
        account = aws.client("apigateway").get_account
        deploy.deploy(aws, {"AccessLogs": "enabled-with-account-role"}, stack="logged", root=release)
        role = account()["cloudwatchRoleArn"]
        deploy.deploy(aws, {"AccessLogs": "enabled"}, stack="logged")
        removal.remove(aws.client, "logged", None)
        assert account()["cloudwatchRoleArn"] == role
        assert aws.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]["Arn"] == role


class TestParameters:
    def test_a_new_value_reaches_the_functions_that_requests_go_to(self, aws: Emulator) -> None:
        """Requests go to a published version, which keeps the environment that it was published with."""

        def expires(stack: Deployment) -> list[str]:
            return parse_qs(urlsplit(stack.post_file({"name": "a"}).json()["url"]).query)["X-Amz-Expires"]

        stack = Deployment(aws, "parameters", SignedUrlExpiration="600")
        assert expires(stack) == ["600"]
        stack.deploy({"SignedUrlExpiration": "60"})
        assert expires(stack) == ["60"]

    @pytest.mark.parametrize(
        "parameters",
        [
            {"AccessLogs": "enabled"},
            {"EncryptionKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1", "ServerAccessLogBucket": "logs"},
            {"PermissionsBoundaryArn": "arn:aws:iam::000000000000:policy/boundary", "ReservedConcurrency": "100"},
            {"DomainName": "files.example.com", "CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1"},
        ],
        ids=lambda parameters: next(iter(parameters)),
    )
    def test_that_an_organisation_may_ask_for_can_be_deployed(self, aws: Emulator, parameters: dict[str, str]) -> None:
        name = f"with-{next(iter(parameters))}"
        assert deploy.deploy(aws, parameters, stack=name)["UsagePlanId"]
        removal.remove(aws.client, name, None)

    def test_a_domain_without_a_certificate_is_refused(self, aws: Emulator) -> None:
        with pytest.raises(LocalError, match="DomainName needs a certificate"):
            deploy.deploy(aws, {"DomainName": "files.example.com"}, stack="uncertified")

    def test_alarms_are_sent_to_the_address_and_to_the_topic(self, aws: Emulator) -> None:
        topic = "arn:aws:sns:us-east-1:000000000000:mine"
        deploy.deploy(aws, {"AlarmEmail": "ops@example.com", "AlarmTopicArn": topic}, stack="watched")
        (subscription,) = aws.client("sns").list_subscriptions()["Subscriptions"]
        assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "ops@example.com")
        alarms = aws.client("cloudwatch").describe_alarms(AlarmNamePrefix="watched-")["MetricAlarms"]
        assert len(alarms) == 10
        assert all(alarm["AlarmActions"] == [subscription["TopicArn"], topic] for alarm in alarms)
        removal.remove(aws.client, "watched", None)


class TestTwoStacksInOneAccount:
    @pytest.fixture(scope="class")
    def stacks(self, aws: Emulator) -> tuple[Deployment, Deployment]:
        return Deployment(aws, "first"), Deployment(aws, "second")

    def test_keep_their_files_apart(self, stacks: tuple[Deployment, Deployment]) -> None:
        for mine, other in (stacks, stacks[::-1]):
            file_id = mine.store(mine.name.encode())["id"]
            assert mine.download(file_id) == mine.name.encode()
            assert other.files("POST", [file_id]).json() == []
            assert other.files("DELETE", [file_id]).json() == []
            assert mine.download(file_id) == mine.name.encode()

    def test_do_not_take_each_others_keys(self, stacks: tuple[Deployment, Deployment]) -> None:
        first, second = stacks
        assert first.files("POST", ["x"], headers=second.key).status_code == 403
        assert second.files("POST", ["x"], headers=first.key).status_code == 403

    def test_share_no_resource(self, aws: Emulator, stacks: tuple[Deployment, Deployment]) -> None:
        cloudformation = aws.client("cloudformation")
        mine, others = (
            {
                resource["PhysicalResourceId"]
                for resource in cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
            }
            for stack in stacks
        )
        # The stage's name is that of the environment, and is unique within its API.
        assert mine & others <= {"dev"}


def everything(aws: Emulator) -> dict[str, set[str]]:
    """What there is in the account, but for the buckets that deployments go through."""

    def named(service: str, operation: str, members: str, key: str | None) -> set[str]:
        answer = getattr(aws.client(service), operation)()
        return {str(member[key] if key else member) for member in answer.get(members, [])}

    return {
        "buckets": {
            bucket
            for bucket in named("s3", "list_buckets", "Buckets", "Name")
            if not bucket.startswith(("aws-sam-cli-managed", "filestore-deployments"))
        },
        "tables": named("dynamodb", "list_tables", "TableNames", None),
        "functions": named("lambda", "list_functions", "Functions", "FunctionName"),
        "queues": named("sqs", "list_queues", "QueueUrls", None),
        "roles": named("iam", "list_roles", "Roles", "RoleName"),
        "log groups": named("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "alarms": named("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "dashboards": named("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "APIs": named("apigateway", "get_rest_apis", "items", "id"),
        "usage plans": named("apigateway", "get_usage_plans", "items", "id"),
        "keys": named("apigateway", "get_api_keys", "items", "id"),
        "rules": named("events", "list_rules", "Rules", "Name"),
    }


class TestRemoval:
    def test_in_dev_leaves_nothing_when_told_so(self, aws: Emulator) -> None:
        before = everything(aws)
        stack = Deployment(aws, "dev")
        assert all(now - then for now, then in zip(everything(aws).values(), before.values(), strict=True))
        stack.store()
        stack.post_file({"name": "never uploaded"})
        stack.client("s3").create_multipart_upload(Bucket=stack.outputs["StorageBucketName"], Key="x")
        assert removal.remove(aws.client, "dev", removal.Data.DELETE) == []
        assert everything(aws) == before

    def test_asks_what_is_to_become_of_files(self, aws: Emulator) -> None:
        stack = Deployment(aws, "asked")
        file_id = stack.store(b"precious")["id"]
        with pytest.raises(OperatorError, match="has files"):
            removal.remove(aws.client, "asked", None)
        assert stack.download(file_id) == b"precious"

    def test_in_prod_never_deletes_files(self, aws: Emulator) -> None:
        stack = Deployment(aws, "prod", EnvironmentParameter="prod")
        file_id = stack.store(b"precious")["id"]
        with pytest.raises(OperatorError, match="in production: nothing here deletes its files"):
            removal.remove(aws.client, "prod", removal.Data.DELETE)
        with pytest.raises(stack.client("dynamodb").exceptions.ClientError, match="protect"):
            stack.client("dynamodb").delete_table(TableName=stack.outputs["TableName"])

        bucket, table = stack.outputs["StorageBucketName"], stack.outputs["TableName"]
        version = (stack.record(file_id) or {})["version_id"]["S"]
        assert removal.remove(aws.client, "prod", removal.Data.KEEP) == [f"bucket {bucket}", f"table {table}"]
        with pytest.raises(OperatorError, match="There is no stack prod"):
            removal.remove(aws.client, "prod", removal.Data.KEEP)
        assert "stored_at" in (stack.record(file_id) or {})
        kept = aws.client("s3").get_object(Bucket=bucket, Key=file_id, VersionId=version)
        assert kept["Body"].read() == b"precious"


class TestMake:
    """As an operator types it."""

    @pytest.fixture(scope="class")
    def make(self, aws: Emulator) -> Callable[..., Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": aws.key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "MAKEFLAGS": "",
        }

        def run(*arguments: str, region: str = "us-east-1") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["/usr/bin/env", f"AWS_DEFAULT_REGION={region}", "make", "--no-print-directory", *arguments],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip

        return run

    def test_deploys_makes_keys_revokes_them_and_removes(self, aws: Emulator, make: Callable[..., Any]) -> None:
        before = everything(aws)
        deployed = make("deploy", "ENV=dev")
        assert deployed.returncode == 0, deployed.stderr
        parameters = aws.client("cloudformation").describe_stacks(StackName="filestore-dev")["Stacks"][0]["Parameters"]
        assert {"ParameterKey": "LogRetentionDays", "ParameterValue": "14"} in parameters

        made = make("key", "NAME=shop")
        assert made.returncode == 0, made.stderr
        value = made.stdout.strip()
        listed = make("keys").stdout
        assert listed.split()[0] == "shop"
        assert value not in listed
        assert "error: There is a key shop already" in make("key", "NAME=shop").stderr

        outputs = aws.client("cloudformation").describe_stacks(StackName="filestore-dev")["Stacks"][0]["Outputs"]
        api_id = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "ApiId")

        def status() -> int:
            url = f"{aws.url}/restapis/{api_id}/dev/_user_request_/files"
            return requests.post(url, json=["x"], headers={"x-api-key": value}, timeout=60).status_code

        assert status() == 200
        assert "Nothing differs" in make("audit", "ENV=dev").stdout
        assert make("revoke", "NAME=shop").returncode == 0
        assert status() == 403
        assert "error: There is no key shop" in make("revoke", "NAME=shop").stderr

        removed = make("remove")
        assert removed.stdout == "filestore-dev is gone.\n", removed.stderr
        assert everything(aws) == before
        assert "error: There is no stack filestore-dev" in make("keys").stderr

    def test_a_stack_of_the_same_name_stands_in_another_region(self, make: Callable[..., Any]) -> None:
        sites = ("us-east-1", "eu-west-3")
        for region in sites:
            deployed = make("deploy", "BUILT=template.yaml", region=region)
            assert deployed.returncode == 0, deployed.stderr
        assert make("key", "NAME=shop", region=sites[1]).returncode == 0
        assert [make("keys", region=region).stdout.split()[:1] for region in sites] == [[], ["shop"]]
        assert [make("remove", region=region).stdout for region in sites] == ["filestore-dev is gone.\n"] * 2

    def test_says_how_to_go_on_after_a_first_deployment_that_failed(
        self, aws: Emulator, make: Callable[..., Any], tmp_path: Path
    ) -> None:
        template = (ROOT / "template.yaml").read_text(encoding="utf-8")
        for parameter, value in (
            ("DomainName", "a.example"),
            ("CertificateArn", "arn:aws:acm:x"),
            ("HostedZoneId", "Z"),
        ):
            template = re.sub(rf"(\n  {parameter}:\n(?:    .*\n)*?    Default: )''", rf"\g<1>{value}", template)
        (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
        for name in ("source", "swagger.yaml", "monitoring.yaml"):
            (tmp_path / name).symlink_to(ROOT / name)
        before = everything(aws)
        deploy_it = ("deploy", "STACK=stillborn", f"BUILT={tmp_path}/template.yaml")
        said = (
            "error: The first deployment of stillborn failed (ROLLBACK_COMPLETE), and CloudFormation deploys nothing"
            " over that. Clear it away, then deploy again: make remove STACK=stillborn"
        )
        first = make(*deploy_it)
        assert first.returncode != 0
        assert "No hosted zone" in first.stdout
        assert first.stderr.count(said) == 1
        second = make(*deploy_it)
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr.splitlines()[0] == said
        assert make("remove", "STACK=stillborn").stdout == "stillborn is gone.\n"
        assert everything(aws) == before

    def test_knows_two_environments(self, make: Callable[..., Any]) -> None:
        assert "error: ENV is dev or prod, not staging" in make("deploy", "ENV=staging").stderr
        assert "filestore-prod" in make("audit", "ENV=prod").stderr

    def test_asks_for_the_name_of_a_key(self, make: Callable[..., Any]) -> None:
        assert "a key needs a name" in make("key").stderr
