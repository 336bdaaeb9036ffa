"""Uploads in parts, as S3 has them: begun, listed, completed, aborted.

Rights needed: ``s3:PutObject`` to begin and to complete, ``s3:ListMultipartUploadParts`` and
``s3:AbortMultipartUpload``, all on the bucket's objects, and ``s3:ListBucketMultipartUploads`` on the bucket.
Limits (Amazon S3 API reference): both lists answer 1000 entries a page. CompleteMultipartUpload may take minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ReadTimeoutError

from filestore.domain.file import NO_VERSION, ObjectVersion
from filestore.domain.multipart import Completed, Part, Unfinished
from filestore.domain.plan import MAX_PARTS, PARTS_ALGORITHM
from filestore.errors import ChecksumMismatchError, NoAnswerError, StillCompletingError, StorageError, ThrottledError
from filestore.storage.aws import domain_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from filestore.domain.file import File

_GONE = "NoSuchUpload"
_WRONG_CHECKSUM = "BadDigest"
# Parts were sent again after they were listed.
_OTHER_PARTS = "InvalidPart"
_PAGE = 1000
_UNFINISHED_PAGES = 10


class MultipartUploads:
    """Uploads in parts to one bucket, as ``filestore.domain.ports.MultipartUploads`` says.

    ``once`` makes a client that repeats no call and waits for long: to begin an upload twice would leave one of them
    behind, and a call to complete one may take as long as the function has.
    """

    def __init__(self, client: Callable[[], S3Client], once: Callable[[], S3Client], bucket: str) -> None:
        self._connect = client
        self._connect_once = once
        self._bucket = bucket

    @property
    def _client(self) -> S3Client:
        return self._connect()

    @property
    def _once(self) -> S3Client:
        return self._connect_once()

    def begin(self, key: str, *, content_type: str) -> str:
        """Begin an upload, whose checksum is to be the CRC64NVME of the whole. Returns S3's id of it.

        S3 takes a wrong checksum at the end where none was named in the beginning.
        """
        with domain_errors:
            answer = self._once.create_multipart_upload(
                Bucket=self._bucket, Key=key, ContentType=content_type, ChecksumAlgorithm=PARTS_ALGORITHM
            )
        return answer["UploadId"]

    def parts(self, key: str, upload_id: str) -> list[Part] | None:
        """Every part that S3 has, by number; None where it has no such upload. Raises ThrottledError."""
        found: list[Part] = []
        marker = 0
        for _ in range(MAX_PARTS // _PAGE):
            try:
                with domain_errors:
                    answer = self._client.list_parts(
                        Bucket=self._bucket, Key=key, UploadId=upload_id, PartNumberMarker=marker
                    )
            except StorageError as error:
                if error.kind == _GONE:
                    return None
                raise
            found += [
                Part(each["PartNumber"], each["Size"], each["ETag"], each.get("ChecksumCRC64NVME"))
                for each in answer.get("Parts", [])
            ]
            if answer.get("IsTruncated") is False:
                return found
            before, marker = marker, int(answer.get("NextPartNumberMarker") or 0)
            if marker <= before:
                break
        raise ThrottledError(reason="S3's list of parts does not come to its end.")

    def complete(self, file: File, parts: Sequence[Part], checksum: str | None) -> Completed | None:
        """Make an object of the parts; S3 checks its size and, if given, its CRC64NVME.

        None where S3 has no such upload. Raises ChecksumMismatchError, StillCompletingError where S3 is at work for
        longer than we wait, and ThrottledError where a part was sent again meanwhile.
        """
        named: dict[str, Any] = {} if checksum is None else {"ChecksumCRC64NVME": checksum}
        try:
            with domain_errors:
                answer = self._once.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=file.id,
                    UploadId=file.upload_id or "",
                    MultipartUpload={"Parts": [{"PartNumber": part.number, "ETag": part.etag} for part in parts]},
                    ChecksumType="FULL_OBJECT",
                    MpuObjectSize=sum(part.size for part in parts),
                    **named,
                )
        except NoAnswerError as error:
            if not isinstance(error.__cause__, ReadTimeoutError):
                raise
            raise StillCompletingError("S3 is still putting the parts together. Repeat the call.") from error
        except StorageError as error:
            if error.kind == _GONE:
                return None
            if error.kind == _WRONG_CHECKSUM:
                raise ChecksumMismatchError("The contents have another checksum. The upload is given up.") from error
            if error.kind == _OTHER_PARTS:
                raise ThrottledError(reason=str(error)) from error
            raise
        version = ObjectVersion(
            key=file.id,
            version_id=answer.get("VersionId") or NO_VERSION,
            size=sum(part.size for part in parts),
            etag=answer["ETag"].strip('"'),
        )
        return Completed(version, answer.get("ChecksumCRC64NVME"))

    def abort(self, key: str, upload_id: str) -> bool:
        """Drop what came of an upload. Returns whether S3 has done so: one that is gone already is no error.

        A part that is on its way may arrive all the same, so look again (AbortMultipartUpload, API reference).
        """
        try:
            with domain_errors:
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
        except ThrottledError:
            return False
        except StorageError as error:
            if error.kind != _GONE:
                raise
        return True

    def end(self, uploads: Sequence[tuple[str, str]]) -> set[str]:
        """Drop uploads, by key and id, and look whether S3 has anything of them. Returns the keys of which it has."""
        # The sweep alone does so; what it takes is no matter of the others' cold starts.
        from filestore.storage.at_once import at_once

        ended = at_once(self._connect, self._end, uploads)
        return {key for (key, _), is_gone in zip(uploads, ended, strict=True) if not is_gone}

    def unfinished(self) -> Iterator[list[Unfinished]]:
        """Pages of the uploads that S3 has, by key: ten at most."""
        marker: dict[str, Any] = {}
        for _ in range(_UNFINISHED_PAGES):
            with domain_errors:
                answer = self._client.list_multipart_uploads(Bucket=self._bucket, **marker)
            yield [
                Unfinished(each["Key"], each["UploadId"], each["Initiated"].timestamp())
                for each in answer.get("Uploads", [])
            ]
            if not answer.get("IsTruncated") or "NextKeyMarker" not in answer:
                return
            marker = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer.get("NextUploadIdMarker", "")}

    def _end(self, upload: tuple[str, str]) -> bool:
        key, upload_id = upload
        if not self.abort(key, upload_id):
            return False
        try:
            return self.parts(key, upload_id) is None
        except ThrottledError:
            return False
