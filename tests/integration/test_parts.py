"""Large files in parts, over HTTP on the deployed stack, as a browser sends them."""

import requests

from tests.parts import MIB, crc64nvme
from tests.sending import CONTENTS, begin, call, send
from tests.stack import Stack, eventually


def test_a_file_in_parts_arrives_as_it_was_sent(stack: Stack) -> None:
    """Broken off after the first part, it goes on with the others; S3's own event finds it recorded."""
    upload = begin(stack)
    send(stack, upload, CONTENTS, 1)
    there = call(stack, "GET", upload, "parts")
    assert there.json() == {
        "size": len(CONTENTS),
        "part_size": 16 * MIB,
        "part_count": 3,
        "parts": [{"part_number": 1, "size": 16 * MIB, "checksum": crc64nvme(CONTENTS[: 16 * MIB])}],
    }
    assert there.headers["Access-Control-Allow-Origin"] == "*"
    missing = call(stack, "POST", upload, "complete")
    assert (missing.status_code, missing.json()["code"], missing.json()["missing"]) == (409, "parts_missing", [2, 3])
    send(stack, upload, CONTENTS, 2, 3)
    done = call(stack, "POST", upload, "complete", checksum=crc64nvme(CONTENTS))
    assert (done.status_code, done.json()) == (200, {"id": upload["id"]})
    assert call(stack, "POST", upload, "complete").json() == {"id": upload["id"]}
    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]
    assert stack.download(upload["id"]) == CONTENTS
    details = stack.details(upload["id"]) or {}
    assert details["checksum"] == {"algorithm": "CRC64NVME", "value": crc64nvme(CONTENTS), "verified": "declared"}
    assert len(stack.versions(upload["id"])) == 1


def test_undo_leaves_nothing_of_it(stack: Stack) -> None:
    upload = begin(stack)
    send(stack, upload, CONTENTS, 2)
    assert stack.undo(upload["id"], upload["token"]).status_code == 204
    uploads = stack.client("s3").list_multipart_uploads(Bucket=stack.outputs["StorageBucketName"], Prefix=upload["id"])
    assert "Uploads" not in uploads
    ended = call(stack, "POST", upload, "complete")
    assert (ended.status_code, ended.json()["code"]) == (409, "upload_ended")


def test_a_part_of_another_size_or_checksum_is_refused_by_s3(stack: Stack) -> None:
    """Both are signed, and nothing can be sent to the URL but what was planned."""
    upload = begin(stack, b"contents")
    wanted = [{"part_number": 1, "checksum": crc64nvme(b"contents")}]
    (part,) = call(stack, "POST", upload, "parts", parts=wanted).json()["parts"]
    for contents, headers, status in [
        (b"content", part["headers"], 403),
        (b"contents", {}, 403),
        (b"CONTENTS", part["headers"], 400),
        (b"contents", {"x-amz-checksum-crc64nvme": crc64nvme(b"CONTENTS")}, 403),
        (b"contents", part["headers"], 200),
    ]:
        assert requests.put(part["url"], data=contents, headers=headers, timeout=60).status_code == status
    chunked = requests.put(part["url"], data=iter([b"contents"]), headers=part["headers"], timeout=60)
    assert chunked.status_code == 501
    # Where files are stored by hand, S3's event is all that a lost answer needs.
    bucket, record = stack.outputs["StorageBucketName"], stack.record(upload["id"]) or {}
    stack.client("s3").complete_multipart_upload(
        Bucket=bucket,
        Key=upload["id"],
        UploadId=record["upload_id"]["S"],
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": '"98bf7d8c15784f0a3d63204441e1e2aa"'}]},
    )
    eventually(lambda: "uploaded_at" in (stack.record(upload["id"]) or {}))
    assert call(stack, "POST", upload, "complete").json() == {"id": upload["id"]}
