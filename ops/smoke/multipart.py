"""What S3 does with multipart uploads, in a bucket of the run's own. They settle the design of ours."""

import base64
from typing import Any, NamedTuple

import requests
from awscrt.checksums import crc64nvme
from botocore.exceptions import ClientError

from ops.smoke import scratch
from ops.smoke.checks import CheckFailed, NotSeen, check, expect
from ops.smoke.session import Smoke

_SOURCE = "Amazon S3 API reference: CompleteMultipartUpload; not documented in full, measured by this"
_NOT_HERE = "the emulator's multipart uploads differ from S3's"
_SMALLEST_PART = 5 * 1024 * 1024
_DESIGN = "Large files are not safe here: storage/multipart.py relies on it. Do not go live with them."


class _Upload(NamedTuple):
    """A multipart upload whose parts are there."""

    where: dict[str, Any]
    parts: list[dict[str, Any]]
    checksum: str
    size: int


@check(source=_SOURCE, not_here=_NOT_HERE)
def multipart_bare_parts(smoke: Smoke) -> str:
    """Parts without checksums make up an object whose declared CRC64NVME S3 verifies as a whole."""
    upload = _begun(smoke, [bytes(_SMALLEST_PART), b"and a small one"])
    answer = _complete(smoke, upload, upload.checksum)
    expect("checksum", answer.get("ChecksumCRC64NVME"), upload.checksum, _DESIGN)
    expect("its type", answer.get("ChecksumType"), "FULL_OBJECT", _DESIGN)
    return "accepted, FULL_OBJECT"


@check(source=_SOURCE, not_here=_NOT_HERE)
def multipart_wrong_checksum(smoke: Smoke) -> str:
    """A wrong CRC64NVME of the whole is BadDigest where the algorithm was declared."""
    upload = _begun(smoke, [b"one part"])
    wrong = checksum_of(b"another")
    expect("code", _code(lambda: _complete(smoke, upload, wrong)), "BadDigest", _DESIGN)
    return "BadDigest"


@check(source=_SOURCE, not_here=_NOT_HERE)
def multipart_complete_twice(smoke: Smoke) -> str:
    """To complete again is answered as before, or NoSuchUpload; never another object."""
    upload = _begun(smoke, [b"one part"])
    first = _complete(smoke, upload, upload.checksum)
    again: dict[str, Any] = {}
    code = _code(lambda: again.update(_complete(smoke, upload, upload.checksum)))
    if code not in (None, "NoSuchUpload") or (code is None and _object(again) != _object(first)):
        raise CheckFailed(expected=f"{_object(first)} again, or NoSuchUpload", came=code or _object(again), do=_DESIGN)
    return code or "the same answer"


@check(source=_SOURCE, not_here=_NOT_HERE)
def multipart_abort_after_complete(smoke: Smoke) -> str:
    """To abort what is complete is 204 or NoSuchUpload, and the object stays."""
    upload = _begun(smoke, [b"one part"])
    _complete(smoke, upload, upload.checksum)
    s3 = smoke.deployment.client("s3")
    code = _code(lambda: s3.abort_multipart_upload(**upload.where))
    if code not in (None, "NoSuchUpload"):
        raise CheckFailed(expected="204 or NoSuchUpload", came=code, do=_DESIGN)
    kept = s3.get_object(Bucket=upload.where["Bucket"], Key=upload.where["Key"])["Body"].read()
    expect("object", kept, b"one part", _DESIGN)
    return code or "204"


def _begun(smoke: Smoke, parts: list[bytes]) -> _Upload:
    """Create an upload that declares CRC64NVME of the whole, and PUT its parts as a browser would: bare."""
    if not smoke.with_multipart:
        raise NotSeen("not asked for: MULTIPART=no")
    s3, key = smoke.deployment.client("s3"), "multipart"
    bucket = scratch.bucket(smoke)
    # As that of a stack is.
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    created = s3.create_multipart_upload(
        Bucket=bucket, Key=key, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
    )
    where = {"Bucket": bucket, "Key": key, "UploadId": created["UploadId"]}
    listed = []
    for number, part in enumerate(parts, 1):
        url = s3.generate_presigned_url("upload_part", Params={**where, "PartNumber": number})
        sent = requests.put(url, data=part, timeout=120)
        smoke.counted["S3 PUT"] += 1
        expect(f"part {number}", sent.status_code, 200, f"S3 says: {sent.text[:200]}")
        listed.append({"PartNumber": number, "ETag": sent.headers["ETag"]})
    whole = b"".join(parts)
    return _Upload(where, listed, checksum_of(whole), len(whole))


def _complete(smoke: Smoke, upload: _Upload, checksum: str) -> dict[str, Any]:
    answer: dict[str, Any] = smoke.deployment.client("s3").complete_multipart_upload(
        **upload.where,
        MultipartUpload={"Parts": upload.parts},
        ChecksumCRC64NVME=checksum,
        ChecksumType="FULL_OBJECT",
        MpuObjectSize=upload.size,
    )
    return answer


def _object(completed: dict[str, Any]) -> tuple[str | None, str | None]:
    """Which object, and which version of it."""
    return completed.get("ETag"), completed.get("VersionId")


def checksum_of(contents: bytes) -> str:
    """Returns the CRC64NVME in base64, as S3 has it."""
    return base64.b64encode(crc64nvme(contents).to_bytes(8, "big")).decode()


def _code(call: Any) -> str | None:
    """The code of the error that a call ends in, None where it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None
