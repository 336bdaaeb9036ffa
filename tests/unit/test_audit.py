"""make audit: uploads in parts that nobody has finished, and the bytes that S3 bills of them."""

import re
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from filestore import wiring
from ops import audit, target
from tests.parts import MIB, begin, complete, send

CONTENTS = b"x" * 16 * MIB + b"y"


def s3_or_dynamodb(url: str) -> Callable[[str], Any]:
    """Clients of the emulator at this address, in the region of the tests."""
    session: Any = boto3.Session()
    return lambda service: session.client(service, endpoint_url=url)


@pytest.fixture
def stack(emulator_aws: None, emulator_url: str) -> target.Target:
    del emulator_aws
    settings = wiring.settings()
    outputs = {"StorageBucketName": settings.bucket_name, "TableName": settings.table_name}
    return target.Target(outputs, s3_or_dynamodb(emulator_url))


def test_lists_them_with_their_bytes(
    stack: target.Target, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those without a record too. They are no fault: the sweep ends them."""
    with_a_part, without, finished = (begin(len(CONTENTS)) for _ in range(3))
    send(with_a_part, CONTENTS, [1])
    send(finished, CONTENTS)
    complete(finished)
    stack.client("s3").create_multipart_upload(Bucket=stack.outputs["StorageBucketName"], Key="f" * 32)
    monkeypatch.setattr(target, "find", lambda _: stack)
    monkeypatch.setattr("sys.argv", ["audit"])
    assert audit.main() == 0
    shown = capsys.readouterr().out.splitlines()
    assert {re.sub(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "since then", line) for line in shown[:3]} == {
        f"in parts   {with_a_part['id']} 16777216 bytes since then",
        f"in parts   {without['id']} 0 bytes since then",
        f"in parts   {'f' * 32} 0 bytes since then",
    }
    assert shown[3:] == [
        "3 uploads in parts are not finished, of which S3 has 16777216 bytes",
        "1 object versions, 1 files with an object",
        "Nothing differs.",
    ]


def test_takes_one_that_ends_meanwhile_for_ended(stack: target.Target) -> None:
    upload = begin(len(CONTENTS))
    send(upload, CONTENTS, [2])
    s3 = stack.client("s3")
    found = audit.Audit(target.Target(stack.outputs, lambda _: _Ending(s3, stack.outputs["StorageBucketName"])))
    assert [(each.key, each.size) for each in found.uploads()] == [(upload["id"], 0)]


class _Ending:
    """S3, where every upload ends between the list of uploads and that of its parts."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._s3, name)

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_parts":
            for each in self._s3.list_multipart_uploads(Bucket=self._bucket).get("Uploads", []):
                self._s3.abort_multipart_upload(Bucket=self._bucket, Key=each["Key"], UploadId=each["UploadId"])
        return self._s3.get_paginator(operation)
