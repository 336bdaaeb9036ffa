"""A stack's life: deployed, upgraded, with other parameters, beside another."""

import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from local import deploy
from local.emulator import ROOT, Emulator
from local.errors import LocalError
from ops import fill_list, records, removal
from ops.target import Target
from tests.deployment import Deployment
from tests.stack import eventually

# What was first deployable with the index as it is now, commit 2e038a4. The next one, for a release that is tagged:
# git archive --format=zip -o tests/integration/releases/VERSION.zip TAG source template.yaml swagger.yaml \
#   monitoring.yaml
PREVIOUS_RELEASE = ROOT / "tests/integration/releases/1.0.0-rc.1.zip"


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

        # Not the API's own id: AWS imports a changed swagger in place, the emulator makes the API anew.
        for name in ("UsagePlanId", "StorageBucketName", "TableName", "UploadedQueueUrl"):
            assert stack.outputs[name] == before[name]
        assert stack.download(stored["id"]) == b"stored"
        assert {**(stack.details(stored["id"]) or {}), "url": ""} == {**(details or {}), "url": ""}
        assert (stack.listed(), stack.listed(deleted="yes")) == ([], [])
        filling = records.Walk(Target(stack.outputs, aws.client), rate=1000)
        fill_list.fill(filling)
        assert filling.changed == 2
        assert stack.listed() == [stored["id"]]
        assert sorted(stack.listed(deleted="yes")) == sorted([stored["id"], deleted["id"]])
        assert requests.get((details or {})["url"], timeout=60).content == b"stored"
        assert "deleted_at" in (stack.details(deleted["id"]) or {})
        assert stack.files("PUT", [uploaded["id"]]).json() == [uploaded["id"]]
        assert stack.download(uploaded["id"]) == b"uploaded"
        assert stack.undo(undone["id"], undone["token"]).status_code == 204
        assert requests.put(requested["url"], data=b"later", timeout=60).status_code == 200
        eventually(lambda: "uploaded_at" in (stack.record(requested["id"]) or {}))
        assert stack.files("PUT", [requested["id"]]).json() == [requested["id"]]
        assert stack.download(requested["id"]) == b"later"
        assert stack.listed() == [requested["id"], uploaded["id"], stored["id"]]
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

    def test_keys_own_nothing_where_nobody_stores(self, aws: Emulator) -> None:
        with pytest.raises(LocalError, match="KeyIsolation needs StoreOnLoad=False"):
            deploy.deploy(aws, {"KeyIsolation": "True", "StoreOnLoad": "True"}, stack="ownerless")

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
