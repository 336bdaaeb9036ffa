"""Seeded bugs in what is recorded of an upload."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

from filestore.domain.lifecycle import PENDING
from filestore.storage.bucket import Bucket
from filestore.storage.repository import FileRepository
from filestore.use_cases.uploaded import RecordUploads
from tests.proof.seeded.patching import Bug, change, condition, consumer, statement


def _everything_fails(original: Any, event: Mapping[str, Any], context: Any) -> Any:
    if original(event, context)["batchItemFailures"]:
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
    return {"batchItemFailures": []}


BUGS: Mapping[str, Bug] = {
    "* whoever has the URL replaces a stored file: its event is recorded again": condition(
        PENDING, '"deleted_at" IS MISSING'
    ),
    "* an upload after the delete stays: its event is ignored": lambda: mock.patch(
        "filestore.use_cases.uploaded._is_version_of",
        lambda upload, file: file is not None and (file.deleted_at is not None or file.version_id == upload.version_id),
    ),
    "what is larger than MaxFileSize is taken": statement(' AND "created_at" IS MISSING', ""),
    "what is refused for no reason that its record tells is removed": lambda: mock.patch(
        "filestore.use_cases.uploaded._is_final", return_value=True
    ),
    "a file of exactly MaxFileSize is not recorded": change(
        FileRepository,
        "_pinning",
        lambda original, files, transition, upload, at, size, types, **more: original(
            files, transition, upload, at, size - 1, types, **more
        ),
    ),
    "a file of exactly MaxFileSize is removed": change(
        RecordUploads,
        "_is_too_large",
        lambda original, record, upload: original(record, upload._replace(size=upload.size + 1)),
    ),
    "a file of exactly MaxFileSize is not stored": change(
        Bucket,
        "versions",
        lambda original, bucket, keys: {
            key: [version._replace(size=version.size + 1) for version in found]
            for key, found in original(bucket, keys).items()
        },
    ),
    "an upload that declared no type has the one of its name": statement(' AND "type_from" IS MISSING', ""),
    "what an uploader sends counts where a type was declared": change(
        FileRepository,
        "_pinning",
        lambda original, files, transition, upload, at, size, types, **more: original(
            files, transition, upload, at, size, {upload.key: "image/png"} | types, **more
        ),
    ),
    "what an uploader sends is not looked at": lambda: mock.patch(
        "filestore.use_cases.types.told_by", lambda header: header
    ),
    "the type is that of another upload": change(
        Bucket,
        "content_types",
        lambda original, bucket, versions: original(
            bucket, [bucket.versions([version.key])[version.key][-1] for version in versions]
        ),
    ),
    "a throttled type is none": change(
        Bucket,
        "content_types",
        lambda original, bucket, versions: {version.key: "" for version in versions} | original(bucket, versions),
    ),
    "one poisoned message fails the others": consumer(_everything_fails),
    "failed messages are not reported": consumer(
        lambda original, *args: {"batchItemFailures": []} if original(*args) else None
    ),
}
