"""AWS in memory answers as the emulator does: every call of whole schedules is made to both."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import emulator
from tests.proof.crashes import SCENARIOS, crash
from tests.proof.exploring import COUNT, SEED, explore
from tests.proof.memory import Memory
from tests.proof.proving import Proving
from tests.proof.settings import SETTINGS
from tests.proof.sites import aws_calls
from tests.support import TEMPLATE


class Emulated:
    """The emulator, with the table and the bucket of the proof."""

    def __init__(self, url: str) -> None:
        key = os.environ["AWS_ACCESS_KEY_ID"]
        self.dynamodb, self.s3 = emulator.client(url, "dynamodb", key), emulator.client(url, "s3", key)
        self.compared: Counter[str] = Counter()
        table = TEMPLATE["Resources"]["FilesTable"]["Properties"]
        names = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        self.dynamodb.create_table(TableName=SETTINGS["TABLE_NAME"], **{name: table[name] for name in names})
        self.s3.create_bucket(Bucket=SETTINGS["BUCKET_NAME"])
        self.s3.put_bucket_versioning(Bucket=SETTINGS["BUCKET_NAME"], VersioningConfiguration={"Status": "Enabled"})

    def clear(self) -> None:
        """The ids are the same in every world."""
        bucket = {"Bucket": SETTINGS["BUCKET_NAME"]}
        for page in self.s3.get_paginator("list_object_versions").paginate(**bucket):
            listed = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in page.get("Versions", [])]
            if listed:
                self.s3.delete_objects(**bucket, Delete={"Objects": listed, "Quiet": True})
        table = {"TableName": SETTINGS["TABLE_NAME"]}
        for item in self.dynamodb.scan(**table)["Items"]:
            self.dynamodb.delete_item(**table, Key={"id": item["id"]})

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        client = self.s3 if operation in ("ListObjectVersions", "DeleteObjects", "HeadObject") else self.dynamodb
        self.compared[operation] += 1
        try:
            answer: dict[str, Any] = client._make_api_call(operation, parameters)  # noqa: SLF001 - by name, as botocore does
        except ClientError as error:
            return dict(error.response)
        return answer


class Both(Memory):
    """Makes every call to the memory and to the emulator, and compares what they say."""

    def __init__(self, emulated: Emulated) -> None:
        super().__init__(page=1000, may_be_unversioned=False)
        self.emulated = emulated
        emulated.clear()

    def new_version_id(self, key: str, body: bytes, content_type: str) -> str:
        put = self.emulated.s3.put_object(Bucket=SETTINGS["BUCKET_NAME"], Key=key, Body=body, ContentType=content_type)
        return str(put["VersionId"])

    def purge(self, file_id: str) -> None:
        super().purge(file_id)
        self.emulated.dynamodb.delete_item(TableName=SETTINGS["TABLE_NAME"], Key={"id": {"S": file_id}})

    def call(self, operation: str, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        self.refresh_indexes()
        parameters = {"Bucket": SETTINGS["BUCKET_NAME"], **parameters} if operation == "DeleteObjects" else parameters
        status, answer = super().call(operation, parameters)
        theirs = self.emulated.call(operation, parameters)
        assert _essence(operation, answer) == _essence(operation, theirs), (operation, parameters)
        return status, answer


def _essence(operation: str, answer: Mapping[str, Any]) -> Any:
    """What the functions look at."""
    return answer["Error"]["Code"] if "Error" in answer else _ESSENCE[operation](answer)


_ESSENCE: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "PutItem": lambda _: None,
    "BatchExecuteStatement": lambda answer: [
        (response.get("Error", {}).get("Code"), response.get("Item"), response.get("Error", {}).get("Item"))
        for response in answer["Responses"]
    ],
    "BatchGetItem": lambda answer: sorted(answer["Responses"]["files"], key=lambda item: str(item["id"]["S"])),
    "HeadObject": lambda answer: (answer["ContentType"], answer["ContentLength"]),
    "Query": lambda answer: (answer["Items"], answer.get("LastEvaluatedKey")),
    "ListObjectVersions": lambda answer: [
        answer["IsTruncated"],
        *((each["Key"], each["VersionId"], each["Size"]) for each in answer.get("Versions", [])),
    ],
    "DeleteObjects": lambda answer: (
        sorted((each["Key"], each["VersionId"]) for each in answer.get("Deleted", [])),
        answer.get("Errors", []),
    ),
}


@pytest.fixture(scope="module")
def emulated(emulator_url: str) -> Emulated:
    return Emulated(emulator_url)


@pytest.fixture
def both(proof: Proving, emulated: Emulated) -> Iterator[Proving]:
    proof.new_memory = lambda: Both(emulated)
    yield proof
    proof.new_memory = Memory


def test_in_random_schedules(both: Proving, emulated: Emulated, report: Callable[[str, object], None]) -> None:
    explored = explore(both, COUNT // 40, number=SEED)
    report("The same schedules on the emulator: every answer as in memory", explored)
    assert not explored.counterexample, explored.counterexample
    assert set(emulated.compared) == {call for _, call in aws_calls()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_in_the_crash_table(both: Proving, scenario: str) -> None:
    """After the calls only, and the sweep next; ``make proof`` with many schedules runs the whole table."""
    for row in crash(both, scenario, thorough=COUNT > 1000):
        assert not row.violation, row
