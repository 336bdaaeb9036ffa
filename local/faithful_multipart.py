"""Uploads in parts where the emulator's S3 is laxer or poorer than Amazon S3.

- The CRC64NVME of an upload in parts is that of the whole, and Complete compares it (Checking object integrity, Amazon
  S3 user guide: full object checksums). The emulator makes a checksum of the parts' checksums of it.
- Every part but the last has 5 MiB (``EntityTooSmall``), and there is at least one (``MalformedXML``).
- To abort what was completed is no error for a while (AbortMultipartUpload, Amazon S3 API reference).

And where it is slow: it computes a CRC64NVME in Python, at 2 MB a second.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from awscrt import checksums
from ministack.services import s3

_WHOLE = "CRC64NVME"
_SMALLEST_PART = 5 * 2**20
_PART_NUMBER = re.compile(rb"<PartNumber>\s*(\d+)\s*</PartNumber>")

_Answer = tuple[int, dict[str, Any], bytes]
# The sizes of the parts that are put together in this request, where their checksum is that of the whole.
_sizes: ContextVar[Sequence[int]] = ContextVar("sizes", default=())

_composite = s3._composite_checksum
_create = s3._create_multipart_upload
_complete = s3._complete_multipart_upload
_abort = s3._abort_multipart_upload
_record_version = s3._record_object_version


def apply() -> None:
    """Have the emulator's S3 do so from now on."""
    s3._crc64nvme = checksums.crc64nvme
    s3._composite_checksum = _checksum
    s3._create_multipart_upload = _begin
    s3._complete_multipart_upload = _put_together
    s3._abort_multipart_upload = _drop
    s3._record_object_version = _keep_version


def whole(checksums_of_parts: Sequence[str], sizes: Sequence[int]) -> str:
    """The CRC64NVME in base64 of the parts in a row, of theirs."""
    value = 0
    for checksum, size in zip(checksums_of_parts, sizes, strict=True):
        value = checksums.combine_crc64nvme(value, int.from_bytes(base64.b64decode(checksum)), size)
    return base64.b64encode(value.to_bytes(8)).decode()


def _checksum(algorithm: str, of_parts: Sequence[str]) -> str | None:
    if algorithm == _WHOLE and of_parts and all(of_parts):
        return whole(of_parts, _sizes.get())
    kept: str | None = _composite(algorithm, of_parts)
    return kept


def _begin(bucket: str, key: str, headers: Mapping[str, str]) -> _Answer:
    status, answered, body = _create(bucket, key, headers)
    if answered.get("x-amz-checksum-algorithm") == _WHOLE:
        answered = {**answered, "x-amz-checksum-type": "FULL_OBJECT"}
    return status, answered, body


def _put_together(
    bucket: str, key: str, body: bytes, query: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> _Answer:
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
    if upload is None or upload["bucket"] != bucket or upload["key"] != key:
        refused: _Answer = _complete(bucket, key, body, query, headers)
        return refused
    numbers = sorted(int(number) for number in _PART_NUMBER.findall(body))
    there = [upload["parts"][number]["size"] for number in numbers if number in upload["parts"]]
    error: _Answer
    if not numbers:
        error = s3._error("MalformedXML", s3._MALFORMED_XML, 400, f"/{bucket}/{key}")
        return error
    if len(there) == len(numbers) and any(size < _SMALLEST_PART for size in there[:-1]):
        message = "Your proposed upload is smaller than the minimum allowed size"
        error = s3._error("EntityTooSmall", message, 400, f"/{bucket}/{key}")
        return error
    _sizes.set(there)
    status, answered, said = _complete(bucket, key, body, query, headers)
    _sizes.set(())
    if upload.get("checksum_algorithm") == _WHOLE:
        said = said.replace(b"<ChecksumType>COMPOSITE<", b"<ChecksumType>FULL_OBJECT<")
        completed = s3._completed_multipart_uploads.get(s3._qp(query, "uploadId"))
        if completed is not None:
            completed["response"] = (status, answered, said)
    return status, answered, said


def _keep_version(bucket: str, key: str, prior: Any, record: dict[str, Any], contents: bytes) -> Any:
    if _sizes.get() and _WHOLE in record["checksums"]:
        record["checksum_type"] = "FULL_OBJECT"
    return _record_version(bucket, key, prior, record, contents)


def _drop(bucket: str, key: str, query: Mapping[str, Any]) -> _Answer:
    completed = s3._completed_multipart_uploads.get(s3._qp(query, "uploadId"))
    if completed is not None and completed["key"] == key:
        return 204, {}, b""
    status, answered, body = _abort(bucket, key, query)
    return status, answered, body
