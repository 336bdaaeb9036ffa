"""Seeded bugs in what is done with object versions."""

from collections.abc import Iterable, Mapping
from typing import Any
from unittest import mock

from filestore.domain.file import ObjectVersion
from filestore.storage import links
from filestore.storage.bucket import Bucket
from filestore.use_cases.delete import DeleteFiles, pinned_versions
from tests.proof.seeded.patching import Bug, change


def _remove_first(original: Any, delete: DeleteFiles, ids: list[str]) -> Any:
    delete.bucket.delete(pinned_versions(list(delete.files.get(ids)[0].values())))
    return original(delete, ids)


def _without_version(original: Any, signer: Any, key: str, **values: Any) -> Any:
    return original(signer, key, **values).replace("versionId", "v")


def _with_markers(_: Any, bucket: Any, versions: Iterable[Any]) -> set[str]:
    for version in versions:
        bucket._client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": version.key}]})  # noqa: SLF001
    return set()


def unlisted_is_empty(original: Any, bucket: Bucket, keys: Any) -> Any:
    return {key: [] for key in keys} | original(bucket, keys)


def _errors_alone(bucket: Any, versions: Iterable[Any]) -> set[str]:
    objects = [{"Key": version.key, "VersionId": version.version_id} for version in versions]
    answer = bucket._client.delete_objects(Bucket="bucket", Delete={"Objects": objects}) if objects else {}  # noqa: SLF001
    return {error["Key"] for error in answer.get("Errors", [])}


def _first_remains(original: Any, bucket: Bucket, versions: Iterable[ObjectVersion]) -> set[str]:
    versions = list(versions)
    remaining: set[str] = original(bucket, versions)
    return {versions[0].key} if versions and remaining == {version.key for version in versions} else remaining


BUGS: Mapping[str, Bug] = {
    "* whoever has the URL replaces a stored file: downloads name no version": change(
        links.LinkSigner, "download", _without_version
    ),
    "a download has the headers that came along with the upload": lambda: mock.patch(
        "filestore.storage.links._NOTHING_OF_THE_UPLOADERS", {}
    ),
    "objects are deleted before the record says so": change(DeleteFiles, "delete", _remove_first),
    "objects are deleted without their version": change(Bucket, "delete", _with_markers),
    "a list that was not read, or cut off, is an empty one": change(Bucket, "versions", unlisted_is_empty),
    "what S3 does not mention is deleted": lambda: mock.patch.object(Bucket, "delete", _errors_alone),
    "of a throttled deletion the first alone remains": change(Bucket, "delete", _first_remains),
    "an object without a version is pinned": lambda: mock.patch.object(ObjectVersion, "is_lasting", True),
    "S3's refusal to delete is not noticed": change(
        Bucket, "delete", lambda original, bucket, versions: original(bucket, versions) and set()
    ),
}
