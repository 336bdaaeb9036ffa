"""AWS in memory answers as the emulator does: every call of whole schedules is made to both."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from local import emulator
from tests.proof.crashes import SCENARIOS, crash
from tests.proof.exploring import COUNT, SEED, explore
from tests.proof.memory import Memory
from tests.proof.operations import in_parts
from tests.proof.proving import Proving
from tests.proof.settings import SETTINGS, SIZE_IN_PARTS
from tests.proof.sites import aws_calls
from tests.support import TEMPLATE
from tools.prune import CALLS


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
        for each in self.s3.list_multipart_uploads(**bucket).get("Uploads", []):
            self.s3.abort_multipart_upload(**bucket, Key=each["Key"], UploadId=each["UploadId"])
        table = {"TableName": SETTINGS["TABLE_NAME"]}
        for item in self.dynamodb.scan(**table)["Items"]:
            self.dynamodb.delete_item(**table, Key={"id": item["id"]})

    def call(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        client = self.s3 if operation in CALLS["s3"] else self.dynamodb
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
        self._version_id: str | None = None
        emulated.clear()

    def new_version_id(self, key: str, body: bytes, content_type: str) -> str:
        if self._version_id is not None:
            return self._version_id
        put = self.emulated.s3.put_object(Bucket=SETTINGS["BUCKET_NAME"], Key=key, Body=body, ContentType=content_type)
        return str(put["VersionId"])

    def new_upload_id(self, parameters: Mapping[str, Any]) -> str:
        return str(self.emulated.call("CreateMultipartUpload", parameters)["UploadId"])

    def send(self, upload_id: str, number: int, contents: bytes) -> bool:
        taken = super().send(upload_id, number, contents)
        upload = self.multiparts.uploads.get(upload_id)
        if upload is not None:
            self.emulated.s3.upload_part(
                Bucket=SETTINGS["BUCKET_NAME"], Key=upload.key, UploadId=upload_id, PartNumber=number, Body=contents
            )
        return taken

    def _complete_multipart_upload(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """S3 makes the version, so its answer comes first."""
        parts = {"Parts": [{"PartNumber": each["PartNumber"]} for each in parameters["MultipartUpload"]["Parts"]]}
        theirs = self.emulated.call("CompleteMultipartUpload", {**parameters, "MultipartUpload": parts})
        self._version_id = theirs.get("VersionId")
        status, answer = super()._complete_multipart_upload(parameters)
        self._version_id = None
        assert _essence("CompleteMultipartUpload", answer) == _essence("CompleteMultipartUpload", theirs), parameters
        return status, answer

    def purge(self, file_id: str) -> None:
        super().purge(file_id)
        self.emulated.dynamodb.delete_item(TableName=SETTINGS["TABLE_NAME"], Key={"id": {"S": file_id}})

    def call(self, operation: str, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        self.refresh_indexes()
        parameters = {"Bucket": SETTINGS["BUCKET_NAME"], **parameters} if operation == "DeleteObjects" else parameters
        status, answer = super().call(operation, parameters)
        if operation == "AbortMultipartUpload" and self.multiparts.keeps_a_part:
            # What the emulator never does.
            return status, answer
        if operation in ("CreateMultipartUpload", "CompleteMultipartUpload"):
            return status, answer
        theirs = self.emulated.call(operation, parameters)
        assert _essence(operation, answer) == _essence(operation, theirs), (operation, parameters)
        return status, answer


def _essence(operation: str, answer: Mapping[str, Any]) -> Any:
    """What the functions look at."""
    return answer["Error"]["Code"] if "Error" in answer else _ESSENCE[operation](answer)


_ESSENCE: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "PutItem": lambda _: None,
    "CompleteMultipartUpload": lambda answer: (answer["VersionId"], answer["ChecksumCRC64NVME"]),
    "AbortMultipartUpload": lambda _: None,
    "ListParts": lambda answer: [
        answer["IsTruncated"],
        *((each["PartNumber"], each["Size"], each["ChecksumCRC64NVME"]) for each in answer.get("Parts", [])),
    ],
    "ListMultipartUploads": lambda answer: [
        answer["IsTruncated"],
        *((each["Key"], each["UploadId"]) for each in answer.get("Uploads", [])),
    ],
    "BatchExecuteStatement": lambda answer: [
        (response.get("Error", {}).get("Code"), response.get("Item"), response.get("Error", {}).get("Item"))
        for response in answer["Responses"]
    ],
    "BatchGetItem": lambda answer: sorted(answer["Responses"]["files"], key=lambda item: str(item["id"]["S"])),
    "HeadObject": lambda answer: (answer["ContentType"], answer["ContentLength"], answer.get("ChecksumCRC64NVME")),
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
    # The emulator takes no small part but the last, so there is one.
    with mock.patch("filestore.domain.plan._USUAL_PART_SIZE", SIZE_IN_PARTS), mock.patch.object(in_parts, "PARTS", 1):
        yield proof
    proof.new_memory = Memory


def test_in_random_schedules(both: Proving, emulated: Emulated, report: Callable[[str, object], None]) -> None:
    explored = explore(both, COUNT // 25, number=SEED)
    report("The same schedules on the emulator: every answer as in memory", explored)
    assert not explored.counterexample, explored.counterexample
    assert set(emulated.compared) == {call for _, call in aws_calls()}


# Of many files: their pages and batches are compared in test_indexes.py, and one of them here.
OF_MANY = {
    "many files are listed with the deleted ones, the oldest first",
    "more is deleted than one batch takes",
    "more is due than one page takes",
}


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS if COUNT > 1000 or each not in OF_MANY], ids=str)
def test_in_the_crash_table(both: Proving, scenario: str) -> None:
    """After the calls only, and the sweep next; ``make proof`` with many schedules runs the whole table."""
    for row in crash(both, scenario, thorough=COUNT > 1000):
        assert not row.violation, row
