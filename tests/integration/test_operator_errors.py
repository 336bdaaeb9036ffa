"""What goes wrong for an operator is told in one line, and a removal that ends halfway says what is left."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local import emulator, running
from local.loopback import free_port
from ops import removal
from ops.errors import OperatorError
from tests.stack import eventually
from tests.support import ROOT

CHOOSE = (
    "Choose an AWS profile: AWS_PROFILE=... make ..., or set AWS_DEFAULT_REGION and the variables of a key"
    " (aws configure makes a profile)"
)
ON_AWS = [
    ["ops", "--stack", "theirs", "keys"],
    ["ops.audit", "--stack", "theirs"],
    ["ops.redrive", "--stack", "theirs"],
    ["ops.smoke", "--stack", "theirs"],
    ["ops.publish", "--stack", "theirs"],
]
HERE = ["ops.audit", "ops.redrive", "ops.smoke", "ops.logs"]

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
def shell(emulator_url: str) -> dict[str, str]:
    """The environment of an operator of the emulator, who has somebody else's stack in it."""
    template = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
    cloudformation = emulator.client(emulator_url, "cloudformation", os.environ["AWS_ACCESS_KEY_ID"])
    cloudformation.create_stack(StackName="theirs", TemplateBody=json.dumps(template))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="theirs", WaiterConfig={"Delay": 1})
    return {
        "AWS_ENDPOINT_URL": emulator_url,
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


def leave_outputs(state: Path, port: int) -> None:
    names = ("AwsAccessKeyId", "StorageBucketName", "TableName", "UploadedQueueUrl", "UploadedDeadLetterQueueUrl")
    outputs = dict.fromkeys(names, "x") | {"AwsEndpointUrl": f"http://127.0.0.1:{port}"}
    (state / "outputs.json").write_text(json.dumps(outputs))


@pytest.mark.parametrize("module", HERE)
def test_a_stack_here_that_was_killed(tmp_path: Path, module: str) -> None:
    """Its port may be another program's by now, and that one is not sent the key of the emulator's root."""
    (tmp_path / "lock").touch()
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.setblocking(False)
        leave_outputs(tmp_path, other.getsockname()[1])
        assert complaint([module, "--state-dir", str(tmp_path)]) == "No stack runs here. Try: make run"
        with pytest.raises(BlockingIOError):
            other.accept()


@pytest.mark.parametrize("module", HERE)
def test_a_stack_here_whose_emulator_has_just_ended(tmp_path: Path, module: str) -> None:
    leave_outputs(tmp_path, free_port())
    lock = running.claim(tmp_path)
    assert lock
    assert complaint([module, "--state-dir", str(tmp_path)]) == "No stack runs here. Try: make run"
    lock.close()


@pytest.mark.parametrize("module", HERE)
def test_no_stack_here(tmp_path: Path, module: str) -> None:
    assert complaint([module, "--state-dir", str(tmp_path)]) == "No stack runs here. Try: make run"


class TestAFirstDeploymentThatFailed:
    """CloudFormation leaves the stack there, deploys nothing over it, and gives it no outputs to know it by."""

    OURS = ("EnvironmentParameter", "StorageBucketName", "SignedUrlExpiration", "StoreOnLoad", "UnstoredFileLifetime")
    CLEAR = "CloudFormation deploys nothing over that. Clear it away, then deploy again: make remove STACK=stillborn"

    @pytest.fixture
    def fail(self, emulator_url: str) -> Iterator[Callable[..., Callable[[str], Any]]]:
        """Deploy a table, and something that cannot be made; the table stays if there is no rollback."""
        clients = partial(emulator.client, emulator_url, key=os.environ["AWS_ACCESS_KEY_ID"])

        def failed(parameters: tuple[str, ...], *, rollback: bool) -> Callable[[str], Any]:
            table = {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            }
            record = {
                "HostedZoneId": "ZNONE",
                "Name": "files.example.com",
                "Type": "A",
                "ResourceRecords": ["192.0.2.1"],
            }
            template = {
                "Parameters": {name: {"Type": "String", "Default": "x"} for name in parameters},
                "Resources": {
                    "FilesTable": {
                        "Type": "AWS::DynamoDB::Table",
                        "DeletionPolicy": "RetainExceptOnCreate",
                        "Properties": table,
                    },
                    "Record": {"Type": "AWS::Route53::RecordSet", "DependsOn": "FilesTable", "Properties": record},
                },
            }
            cloudformation = clients("cloudformation")
            cloudformation.create_stack(
                StackName="stillborn", TemplateBody=json.dumps(template), DisableRollback=not rollback
            )
            eventually(lambda: self.status(clients).endswith(("ROLLBACK_COMPLETE", "FAILED")))
            return clients

        yield failed
        clients("cloudformation").delete_stack(StackName="stillborn")
        clients("cloudformation").get_waiter("stack_delete_complete").wait(
            StackName="stillborn", WaiterConfig={"Delay": 1}
        )
        for name in clients("dynamodb").list_tables()["TableNames"]:
            if name.startswith("stillborn-"):
                clients("dynamodb").delete_table(TableName=name)

    @staticmethod
    def status(clients: Callable[[str], Any]) -> str:
        (found,) = clients("cloudformation").describe_stacks(StackName="stillborn")["Stacks"]
        return str(found["StackStatus"])

    @staticmethod
    def tables(clients: Callable[[str], Any]) -> list[str]:
        return [name for name in clients("dynamodb").list_tables()["TableNames"] if name.startswith("stillborn-")]

    @pytest.mark.parametrize("arguments", ON_AWS, ids=lambda arguments: arguments[0])
    def test_is_told_from_others_and_how_to_go_on(
        self, fail: Callable[..., Any], shell: dict[str, str], arguments: list[str]
    ) -> None:
        fail(self.OURS, rollback=True)
        stillborn = [argument.replace("theirs", "stillborn") for argument in arguments]
        first = "The first deployment of stillborn failed (ROLLBACK_COMPLETE), and "
        assert complaint(stillborn, **shell) == first + self.CLEAR

    def test_stops_the_next_before_it_begins(self, fail: Callable[..., Any], shell: dict[str, str]) -> None:
        fail(self.OURS, rollback=True)
        assert complaint(["ops", "--stack", "stillborn", "check"], **shell).endswith(self.CLEAR)

    def test_is_cleared_away(self, fail: Callable[..., Any]) -> None:
        clients = fail(self.OURS, rollback=True)
        assert removal.remove(clients, "stillborn", None) == []
        with pytest.raises(OperatorError, match="There is no stack stillborn"):
            removal.remove(clients, "stillborn", None)

    def test_leaves_what_could_not_be_taken_back(self, fail: Callable[..., Any]) -> None:
        clients = fail(self.OURS, rollback=False)
        assert self.status(clients) == "CREATE_FAILED"
        (table,) = self.tables(clients)
        assert removal.remove(clients, "stillborn", None) == [f"table {table}"]
        assert self.tables(clients) == [table]

    @pytest.mark.parametrize("data", [None, removal.Data.DELETE])
    def test_never_deletes_a_record(self, fail: Callable[..., Any], data: removal.Data | None) -> None:
        clients = fail(self.OURS, rollback=False)
        (table,) = self.tables(clients)
        clients("dynamodb").put_item(TableName=table, Item={"id": {"S": "1"}})
        with pytest.raises(OperatorError, match=r"never deployed to its end, but has files\. Say DATA=keep"):
            removal.remove(clients, "stillborn", data)
        assert self.status(clients) == "CREATE_FAILED"
        assert removal.remove(clients, "stillborn", removal.Data.KEEP) == [f"table {table}"]
        assert clients("dynamodb").scan(TableName=table)["Count"] == 1

    def test_of_somebody_elses_is_left_alone(self, fail: Callable[..., Any]) -> None:
        """The app of 2019 has four of the parameters."""
        clients = fail(self.OURS[:4], rollback=True)
        with pytest.raises(OperatorError, match="is none of Filestore's"):
            removal.remove(clients, "stillborn", removal.Data.DELETE)
        assert self.status(clients) == "ROLLBACK_COMPLETE"
