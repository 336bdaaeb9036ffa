"""GET /file/{id}/parts."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from local import emulator
from tests.parts import MIB, begin, complete, crc64nvme, parts, put, send, sign
from tests.support import UNKNOWN_ID, call, counted_calls

pytestmark = pytest.mark.usefixtures("emulator_aws")


def client() -> Any:
    """S3, as whoever runs the tests has it."""
    return emulator.client(os.environ["AWS_ENDPOINT_URL"], "s3", os.environ["AWS_ACCESS_KEY_ID"])


def of_s3(upload: dict[str, Any]) -> dict[str, str]:
    """What S3 knows the upload by."""
    bucket = wiring.settings().bucket_name
    (found,) = client().list_multipart_uploads(Bucket=bucket, Prefix=upload["id"])["Uploads"]
    return {"Bucket": bucket, "Key": upload["id"], "UploadId": found["UploadId"]}


def test_shows_what_s3_has() -> None:
    """Whoever goes on after a break compares the checksums and sends the rest."""
    contents = b"x" * 16 * MIB + b"y"
    upload = begin(len(contents))
    send(upload, contents, [2])
    reply = parts(upload)
    assert (reply.status, reply.body) == (
        200,
        {
            "size": len(contents),
            "part_size": 16 * MIB,
            "part_count": 2,
            "parts": [{"part_number": 2, "size": 1, "checksum": crc64nvme(b"y")}],
        },
    )


def test_shows_the_part_that_was_sent_last() -> None:
    upload = begin(1)
    for contents in (b"x", b"y"):
        send(upload, contents)
    assert parts(upload).body["parts"] == [{"part_number": 1, "size": 1, "checksum": crc64nvme(b"y")}]


def test_shows_all_parts_of_many(configure: Callable[..., None]) -> None:
    """S3 answers 1000 a page."""
    configure(MAX_FILE_SIZE=str(1_202 * 16 * MIB))
    upload = begin(1_202 * 16 * MIB)
    s3, where = client(), of_s3(upload)
    for number in range(1, 1_203):
        s3.upload_part(**where, PartNumber=number, Body=b"")
    with counted_calls() as calls:
        there = parts(upload).body["parts"]
    assert [part["part_number"] for part in there] == list(range(1, 1_203))
    assert calls == {"BatchGetItem": 1, "ListParts": 2}
    # None has the planned size, so none counts.
    missing = complete(upload)
    assert (missing.status, missing.body["code"]) == (409, "parts_missing")
    assert (missing.body["missing"], missing.body["missing_count"]) == (list(range(1, 101)), 1_202)


class TestIsRefused:
    def refusal(self, upload: dict[str, Any], token: str | None = None) -> tuple[int, str]:
        reply = parts(upload, token)
        return reply.status, reply.body["code"]

    def test_without_the_token_of_this_upload(self) -> None:
        upload, another = begin(1), begin(1)
        assert self.refusal(upload, another["token"]) == (403, "invalid_token")
        assert self.refusal(upload, "") == (403, "invalid_token")

    def test_where_there_is_no_such_upload(self) -> None:
        assert self.refusal({"id": UNKNOWN_ID, "token": "x"}) == (404, "unknown")

    def test_where_the_upload_is_one_put(self, requested: dict[str, Any]) -> None:
        assert self.refusal(requested) == (409, "not_in_parts")

    def test_where_the_upload_is_complete(self) -> None:
        upload = begin(8)
        send(upload, b"contents")
        complete(upload)
        assert self.refusal(upload) == (409, "already_uploaded")

    def test_where_s3_has_put_the_parts_together_and_nobody_knows(self) -> None:
        """The function died after its call. To complete it again finds the result."""
        upload = begin(8)
        (part,) = sign(upload, [{"part_number": 1}]).body["parts"]
        etag = put(part, b"contents")
        client().complete_multipart_upload(
            **of_s3(upload), MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]}
        )
        assert self.refusal(upload) == (409, "already_uploaded")
        assert complete(upload).status == 200
        assert call("store", [upload["id"]]).body == [upload["id"]]

    def test_where_the_upload_was_taken_back_or_dropped_by_s3(self) -> None:
        undone, dropped = begin(8), begin(8)
        call("undo", file_id=undone["id"], headers={"x-upload-token": undone["token"]})
        client().abort_multipart_upload(**of_s3(dropped))
        assert self.refusal(undone) == (409, "upload_ended")
        assert self.refusal(dropped) == (409, "upload_ended")
        assert complete(dropped).body["code"] == "upload_ended"
