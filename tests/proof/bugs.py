"""Seeded bugs: small patches of behaviour, each of which some check has to catch.

Those marked * are the known defects of the service that Filestore descends from, as far as they are of behaviour and
not of the template.
"""

import importlib
import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError, HTTPClientError
from greenlet import getcurrent

from filestore import api, telemetry
from filestore.domain.delete import DeleteFiles, pinned_versions
from filestore.domain.info import DescribeFiles
from filestore.domain.outcome import Problem
from filestore.domain.store import StoreFiles
from filestore.domain.sweep import Sweep
from filestore.domain.undo import UndoUpload
from filestore.domain.uploaded import RecordUploads
from filestore.model import URL_MARGIN, ObjectVersion, seconds
from filestore.storage import links
from filestore.storage.bucket import Bucket
from filestore.storage.repository import (
    Applied,
    FileRepository,
    Refused,
    Throttled,
    _attempt,
    _recordable,
    _to_item,
)
from tests.proof.world import START

Bug = Callable[[], AbstractContextManager[Any]]


def _change(owner: Any, method: str, changed: Callable[..., Any]) -> Bug:
    """A method that is given its original as the first argument."""
    original = getattr(owner, method)
    return lambda: mock.patch.object(owner, method, lambda *args, **kwargs: changed(original, *args, **kwargs))


def _consumer(changed: Callable[..., Any]) -> Bug:
    """The handler of S3's events; it is imported late, as its import makes the clients."""

    def enter() -> AbstractContextManager[Any]:
        handler = importlib.import_module("filestore.handlers.uploaded")
        return _change(handler, "handler", changed)()

    return enter


def _statement(old: str, new: str, *extra: object) -> Bug:
    """Statements with another text; ``extra`` parameters come first."""

    def changed(original: Any, repository: FileRepository, changes: Iterable[Any]) -> Any:
        return original(
            repository,
            [
                change._replace(statement=change.statement.replace(old, new), parameters=(*extra, *change.parameters))
                if old in change.statement
                else change
                for change in changes
            ],
        )

    return _change(FileRepository, "_execute", changed)


def _creating(method: str) -> Bug:
    def changed(original: Any, repository: Any, ids: Iterable[str], **values: Any) -> Any:
        attempts = original(repository, list(ids), **values)
        for file_id, attempt in attempts.items():
            if isinstance(attempt, Refused) and attempt.current is None:
                repository._client.put_item(TableName="files", Item={"id": {"S": file_id}})  # noqa: SLF001
        return attempts

    return _change(FileRepository, method, changed)


def _remove_first(original: Any, delete: DeleteFiles, ids: list[str]) -> Any:
    delete.bucket.delete(pinned_versions(list(delete.files.get(ids)[0].values())))
    return original(delete, ids)


def _any_token(original: Any, repository: FileRepository, file_id: str, **values: Any) -> Any:
    found = repository.get([file_id])[0].get(file_id)
    return original(repository, file_id, **values | {"token_hash": found.token_hash if found else ""})


def _log_token(original: Any, undo: UndoUpload, file_id: str, token: str) -> Any:
    telemetry.logger.info("undo", token=token)
    return original(undo, file_id, token)


def _log_url(original: Any, *args: Any, **kwargs: Any) -> Any:
    signed = original(*args, **kwargs)
    telemetry.logger.info("signed", url=signed)
    return signed


def _one_page(original: Any, repository: FileRepository, shard: str, *, now: int) -> Any:
    yield next(iter(original(repository, shard, now=now)))


def _uploaded_only(original: Any, repository: FileRepository, shard: str, *, now: int) -> Any:
    for page in original(repository, shard, now=now):
        yield [file for file in page if file.uploaded_at]


def _refusing_its_own(_: Any, repository: Any, file: Any) -> None:
    repository._client.put_item(  # noqa: SLF001
        TableName="files", Item=_to_item(file), ConditionExpression="attribute_not_exists(id)"
    )


def _everything_fails(original: Any, event: Mapping[str, Any], context: Any) -> Any:
    if original(event, context)["batchItemFailures"]:
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
    return {"batchItemFailures": []}


def _without_version(original: Any, signer: Any, key: str, **values: Any) -> Any:
    return original(signer, key, **values).replace("versionId", "v")


def _with_markers(_: Any, bucket: Any, versions: Iterable[Any]) -> set[str]:
    for version in versions:
        bucket._client.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": version.key}]})  # noqa: SLF001
    return set()


def _throttled_is_done(original: Any, repository: Any, changes: Iterable[Any]) -> Any:
    attempts = original(repository, changes)
    return {file_id: Applied(None) if attempt == Throttled() else attempt for file_id, attempt in attempts.items()}


def _within(owner: Any, method: str, changed_owner: Any, name: str, changed: Callable[..., Any]) -> Bug:
    """A changed method that is so only for what runs within another. Schedules leave operations in the middle of it."""

    @contextmanager
    def enter() -> Iterator[None]:
        inside: list[Any] = []

        def outer(original: Any, *args: Any, **kwargs: Any) -> Any:
            inside.append(getcurrent())
            try:
                return original(*args, **kwargs)
            finally:
                inside.remove(getcurrent())

        def inner(original: Any, *args: Any, **kwargs: Any) -> Any:
            return changed(original, *args, **kwargs) if getcurrent() in inside else original(*args, **kwargs)

        with _change(owner, method, outer)(), _change(changed_owner, name, inner)():
            yield

    return enter


def _over_in(method: str, over_at: Callable[[Any], int]) -> Bug:
    """Uploads are over at another time, as far as this method of the sweep goes."""
    return _within(Sweep, method, Sweep, "_over_at", lambda _, __, file: over_at(file))


def _unlisted_is_empty(original: Any, bucket: Bucket, keys: Any) -> Any:
    return {key: [] for key in keys} | original(bucket, keys)


def _errors_alone(bucket: Any, versions: Iterable[Any]) -> set[str]:
    objects = [{"Key": version.key, "VersionId": version.version_id} for version in versions]
    answer = bucket._client.delete_objects(Bucket="bucket", Delete={"Objects": objects}) if objects else {}  # noqa: SLF001
    return {error["Key"] for error in answer.get("Errors", [])}


def _first_remains(original: Any, bucket: Bucket, versions: Iterable[ObjectVersion]) -> set[str]:
    versions = list(versions)
    remaining: set[str] = original(bucket, versions)
    return {versions[0].key} if versions and remaining == {version.key for version in versions} else remaining


def _everything_is_a_refusal(response: Mapping[str, Any]) -> Any:
    try:
        return _attempt(response)
    except ClientError:
        return Refused(None)


BUGS: Mapping[str, Bug] = {
    "* ids from a generator that can be predicted": lambda: mock.patch(
        "filestore.domain.upload.secrets.token_hex", lambda octets: random.randbytes(octets).hex()
    ),
    "* PUT /files makes records for unknown ids": _creating("store"),
    "* DELETE /files makes records for unknown ids": _creating("delete"),
    "* batches are cut at ten": _change(api.Request, "ids", lambda original, request: original(request)[:10]),
    "* what was filtered out leaks into the details": _change(
        DescribeFiles,
        "__call__",
        lambda original, describe, ids, **_: original(describe, ids, nonstored=True, deleted=True),
    ),
    "* the sweep reads one page": _change(FileRepository, "due", _one_page),
    "* the sweep goes over the same files for ever": _change(
        FileRepository, "finish_deletion", lambda *args: dict.fromkeys(args[-1], Applied(None))
    ),
    "* the sweep never sees what was not uploaded": _change(FileRepository, "due", _uploaded_only),
    "* whoever has the URL replaces a stored file: downloads name no version": _change(
        links.LinkSigner, "download", _without_version
    ),
    "* whoever has the URL replaces a stored file: its event is recorded again": _statement(
        ' AND "uploaded_at" IS MISSING AND "deleted_at" IS MISSING', ' AND "deleted_at" IS MISSING'
    ),
    "* an upload after the delete stays: its event is ignored": lambda: mock.patch(
        "filestore.domain.uploaded._is_version_of",
        lambda upload, file: file is not None and (file.deleted_at is not None or file.version_id == upload.version_id),
    ),
    "* an upload after the delete stays: the sweep does not wait for the URL to expire": _over_in(
        "_finish", lambda _: 0
    ),
    "* a crash of the delete orphans the object": _statement(
        'SET "sweep_at"=? REMOVE "purge_at" WHERE "id"=? AND "deleted_at" IS MISSING',
        'SET "sweep_at"=? REMOVE "sweep_shard" REMOVE "sweep_at" WHERE "id"=? AND "deleted_at" IS MISSING',
    ),
    "* malformed bodies end in a 5xx": _change(
        api.Request, "json", lambda _, request: json.loads(request.event["body"])
    ),
    "* names go into Content-Disposition as they are": lambda: mock.patch(
        "filestore.domain.info.attachment", lambda name: f'attachment; filename="{name}"'
    ),
    "a download has the headers that came along with the upload": lambda: mock.patch(
        "filestore.storage.links._NOTHING_OF_THE_UPLOADERS", {}
    ),
    "* the log has tokens": _change(UndoUpload, "__call__", _log_token),
    "* the log has presigned URLs": _change(links.LinkSigner, "_sign", _log_url),
    "objects are deleted before the record says so": _change(DeleteFiles, "__call__", _remove_first),
    "objects are deleted without their version": _change(Bucket, "delete", _with_markers),
    "a deleted file can be stored": _statement(
        '"stored_at" IS MISSING AND "deleted_at" IS MISSING', '"stored_at" IS MISSING'
    ),
    "a second store moves the date": _statement(' AND "stored_at" IS MISSING AND "deleted', ' AND "deleted'),
    "a second delete moves the date": _statement(
        'WHERE "id"=? AND "deleted_at" IS MISSING RETURNING', 'WHERE "id"=? RETURNING'
    ),
    "stored files expire": _statement(
        'SET "deletion"=? WHERE "id"=? AND "uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING',
        'SET "deletion"=? WHERE "id"=? AND "uploaded_at" IS NOT MISSING',
    ),
    "uploads expire early": lambda: mock.patch("filestore.domain.sweep.seconds", lambda text: seconds(text) - 5000),
    "uploads outlive their lifetime while their URL works": _change(
        FileRepository,
        "record_uploads",
        lambda original, *args, **values: original(*args, **values | {"sweep_at": None}),
    ),
    "uploads that were put off are forgotten": _change(
        FileRepository,
        "sweep_later",
        lambda original, files, times, condition: original(
            files, {file_id: at + 10**6 for file_id, at in times.items()}, condition
        ),
    ),
    "what is larger than MaxFileSize is taken": _statement(' AND "created_at" IS MISSING', ""),
    "records are dropped before their objects, of uploads that are too large": _change(
        FileRepository, "keep_placeholders", lambda *_: {}
    ),
    "pending records go while their URL works": _over_in("_end_uploads", lambda _: 0),
    "pending records go when their URL is dead, though an upload is on its way": _over_in(
        "_end_uploads", lambda file: file.url_expires_at + URL_MARGIN
    ),
    "deleted files leave the sweep when their URL is dead": _over_in(
        "_finish", lambda file: file.url_expires_at + URL_MARGIN
    ),
    "deleted files leave the sweep without the URL's margin": _over_in("_finish", lambda file: file.url_expires_at),
    "deleted files leave the sweep though their objects were not listed": _within(
        Sweep, "_finish", Bucket, "versions", _unlisted_is_empty
    ),
    "a list that was not read, or cut off, is an empty one": _change(Bucket, "versions", _unlisted_is_empty),
    "what S3 does not mention is deleted": lambda: mock.patch.object(Bucket, "delete", _errors_alone),
    "of a throttled deletion the first alone remains": _change(Bucket, "delete", _first_remains),
    "what is refused without a record has none": _change(FileRepository, "_proven", lambda *args: args[2]),
    "what is refused for no reason that its record tells is removed": lambda: mock.patch(
        "filestore.domain.uploaded._is_final", return_value=True
    ),
    "an error that nobody knows is a refusal": lambda: mock.patch(
        "filestore.storage.repository._attempt", _everything_is_a_refusal
    ),
    "an undone upload's record is dropped by TTL": _statement(
        'REMOVE "purge_at" WHERE "id"=? AND "token_hash"', 'WHERE "id"=? AND "token_hash"'
    ),
    "TTL drops pending records an hour after their URL is dead": lambda: mock.patch(
        "filestore.domain.upload._PURGE_AFTER", 3600
    ),
    "a file of exactly MaxFileSize is not recorded": lambda: mock.patch(
        "filestore.storage.repository._recordable", lambda upload, max_size: _recordable(upload, max_size - 1)
    ),
    "a file of exactly MaxFileSize is removed": _change(
        RecordUploads,
        "_is_too_large",
        lambda original, record, upload: original(record, upload._replace(size=upload.size + 1)),
    ),
    "a file of exactly MaxFileSize is not stored": _change(
        Bucket,
        "versions",
        lambda original, bucket, keys: {
            key: [version._replace(size=version.size + 1) for version in found]
            for key, found in original(bucket, keys).items()
        },
    ),
    "an upload that declared no type has the one of its name": _statement(' AND "type_from" IS MISSING', ""),
    "what an uploader sends counts where a type was declared": _change(
        FileRepository,
        "_pinning",
        lambda original, files, upload, at, size, types, **more: original(
            files, upload, at, size, {upload.key: "image/png"} | types, **more
        ),
    ),
    "what an uploader sends is not looked at": lambda: mock.patch(
        "filestore.domain.uploaded.told_by", lambda header: header
    ),
    "the type is that of another upload": _change(
        Bucket,
        "content_types",
        lambda original, bucket, versions: original(
            bucket, [bucket.versions([version.key])[version.key][-1] for version in versions]
        ),
    ),
    "a throttled type is none": _change(
        Bucket,
        "content_types",
        lambda original, bucket, versions: {version.key: "" for version in versions} | original(bucket, versions),
    ),
    "an object without a version is pinned": lambda: mock.patch.object(ObjectVersion, "is_lasting", True),
    "a placeholder is removed without looking at its record": _statement(
        'DELETE FROM "files" WHERE "id"=? AND "uploaded_at" IS MISSING AND "deleted_at" IS MISSING',
        'DELETE FROM "files" WHERE "id"=?',
    ),
    "an uploader undoes what is stored": _statement(' AND "stored_at" IS MISSING RETURNING', " RETURNING"),
    "an uploader undoes what was stored on load, for ever": _statement('"url_expires_at" > ?', '"url_expires_at" < ?'),
    "any token undoes": _change(FileRepository, "undo", _any_token),
    "records are dropped before their objects": _statement(
        'SET "deleted_at"=? SET "deletion"=? WHERE',
        'SET "purge_at"=? SET "deleted_at"=? SET "deletion"=? WHERE',
        START + 30 * 24 * 3600,
    ),
    "store does not look for what it has not seen": _change(StoreFiles, "_store_unseen", lambda *_: {}),
    "what was throttled counts as done": _change(FileRepository, "_execute", _throttled_is_done),
    "what was throttled is left out": _change(
        StoreFiles,
        "__call__",
        lambda original, store, ids: replace(
            (outcome := original(store, ids)),
            problems={key: why for key, why in outcome.problems.items() if why is not Problem.TRY_AGAIN},
        ),
    ),
    "a lost answer of the create is a 500": _change(FileRepository, "create", _refusing_its_own),
    "no connection is a 500": lambda: mock.patch("filestore.api.NoConnectionError", HTTPClientError),
    "one poisoned message fails the others": _consumer(_everything_fails),
    "failed messages are not reported": _consumer(
        lambda original, *args: {"batchItemFailures": []} if original(*args) else None
    ),
    "S3's refusal to delete is not noticed": _change(
        Bucket, "delete", lambda original, bucket, versions: original(bucket, versions) and set()
    ),
}
