"""Seeded bugs in the changes of records, and in what is made of their outcome."""

from collections.abc import Iterable, Mapping
from typing import Any
from unittest import mock

from filestore.domain.file import File
from filestore.domain.lifecycle import LIVE, UNSTORED, UPLOADED
from filestore.domain.outcome import Applied, Refused, Throttled
from filestore.errors import StorageError
from filestore.storage import repository
from filestore.storage.items import to_item
from filestore.storage.repository import FileRepository
from filestore.storage.statements import Change, Statements, _attempt
from tests.proof.seeded.patching import Bug, change, condition, statement
from tests.proof.settings import START


def _creating(method: str) -> Bug:
    def changed(original: Any, repository: Any, ids: Iterable[str], **values: Any) -> Any:
        attempts = original(repository, list(ids), **values)
        for file_id, attempt in attempts.items():
            if isinstance(attempt, Refused) and attempt.current is None:
                repository._client.put_item(TableName="files", Item={"id": {"S": file_id}})  # noqa: SLF001
        return attempts

    return change(FileRepository, method, changed)


def _any_token(original: Any, repository: FileRepository, file_id: str, **values: Any) -> Any:
    found = repository.get([file_id])[0].get(file_id)
    return original(repository, file_id, **values | {"token_hash": found.token_hash if found else ""})


def _refusing_its_own(_: Any, files: Any, file: Any) -> None:
    files._client.put_item(  # noqa: SLF001
        TableName="files", Item=to_item(file), ConditionExpression="attribute_not_exists(id)"
    )


def _writing_its_own_again(original: Any, put_item: Any, file: Any) -> Any:
    its_own = {
        "ConditionExpression": "attribute_not_exists(id) OR token_hash = :own",
        "ExpressionAttributeValues": {":own": {"S": file.token_hash}},
    }
    return original(lambda **item: put_item(**item | its_own), file)


def _throttled_is_done(original: Any, statements: Any, changes: Iterable[Any]) -> Any:
    attempts = original(statements, changes)
    return {file_id: Applied(None) if attempt == Throttled() else attempt for file_id, attempt in attempts.items()}


def _everything_is_a_refusal(response: Mapping[str, Any]) -> Any:
    try:
        return _attempt(response)
    except StorageError:
        return Refused(None)


def _update_whatever_the_state(_: Any, files: Any, file_id: str, **given: Any) -> Any:
    given = {name: value for name, value in given.items() if value is not None}
    changes = " ".join(f'SET "{name}"=?' for name in given)
    statement = f'UPDATE "files" {changes} WHERE "id"=? RETURNING ALL OLD *'
    return files._statements.execute([Change(file_id, statement, (*given.values(), file_id))])[file_id]  # noqa: SLF001


BUGS: Mapping[str, Bug] = {
    "a deleted file can be renamed": change(FileRepository, "update", _update_whatever_the_state),
    "another name empties meta": change(
        FileRepository,
        "update",
        lambda original, files, file_id, *, name, meta: original(files, file_id, name=name, meta=meta or {}),
    ),
    "a change of a name answers what was before": lambda: mock.patch.object(File, "_replace", lambda file, **_: file),
    "* PUT /files makes records for unknown ids": _creating("store"),
    "* DELETE /files makes records for unknown ids": _creating("delete"),
    "* a crash of the delete orphans the object": statement(
        'SET "sweep_at"=? REMOVE "purge_at" WHERE "id"=? AND "deleted_at" IS MISSING RETURNING',
        'SET "sweep_at"=? REMOVE "sweep_shard" REMOVE "sweep_at" WHERE "id"=? AND "deleted_at" IS MISSING RETURNING',
    ),
    "a deleted file can be stored": condition(UPLOADED, '"uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING'),
    "a second store moves the date": condition(UPLOADED, '"uploaded_at" IS NOT MISSING AND "deleted_at" IS MISSING'),
    "a second delete moves the date": condition(LIVE, '"id" IS NOT MISSING'),
    "what is refused without a record has none": change(Statements, "_proven", lambda *args: args[2]),
    "an error that nobody knows is a refusal": lambda: mock.patch(
        "filestore.storage.statements._attempt", _everything_is_a_refusal
    ),
    "an undone upload's record is dropped by TTL": statement(
        'REMOVE "purge_at" WHERE "id"=? AND "stored_at" IS MISSING', 'WHERE "id"=? AND "stored_at" IS MISSING'
    ),
    "an uploader undoes what is stored": condition(UNSTORED, '"deleted_at" IS MISSING'),
    "an uploader undoes what was stored on load, for ever": statement('"url_expires_at" > ?', '"url_expires_at" < ?'),
    "any token undoes": change(FileRepository, "undo", _any_token),
    "records are dropped before their objects": statement(
        'SET "deleted_at"=? SET "deletion"=? WHERE',
        'SET "purge_at"=? SET "deleted_at"=? SET "deletion"=? WHERE',
        START + 30 * 24 * 3600,
    ),
    "what was throttled counts as done": change(Statements, "execute", _throttled_is_done),
    "a lost answer of the create is a 500": change(FileRepository, "create", _refusing_its_own),
    "a create that the SDK repeats writes again": change(repository, "created", _writing_its_own_again),
}
