"""The rights that are written down are those that the code really asks for."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.model import OperationModel

from filestore import wiring
from filestore.storage import aws
from tests import parts, rights, support
from tests.support import sample_event

_ACTIONS = {
    "PutItem": "dynamodb:PutItem",
    "BatchGetItem": "dynamodb:BatchGetItem",
    "Query": "dynamodb:Query",
    "HeadObject": "s3:GetObjectVersion",
    "ListObjectVersions": "s3:ListBucketVersions",
    "CreateMultipartUpload": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "ListParts": "s3:ListMultipartUploadParts",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
}


@pytest.fixture
def asked_for() -> Iterator[set[str]]:
    """The actions that AWS would have checked of the calls that were made."""
    actions: set[str] = set()

    def note(params: Mapping[str, Any], model: OperationModel, **_: object) -> None:
        if model.name == "BatchExecuteStatement":
            verbs = {statement["Statement"].split(" ", 1)[0] for statement in params["Statements"]}
            actions.update(f"dynamodb:PartiQL{verb.capitalize()}" for verb in verbs)
        elif model.name == "DeleteObjects":
            actions.add("s3:DeleteObject")
            assert all("VersionId" in each for each in params["Delete"]["Objects"])
            actions.add("s3:DeleteObjectVersion")
        else:
            assert model.name != "HeadObject" or params["VersionId"]
            actions.add(_ACTIONS[model.name])

    clients = (aws.dynamodb(), aws.s3(), aws.s3_once())
    for client in clients:
        client.meta.events.register("provide-client-params", note)
    yield actions
    for client in clients:
        client.meta.events.unregister("provide-client-params", note)


@pytest.fixture
def undeclared() -> dict[str, Any]:
    """An upload that arrived, of which nobody has said the type."""
    upload: dict[str, Any] = support.call("upload", {"name": "a"}).body
    support.put(upload["url"], b"x")
    return upload


@pytest.fixture
def in_parts() -> dict[str, Any]:
    """An upload in parts that has begun."""
    return parts.begin(8)


def forget(upload: Mapping[str, Any]) -> None:
    """By a client that nobody listens to."""
    client = boto3.client("s3", endpoint_url=aws.s3().meta.endpoint_url)
    parts.forget(client, wiring.settings().bucket_name, upload["id"])


@pytest.mark.usefixtures("emulator_aws")
class TestTheCodeAsksForAllItMayAndNothingElse:
    def test_upload(self, asked_for: set[str]) -> None:
        support.call("upload", {"name": "a"})
        assert asked_for | {"s3:PutObject"} == set(rights.ALLOWED["Upload"])

    def test_upload_in_parts(self, asked_for: set[str]) -> None:
        parts.begin(8)
        assert asked_for == set(rights.ALLOWED["Upload"])

    def test_sign(self, in_parts: dict[str, Any], asked_for: set[str]) -> None:
        parts.sign(in_parts, [{"part_number": 1}])
        parts.sign({**in_parts, "id": support.UNKNOWN_ID}, [{"part_number": 1}])
        # By whoever uses the URL.
        assert asked_for | {"s3:PutObject"} == set(rights.ALLOWED["Sign"])

    def test_parts(self, in_parts: dict[str, Any], asked_for: set[str]) -> None:
        parts.parts(in_parts)
        forget(in_parts)
        parts.parts(in_parts)
        assert asked_for == set(rights.ALLOWED["Parts"])

    def test_complete(self, in_parts: dict[str, Any], asked_for: set[str]) -> None:
        parts.send(in_parts, b"contents")
        another, unheard = parts.begin(8), parts.begin(8)
        parts.send(unheard, b"contents")
        parts.put_together(boto3.client("s3"), wiring.settings().bucket_name, unheard["id"])
        asked_for.clear()
        assert parts.complete(in_parts, parts.crc64nvme(b"others")).status == 409
        forget(another)
        parts.complete(another)
        assert parts.complete(unheard).status == 200
        assert asked_for == set(rights.ALLOWED["Complete"])

    def test_undo(self, uploaded: dict[str, Any], in_parts: dict[str, Any], asked_for: set[str]) -> None:
        for upload in (uploaded, in_parts, {"id": support.UNKNOWN_ID, "token": "x"}):
            support.call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]})
        assert asked_for == set(rights.ALLOWED["Undo"])

    def test_store(self, undeclared: dict[str, Any], asked_for: set[str]) -> None:
        support.call("store", [undeclared["id"], support.UNKNOWN_ID])
        assert asked_for == set(rights.ALLOWED["Store"])

    def test_info(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("info", [stored["id"]])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Info"])

    def test_list(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        assert [file["id"] for file in support.call("list").body["files"]] == [stored["id"]]
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["List"])

    def test_show(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("show", file_id=stored["id"])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Show"])

    def test_content(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("content", file_id=stored["id"])
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Content"])

    def test_update(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        for file_id in (stored["id"], support.UNKNOWN_ID):
            support.call("update", {"name": "a"}, file_id=file_id)
        assert asked_for | {"s3:GetObjectVersion"} == set(rights.ALLOWED["Update"])

    def test_delete(self, stored: dict[str, Any], asked_for: set[str]) -> None:
        support.call("delete", [stored["id"], support.UNKNOWN_ID])
        assert asked_for == set(rights.ALLOWED["Delete"])

    def test_uploaded(self, undeclared: dict[str, Any], asked_for: set[str]) -> None:
        again = support.put(undeclared["url"], b"contents")
        support.invoke("uploaded", support.upload_event(again, again | {"key": support.UNKNOWN_ID}))
        by_lambda_itself = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
        assert asked_for | by_lambda_itself == set(rights.ALLOWED["Uploaded"])

    def test_sweep(
        self, uploaded: dict[str, Any], undeclared: dict[str, Any], asked_for: set[str], clock: support.Clock
    ) -> None:
        del undeclared
        never_uploaded = support.call("upload", {"name": "a"}).body
        parts.begin(8)
        assert never_uploaded["id"] != uploaded["id"]
        asked_for.clear()
        clock.advance(wiring.settings().unstored_file_lifetime + wiring.settings().signed_url_expiration + 3600)
        support.invoke("sweep", sample_event("sweep"))
        assert asked_for == set(rights.ALLOWED["Sweep"])
