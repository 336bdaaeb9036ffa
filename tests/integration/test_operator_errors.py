"""What goes wrong for an operator is told in one line, and a removal that ends halfway says what is left."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.processes import free_port
from local import emulator
from ops import keys, removal
from ops.errors import OperatorError
from tests.support import ROOT

CHOOSE = "Choose an AWS profile: AWS_PROFILE=... make ... (aws configure makes one)"
ON_AWS = [
    ["ops", "--stack", "theirs", "keys"],
    ["ops.audit", "--stack", "theirs"],
    ["ops.redrive", "--stack", "theirs"],
    ["local.publish", "--stack", "theirs"],
]
HERE = ["ops.audit", "ops.redrive", "local.logs"]

on_aws = pytest.mark.parametrize("arguments", ON_AWS, ids=lambda arguments: arguments[0])


def complaint(arguments: list[str], **environment: str) -> str:
    """What a tool says that fails, as make runs it, in a shell that knows no AWS but the environment's."""
    shell = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    failed = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=shell | nowhere | {"AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": "source"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    (line,) = failed.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@on_aws
def test_a_profile_that_is_not_there(arguments: list[str]) -> None:
    assert complaint(arguments, AWS_PROFILE="none") == f"The config profile (none) could not be found. {CHOOSE}"


@on_aws
def test_no_region(arguments: list[str]) -> None:
    assert complaint(arguments) == f"You must specify a region. {CHOOSE}"


@on_aws
def test_no_credentials(arguments: list[str]) -> None:
    assert complaint(arguments, AWS_DEFAULT_REGION="us-east-1") == f"Unable to locate credentials. {CHOOSE}"


@pytest.fixture(scope="module")
def shell(embedded_aws: str) -> dict[str, str]:
    """The environment of an operator of the embedded AWS, who has somebody else's stack in it."""
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    cloudformation = emulator.client(embedded_aws, "cloudformation", os.environ["AWS_ACCESS_KEY_ID"])
    cloudformation.create_stack(StackName="theirs", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="theirs", WaiterConfig={"Delay": 1})
    return {
        "AWS_ENDPOINT_URL": embedded_aws,
        "AWS_DEFAULT_REGION": emulator.REGION,
        "AWS_ACCESS_KEY_ID": os.environ["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": "test",
    }


@on_aws
def test_a_stack_of_somebody_else(shell: dict[str, str], arguments: list[str]) -> None:
    expected = "The stack theirs is none of Filestore's: it has no output ApiRootUrl."
    assert complaint(arguments, **shell) == expected


@on_aws
def test_no_such_stack(shell: dict[str, str], arguments: list[str]) -> None:
    nothing = [argument.replace("theirs", "nothing") for argument in arguments]
    assert complaint(nothing, **shell) == "There is no stack nothing in this account and region."


@pytest.mark.parametrize("module", HERE)
def test_a_stack_here_that_was_killed(tmp_path: Path, module: str) -> None:
    names = ("AwsAccessKeyId", "StorageBucketName", "TableName", "UploadedQueueUrl", "UploadedDeadLetterQueueUrl")
    outputs = dict.fromkeys(names, "x") | {"AwsEndpointUrl": f"http://127.0.0.1:{free_port()}"}
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    assert complaint([module, "--state-dir", str(tmp_path)]) == "No stack runs here. Try: make run"


@pytest.mark.parametrize("module", HERE)
def test_no_stack_here(tmp_path: Path, module: str) -> None:
    assert re.match("No stack (runs|is running) ", complaint([module, "--state-dir", str(tmp_path)]))


class TestRemovalThatEndsHalfway:
    """On what a removal knows of a stack: a bucket and a table that outlive it. Its keys have tests of their own."""

    @pytest.fixture
    def clients(self, embedded_aws: str) -> Iterator[Callable[[str], Any]]:
        clients = partial(emulator.client, embedded_aws, key=os.environ["AWS_ACCESS_KEY_ID"])
        table = {
            "TableName": "half-table",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }
        names = {"ApiRootUrl": "https://api.example.org", "StorageBucketName": "half-bucket", "TableName": "half-table"}
        template = {
            "Parameters": {"EnvironmentParameter": {"Type": "String", "Default": "dev"}},
            "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
            "Outputs": {name: {"Value": value} for name, value in names.items()},
        }
        clients("s3").create_bucket(Bucket="half-bucket")
        clients("dynamodb").create_table(**table)
        clients("cloudformation").create_stack(StackName="half", TemplateBody=json.dumps(template))
        clients("cloudformation").get_waiter("stack_create_complete").wait(StackName="half", WaiterConfig={"Delay": 1})
        yield clients
        for bucket in clients("s3").list_buckets()["Buckets"]:
            if bucket["Name"] == "half-bucket":
                clients("s3").delete_object(Bucket="half-bucket", Key="late")
                clients("s3").delete_bucket(Bucket="half-bucket")
        clients("dynamodb").update_table(TableName="half-table", DeletionProtectionEnabled=False)
        clients("dynamodb").delete_table(TableName="half-table")

    def test_keeps_what_came_in_meanwhile(self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        def arrive(*_: object) -> None:
            clients("s3").put_object(Bucket="half-bucket", Key="late", Body=b"late")

        monkeypatch.setattr(keys, "revoke_all", arrive)
        assert removal.remove(clients, "half", None) == ["bucket half-bucket", "table half-table"]
        assert clients("s3").get_object(Bucket="half-bucket", Key="late")["Body"].read() == b"late"

    def test_says_what_is_left(self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OperatorError("It could not be emptied.")

        monkeypatch.setattr(keys, "revoke_all", lambda *_: None)
        monkeypatch.setattr(removal, "_delete_bucket", fail)
        left = "The stack half is deleted, but left in the account: bucket half-bucket, table half-table. It could not"
        with pytest.raises(OperatorError, match=f"{left} .* S3; aws dynamodb delete-table --table-name half-table"):
            removal.remove(clients, "half", removal.Data.DELETE)

    def test_says_that_the_bucket_is_gone_already(
        self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "revoke_all", lambda *_: None)
        clients("dynamodb").update_table(TableName="half-table", DeletionProtectionEnabled=True)
        with pytest.raises(OperatorError, match="is deleted, but left in the account: table half-table"):
            removal.remove(clients, "half", None)
