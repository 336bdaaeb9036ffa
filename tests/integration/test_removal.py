"""make remove that does not come to its end."""

import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from local import emulator
from ops import buckets, keys, removal
from ops.errors import OperatorError


class TestRemovalThatEndsHalfway:
    """On what a removal knows of a stack: a bucket and a table that outlive it. Its keys have tests of their own."""

    @pytest.fixture
    def clients(self, emulator_url: str) -> Iterator[Callable[[str], Any]]:
        clients = partial(emulator.client, emulator_url, key=os.environ["AWS_ACCESS_KEY_ID"])
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
        def arrive(*_: object) -> list[keys.Key]:
            clients("s3").put_object(Bucket="half-bucket", Key="late", Body=b"late")
            return []

        monkeypatch.setattr(keys, "listed", arrive)
        assert removal.remove(clients, "half", None) == ["bucket half-bucket", "table half-table"]
        assert clients("s3").get_object(Bucket="half-bucket", Key="late")["Body"].read() == b"late"

    def test_leaves_the_keys_of_a_stack_that_is_not_deleted(
        self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is protected, perhaps, or the operator may not: then its back ends go on."""

        def refuse(*_: object) -> None:
            raise OperatorError("Stack [half] cannot be deleted while TerminationProtection is enabled.")

        deleted: list[object] = []
        monkeypatch.setattr(keys, "listed", lambda *_: [])
        monkeypatch.setattr(keys, "delete_ours", lambda _, found: deleted.append(found))
        monkeypatch.setattr(removal, "_delete_stack", refuse)
        with pytest.raises(OperatorError, match="TerminationProtection"):
            removal.remove(clients, "half", None)
        assert deleted == []
        clients("cloudformation").delete_stack(StackName="half")

    def test_says_what_is_left(self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise OperatorError("It could not be emptied.")

        monkeypatch.setattr(keys, "listed", lambda *_: [])
        monkeypatch.setattr(buckets, "delete", fail)
        left = "The stack half is deleted, but left in the account: bucket half-bucket, table half-table. It could not"
        with pytest.raises(OperatorError, match=f"{left} .* S3; aws dynamodb delete-table --table-name half-table"):
            removal.remove(clients, "half", removal.Data.DELETE)

    def test_says_that_the_bucket_is_gone_already(
        self, clients: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keys, "listed", lambda *_: [])
        clients("dynamodb").update_table(TableName="half-table", DeletionProtectionEnabled=True)
        with pytest.raises(OperatorError, match="is deleted, but left in the account: table half-table"):
            removal.remove(clients, "half", None)
