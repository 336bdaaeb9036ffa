"""The bucket: one object per file, its key the file's id, and every version of it told apart.

Deleting names the version, so that no delete marker piles up and nothing else can be hit.
Rights needed: ``s3:ListBucketVersions`` on the bucket; ``s3:DeleteObject``, ``s3:DeleteObjectVersion`` and, to ask for
a version's type or checksum, ``s3:GetObjectVersion`` on its objects.
Limits (Amazon S3 API reference): DeleteObjects takes 1000 keys, ListObjectVersions answers 1000 versions a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from filestore import telemetry
from filestore.domain.file import ObjectVersion
from filestore.errors import StorageError, ThrottledError
from filestore.storage.at_once import at_once
from filestore.storage.aws import domain_errors

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_DELETE_LIMIT = 1000
# An answer to HEAD has no body, so its status is the code. Without the right to list the bucket S3 says 403.
_FORBIDDEN = "403"
_NOT_THERE = "404"


class Bucket:
    """The versions of the files' objects, as ``filestore.domain.ports.Bucket`` says."""

    def __init__(self, client: Callable[[], S3Client], name: str) -> None:
        self._connect = client
        self._name = name

    @property
    def _client(self) -> S3Client:
        # Not before it is needed: most requests have nothing to ask of S3.
        return self._connect()

    def versions(self, keys: Sequence[str]) -> dict[str, list[ObjectVersion]]:
        """Every version of each key's object, oldest first; a key without an object has an empty list.

        A key that S3 throttles is left out, and so is one whose list does not say that it has come to its end.
        """
        listed = at_once(self._connect, self._versions, keys)
        return {key: versions for key, versions in zip(keys, listed, strict=True) if versions is not None}

    def content_types(self, versions: Sequence[ObjectVersion]) -> dict[str, str | None]:
        """The Content-Type that S3 has of these versions, by key; None of one that is not there any more.

        A key that S3 throttles or refuses is left out.
        """
        asked = at_once(self._connect, self._content_type, versions)
        return {version.key: told[0] for version, told in zip(versions, asked, strict=True) if told}

    def checksum(self, version: ObjectVersion) -> str | None:
        """The CRC64NVME that S3 has of the whole of a version; None where it has none, or no such version.

        Raises ThrottledError.
        """
        try:
            with domain_errors:
                answer = self._client.head_object(
                    Bucket=self._name, Key=version.key, VersionId=version.version_id, ChecksumMode="ENABLED"
                )
        except StorageError as error:
            if error.kind not in (_NOT_THERE, _FORBIDDEN):
                raise
            return None
        return answer.get("ChecksumCRC64NVME")

    def delete(self, versions: Iterable[ObjectVersion]) -> set[str]:
        """Delete these versions; one that is gone already is no error. Returns the keys of which some remain.

        A version is gone when S3 says so of this very one.
        """
        remaining: set[str] = set()
        objects: list[ObjectIdentifierTypeDef] = [
            {"Key": version.key, "VersionId": version.version_id} for version in versions
        ]
        for start in range(0, len(objects), _DELETE_LIMIT):
            batch = objects[start : start + _DELETE_LIMIT]
            deleted: set[tuple[str | None, str | None]] = set()
            try:
                with domain_errors:
                    answer = self._client.delete_objects(Bucket=self._name, Delete={"Objects": batch})
            except ThrottledError:
                pass
            else:
                deleted.update((each.get("Key"), each.get("VersionId")) for each in answer.get("Deleted", []))
            remaining.update(each["Key"] for each in batch if (each["Key"], each.get("VersionId")) not in deleted)
        return remaining

    def _content_type(self, version: ObjectVersion) -> tuple[str | None] | None:
        try:
            with domain_errors:
                answer = self._client.head_object(Bucket=self._name, Key=version.key, VersionId=version.version_id)
        except ThrottledError:
            return None
        except StorageError as error:
            if error.kind == _NOT_THERE:
                return (None,)
            if error.kind != _FORBIDDEN:
                raise
            # S3 refuses a version that is gone to whoever may not list the bucket's objects (HeadObject in the API
            # reference). Nobody knows then, and one file must not hold up the others.
            telemetry.logger.error("S3 refuses to tell a type", file_id=version.key)
            return None
        return (answer.get("ContentType", ""),)

    def _versions(self, key: str) -> list[ObjectVersion] | None:
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._name, Prefix=key)
        newest_first: list[ObjectVersion] = []
        is_whole = False
        try:
            with domain_errors:
                for page in pages:
                    # The SDK takes a page that is cut off and names no next one for the last.
                    is_whole = page.get("IsTruncated") is False
                    newest_first += [
                        ObjectVersion(
                            key=key, version_id=found["VersionId"], size=found["Size"], etag=found["ETag"].strip('"')
                        )
                        for found in page.get("Versions", [])
                        if found["Key"] == key
                    ]
        except ThrottledError:
            return None
        return newest_first[::-1] if is_whole else None
