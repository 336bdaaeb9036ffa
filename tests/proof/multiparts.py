"""S3's uploads in parts in memory: the calls that the functions make, and the part that a browser sends."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from awscrt import checksums

_NO_SUCH_UPLOAD = (404, {"Error": {"Code": "NoSuchUpload", "Message": "The specified upload does not exist."}})

Answer = tuple[int, dict[str, Any]]


@dataclass
class InParts:
    """An upload in parts: what was sent for each number."""

    key: str
    type: str
    begun_at: float
    parts: dict[int, bytes] = field(default_factory=dict)


def crc64nvme(contents: bytes) -> str:
    """The checksum in base64."""
    return base64.b64encode(checksums.crc64nvme(contents).to_bytes(8)).decode()


class MultipartCalls:
    """Those of a memory. ``put`` makes an object version; ``on_complete`` hears of one that was made of parts."""

    def __init__(self, put: Callable[[str, bytes, str], str]) -> None:
        self._put = put
        self._completed: dict[str, tuple[str, dict[str, Any]]] = {}
        self.uploads: dict[str, InParts] = {}
        self.now: Callable[[], float] = lambda: 0.0
        self.on_complete: Callable[[str, str, bytes], None] = lambda *_: None
        self.begun = 0
        self.keeps_a_part = False

    def send(self, upload_id: str, number: int, contents: bytes) -> bool:
        """A browser sends a part. Returns whether S3 takes it."""
        if upload_id not in self.uploads:
            return False
        self.uploads[upload_id].parts[number] = contents
        return True

    def create(self, parameters: Mapping[str, Any], upload_id: str) -> Answer:
        assert parameters["ChecksumAlgorithm"] == "CRC64NVME"
        self.uploads[upload_id] = InParts(parameters["Key"], parameters["ContentType"], self.now())
        return 200, {"UploadId": upload_id}

    def list_parts(self, parameters: Mapping[str, Any], page: int) -> Answer:
        upload = self._find(parameters)
        if upload is None:
            return _NO_SUCH_UPLOAD
        after = [number for number in sorted(upload.parts) if number > parameters["PartNumberMarker"]]
        listed = [
            {
                "PartNumber": number,
                "Size": len(upload.parts[number]),
                "ETag": f'"{number}"',
                "ChecksumCRC64NVME": crc64nvme(upload.parts[number]),
            }
            for number in after[:page]
        ]
        more = {"NextPartNumberMarker": after[page - 1]} if len(after) > page else {}
        return 200, {"Parts": listed, "IsTruncated": len(after) > page, **more}

    def complete(self, parameters: Mapping[str, Any]) -> Answer:
        done = self._completed.get(parameters["UploadId"])
        if done and done[0] == parameters["Key"]:
            return 200, done[1]
        upload = self._find(parameters)
        if upload is None:
            return _NO_SUCH_UPLOAD
        numbers = [part["PartNumber"] for part in parameters["MultipartUpload"]["Parts"]]
        assert numbers, "S3 takes no empty list of parts"
        if not set(numbers) <= upload.parts.keys():
            return 400, {"Error": {"Code": "InvalidPart", "Message": "One or more parts could not be found."}}
        contents = b"".join(upload.parts[number] for number in numbers)
        if "MpuObjectSize" in parameters and parameters["MpuObjectSize"] != len(contents):
            return 400, {"Error": {"Code": "InvalidRequest", "Message": "The size is another."}}
        if parameters.get("ChecksumCRC64NVME", crc64nvme(contents)) != crc64nvme(contents):
            return 400, {"Error": {"Code": "BadDigest", "Message": "The CRC64NVME you specified did not match."}}
        del self.uploads[parameters["UploadId"]]
        version = self._put(upload.key, contents, upload.type)
        answer = {"VersionId": version, "ETag": '"etag"', "ChecksumCRC64NVME": crc64nvme(contents)}
        self._completed[parameters["UploadId"]] = (upload.key, answer)
        self.on_complete(upload.key, version, contents)
        return 200, answer

    def checksum_of(self, version: str) -> dict[str, Any]:
        """What S3 has of a version that was made of parts."""
        for _, answer in self._completed.values():
            if answer["VersionId"] == version:
                return {"ChecksumCRC64NVME": answer["ChecksumCRC64NVME"]}
        return {}

    def abort(self, parameters: Mapping[str, Any]) -> Answer:
        done = self._completed.get(parameters["UploadId"])
        if done and done[0] == parameters["Key"]:
            return 204, {}
        if self._find(parameters) is None:
            return _NO_SUCH_UPLOAD
        if not self.keeps_a_part:
            del self.uploads[parameters["UploadId"]]
        return 204, {}

    def list_uploads(self, parameters: Mapping[str, Any], page: int) -> Answer:
        marker = (parameters.get("KeyMarker", ""), parameters.get("UploadIdMarker", ""))
        found = sorted((upload.key, upload_id) for upload_id, upload in self.uploads.items())
        after = [each for each in found if each > marker]
        listed = [
            {"Key": key, "UploadId": each, "Initiated": datetime.fromtimestamp(self.uploads[each].begun_at, UTC)}
            for key, each in after[:page]
        ]
        more = {"NextKeyMarker": after[page - 1][0], "NextUploadIdMarker": after[page - 1][1]} if after[page:] else {}
        return 200, {"Uploads": listed, "IsTruncated": bool(after[page:]), **more}

    def _find(self, parameters: Mapping[str, Any]) -> InParts | None:
        upload = self.uploads.get(parameters["UploadId"])
        return upload if upload is not None and upload.key == parameters["Key"] else None
