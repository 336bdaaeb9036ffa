"""What a client of uploads in parts does: begin, sign, send, complete."""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from awscrt import checksums

from tests.support import Reply, call

MIB = 2**20


def crc64nvme(contents: bytes) -> str:
    """The checksum in base64, as S3 has it."""
    return base64.b64encode(checksums.crc64nvme(contents).to_bytes(8)).decode()


def cut(contents: bytes, part_size: int) -> list[bytes]:
    """The parts, of which an empty file has one."""
    return [contents[start : start + part_size] for start in range(0, len(contents), part_size)] or [b""]


def begin(size: int, **declared: object) -> dict[str, Any]:
    """An upload in parts, as POST /file tells of it."""
    reply = call("upload", {"name": "film.mp4", "size": size, "multipart": True, **declared})
    assert reply.status == 200, reply.body
    body: dict[str, Any] = reply.body
    return body


def sign(upload: Mapping[str, Any], parts: Sequence[Mapping[str, Any]] | object, token: str | None = None) -> Reply:
    """POST /file/{id}/parts."""
    headers = {"x-upload-token": upload["token"] if token is None else token}
    return call("sign", {"parts": parts}, file_id=upload["id"], headers=headers)


def parts(upload: Mapping[str, Any], token: str | None = None) -> Reply:
    """GET /file/{id}/parts."""
    headers = {"x-upload-token": upload["token"] if token is None else token}
    return call("parts", file_id=upload["id"], headers=headers)


def complete(upload: Mapping[str, Any], checksum: str | None = None, token: str | None = None) -> Reply:
    """POST /file/{id}/complete."""
    body = {} if checksum is None else {"checksum": checksum}
    headers = {"x-upload-token": upload["token"] if token is None else token}
    return call("complete", body, file_id=upload["id"], headers=headers)


def send(upload: Mapping[str, Any], contents: bytes, numbers: Iterable[int] | None = None) -> None:
    """Send the parts of these numbers, or all, each with its checksum."""
    pieces = dict(enumerate(cut(contents, upload["part_size"]), 1))
    wanted = list(pieces if numbers is None else numbers)
    for start in range(0, len(wanted), 100):
        asked = [{"part_number": each, "checksum": crc64nvme(pieces[each])} for each in wanted[start : start + 100]]
        signed = sign(upload, asked)
        assert signed.status == 200, signed.body
        for part in signed.body["parts"]:
            put(part, pieces[part["part_number"]])


def put(part: Mapping[str, Any], contents: bytes) -> str:
    """PUT a part as it was signed. Returns its ETag."""
    headers = {"Content-Type": "", **part["headers"]}
    request = urllib.request.Request(part["url"], data=contents, headers=headers, method="PUT")
    try:
        with urllib.request.urlopen(request) as response:
            return str(response.headers["ETag"])
    except urllib.error.HTTPError as refused:
        refused.close()
        raise


def forget(s3: Any, bucket: str, file_id: str) -> None:
    """Have S3 know no such upload any more."""
    for each in s3.list_multipart_uploads(Bucket=bucket, Prefix=file_id)["Uploads"]:
        s3.abort_multipart_upload(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"])


def put_together(s3: Any, bucket: str, file_id: str, times: int = 1) -> list[dict[str, Any]]:
    """Have S3 make an object of the parts, of which nobody hears. Returns its answers."""
    (found,) = s3.list_multipart_uploads(Bucket=bucket, Prefix=file_id)["Uploads"]
    upload = {"Bucket": bucket, "Key": file_id, "UploadId": found["UploadId"]}
    parts = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**upload)["Parts"]]
    return [s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}) for _ in range(times)]
