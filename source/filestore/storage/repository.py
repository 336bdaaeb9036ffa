"""The table of files: the only place that knows how an item is laid out.

Item, keyed by ``id``: ``name type created_at url_expires_at`` always; ``size meta checksum token_hash`` as declared;
``type_from`` while nothing is recorded of an upload that declared no type (records of earlier releases have none: their
type stays);
``uploaded_at version_id etag``, ``stored_at``, ``deleted_at deletion`` once they happen; ``sweep_shard sweep_at`` only
while something is still to be done for the file (together they are its place in the sparse index ``due``);
``purge_at`` when DynamoDB's TTL may drop the record: not before its objects are gone.

Every change is one conditional update of one item, so that of two that race exactly one wins, and nothing but
``create`` can bring a record into being: a PartiQL UPDATE of an item that does not exist fails.
Up to 25 changes go in one BatchExecuteStatement at 1 WCU each, up to 100 reads in one BatchGetItem (limits of the
DynamoDB API reference). What DynamoDB throttles is retried a bounded number of times and then reported, never dropped.

Absence of evidence is none: where a refused change brings no record, a consistent read of all of them at once says
whether there is one. Where AWS puts the record of a refused change in a batch is documented, but was measured by
nobody.

Rights needed: ``dynamodb:PutItem``, ``BatchGetItem``, ``PartiQLUpdate``, ``PartiQLDelete`` on the table and ``Query``
on its index, each only by the functions that call the method in question; ``BatchGetItem`` by all that change records.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from botocore.exceptions import ClientError

from filestore.errors import TryAgainError
from filestore.model import Checksum, Deletion, File, ObjectVersion, is_file_id
from filestore.storage.aws import is_throttle

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_T = TypeVar("_T")

_STATEMENT_LIMIT = 25
_GET_LIMIT = 100
_DUE_PAGE = 100
_SWEEP_INDEX = "due"
PENDING = '"uploaded_at" IS MISSING AND "deleted_at" IS MISSING'
UNSTORED = '"uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING AND "deleted_at" IS MISSING'
DELETED = '"deleted_at" IS NOT MISSING'
_NO_TYPES: Mapping[str, str | None] = {}
_SET_PURGE_AT = ' SET "purge_at"=?'
_SET_SWEEP_AT = ' SET "sweep_at"=?'
# File ids are hexadecimal, so the first digit spreads the index over sixteen partitions.
SWEEP_SHARDS = tuple("0123456789abcdef")

_FIELDS = frozenset(File._fields)

_ATTEMPTS = 5
# Seconds after which no further call is begun: a last one that hangs still ends within API Gateway's 29.
_PATIENCE = 4
_FIRST_PAUSE = 0.05
# Codes of a single statement in a batch (BatchStatementError, DynamoDB API reference) that another try may clear.
_TRANSIENT = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "ThrottlingError",
        "TransactionConflict",
    }
)


class Applied(NamedTuple):
    """The change was made; the file is as it was just before, None where that was not asked for or not told."""

    before: File | None


class Refused(NamedTuple):
    """The condition did not hold; the file is as it is, None where a consistent read has found no record."""

    current: File | None


class Throttled(NamedTuple):
    """DynamoDB would not answer in time; nothing is known."""


Attempt = Applied | Refused | Throttled


class _Change(NamedTuple):
    file_id: str
    statement: str
    parameters: Sequence[object]


class FileRepository:
    """Files in DynamoDB. Methods raise botocore's ClientError where AWS refuses a whole call."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = table
        self._sleep = sleep
        self._monotonic = monotonic

    def create(self, file: File) -> None:
        """Write the record of a file that nobody has uploaded yet.

        The SDK repeats a write whose answer was lost, so finding this very record is no error.
        """
        self._client.put_item(
            TableName=self._table,
            Item=_to_item(file),
            ConditionExpression="attribute_not_exists(id) OR token_hash = :own",
            ExpressionAttributeValues={":own": {"S": file.token_hash or ""}},
        )

    def get(self, ids: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        """Read files, strongly consistent. Returns the files by id, and the ids that DynamoDB throttled.

        An id that is in neither has no record: DynamoDB has read the table for it.
        """
        return self._read(ids, self._monotonic() + _PATIENCE)

    def _read(self, ids: Sequence[str], deadline: float) -> tuple[dict[str, File], set[str]]:
        found: dict[str, File] = {}
        throttled: set[str] = set()
        for batch in _batches([file_id for file_id in ids if is_file_id(file_id)], _GET_LIMIT):
            keys = [{"id": {"S": file_id}} for file_id in batch]
            for _ in self._attempts(deadline):
                try:
                    answer = self._client.batch_get_item(
                        RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                    )
                except ClientError as error:
                    if is_throttle(error):
                        continue
                    raise
                if self._table not in answer["Responses"]:
                    # It says nothing of the table, so nothing of what it lacks either.
                    continue
                for item in answer["Responses"][self._table]:
                    file = _from_item(item)
                    found[file.id] = file
                unread = answer.get("UnprocessedKeys", {}).get(self._table)
                keys = list(unread["Keys"]) if unread else []  # type: ignore[arg-type]
                if not keys:
                    break
            throttled.update(key["id"]["S"] for key in keys)
        return found, throttled

    def record_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        uploaded_at: str,
        sweep_at: int | None,
        max_size: int,
        types: Mapping[str, str | None] = _NO_TYPES,
    ) -> dict[str, Attempt]:
        """Pin each file to the version that was uploaded, unless it has one or is deleted.

        It is due at ``sweep_at``; None leaves that as it is, and the index untouched. A version of more than
        ``max_size`` bytes is refused, which tells the version that is the file, if one is. So is one of a file that
        declared no type, which the refusal tells too, unless ``types`` has the file: with its type, or None to keep
        what its name says.
        """
        due, due_at = ("", ()) if sweep_at is None else (_SET_SWEEP_AT, (sweep_at,))
        return self._execute(
            self._pinning(upload, uploaded_at, max_size, types, sets=due, values=due_at) for upload in uploads
        )

    def record_and_store_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        at: str,
        max_size: int,
        types: Mapping[str, str | None] = _NO_TYPES,
    ) -> dict[str, Attempt]:
        """Like ``record_uploads``, and stored in the same write."""
        removes = ' REMOVE "sweep_shard" REMOVE "sweep_at"'
        return self._execute(
            self._pinning(upload, at, max_size, types, sets=' SET "stored_at"=?', values=(at,), removes=removes)
            for upload in uploads
        )

    def _pinning(
        self,
        upload: ObjectVersion,
        at: str,
        max_size: int,
        types: Mapping[str, str | None],
        *,
        sets: str,
        values: Sequence[object],
        removes: str = "",
    ) -> _Change:
        """Type and version are pinned in one write, so that neither changes under a reader."""
        told = types.get(upload.key)
        set_type, typed = (' SET "type"=?', (told,)) if told else ("", ())
        forget, declared = (' REMOVE "type_from"', "") if upload.key in types else ("", ' AND "type_from" IS MISSING')
        return _Change(
            upload.key,
            f'UPDATE "{self._table}"'
            f' SET "uploaded_at"=? SET "size"=? SET "version_id"=? SET "etag"=?{sets}{set_type}'
            f'{removes} REMOVE "purge_at"{forget} WHERE "id"=? AND {_recordable(upload, max_size)}{declared}',
            (at, upload.size, upload.version_id, upload.etag, *values, *typed, upload.key),
        )

    def store(self, ids: Iterable[str], *, stored_at: str) -> dict[str, Attempt]:
        """Store the files that are uploaded, not stored yet and not deleted; nothing is left to sweep for them."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" SET "stored_at"=? REMOVE "sweep_shard" REMOVE "sweep_at"'
                f' WHERE "id"=? AND {UNSTORED}',
                (stored_at, file_id),
            )
            for file_id in ids
        )

    def delete(self, ids: Iterable[str], *, deleted_at: str, sweep_at: int) -> dict[str, Attempt]:
        """Mark files as deleted, whatever their state. Their objects are still to be removed: due at ``sweep_at``."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" SET "deleted_at"=? SET "deletion"=? SET "sweep_shard"=? SET "sweep_at"=?'
                ' REMOVE "purge_at" WHERE "id"=? AND "deleted_at" IS MISSING RETURNING ALL OLD *',
                (deleted_at, Deletion.REQUESTED, file_id[:1], sweep_at, file_id),
            )
            for file_id in ids
        )

    def undo(self, file_id: str, *, token_hash: str, deleted_at: str, sweep_at: int, even_stored: bool) -> Attempt:
        """Mark the upload that the token belongs to as deleted. A stored one is refused.

        With ``even_stored`` a stored one is taken as well, and any is refused whose URL has expired by ``sweep_at``.
        """
        guard, values = ('"url_expires_at" > ?', (sweep_at,)) if even_stored else ('"stored_at" IS MISSING', ())
        change = _Change(
            file_id,
            f'UPDATE "{self._table}"'
            ' SET "deleted_at"=? SET "deletion"=? SET "sweep_shard"=? SET "sweep_at"=? REMOVE "purge_at"'
            f' WHERE "id"=? AND "token_hash"=? AND "deleted_at" IS MISSING AND {guard} RETURNING ALL OLD *',
            (deleted_at, Deletion.UNDONE, file_id[:1], sweep_at, file_id, token_hash, *values),
        )
        return self._execute([change])[file_id]

    def due(self, shard: str, *, now: int) -> Iterator[list[File]]:
        """Pages of the files of this shard that are due, the longest due first, as their records are now.

        The index has keys alone, and lags behind. Raises TryAgainError after a page of which some stayed throttled.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_SWEEP_INDEX,
            KeyConditionExpression="sweep_shard = :shard AND sweep_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": str(now)}},
            PaginationConfig={"PageSize": _DUE_PAGE},
        )
        for page in pages:
            # What moves in the index meanwhile may be listed twice, which BatchGetItem would refuse.
            ids = list(dict.fromkeys(item["id"]["S"] for item in page["Items"]))
            found, throttled = self.get(ids)
            files = [found[file_id] for file_id in ids if file_id in found]
            yield [file for file in files if file.sweep_at is not None and file.sweep_at <= now]
            if throttled:
                raise TryAgainError(f"DynamoDB throttled the reads of {len(throttled)} files that are due.")

    def expire(self, ids: Iterable[str], *, deleted_at: str) -> dict[str, Attempt]:
        """Mark uploads that nobody stored as deleted. They stay due: their objects are still there."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" SET "deleted_at"=? SET "deletion"=? WHERE "id"=? AND {UNSTORED}',
                (deleted_at, Deletion.EXPIRED, file_id),
            )
            for file_id in ids
        )

    def keep_placeholders(self, ids: Iterable[str]) -> dict[str, Attempt]:
        """Have TTL leave the records of uploads alone that are not recorded but have objects."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" REMOVE "purge_at" WHERE "id"=? AND {PENDING}',
                (file_id,),
            )
            for file_id in ids
        )

    def remove_placeholders(self, ids: Iterable[str]) -> dict[str, Attempt]:
        """Drop the records of uploads that never happened."""
        return self._execute(
            _Change(
                file_id,
                f'DELETE FROM "{self._table}" WHERE "id"=? AND {PENDING}',
                (file_id,),
            )
            for file_id in ids
        )

    def finish_deletion(self, purge_at: Mapping[str, int | None]) -> dict[str, Attempt]:
        """Take deleted files whose objects are gone out of the sweep; TTL may drop the record at a time, or never."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" REMOVE "sweep_shard" REMOVE "sweep_at"'
                f"{'' if at is None else _SET_PURGE_AT}"
                f' WHERE "id"=? AND {DELETED} AND "sweep_at" IS NOT MISSING',
                (file_id,) if at is None else (at, file_id),
            )
            for file_id, at in purge_at.items()
        )

    def sweep_later(self, sweep_at: Mapping[str, int], condition: str) -> dict[str, Attempt]:
        """Have files looked at again, each at its time, while ``condition`` holds: PENDING, UNSTORED or DELETED."""
        return self._execute(
            _Change(
                file_id,
                f'UPDATE "{self._table}" SET "sweep_at"=? WHERE "id"=? AND {condition} AND "sweep_at" < ?',
                (at, file_id, at),
            )
            for file_id, at in sweep_at.items()
        )

    def _execute(self, changes: Iterable[_Change]) -> dict[str, Attempt]:
        """Make the changes, at most one per file, and answer what became of each, by file id.

        What has not the form of a file id has no record, and DynamoDB refuses some of it as a key.
        """
        attempts: dict[str, Attempt] = {}
        wanted = []
        for change in changes:
            if is_file_id(change.file_id):
                wanted.append(change)
            else:
                attempts[change.file_id] = Refused(None)
        deadline = self._monotonic() + _PATIENCE
        for batch in _batches(wanted, _STATEMENT_LIMIT):
            pending = list(batch)
            attempts.update((change.file_id, Throttled()) for change in pending)
            for _ in self._attempts(deadline):
                try:
                    answer = self._client.batch_execute_statement(
                        Statements=[
                            {
                                "Statement": change.statement,
                                "Parameters": [_to_attribute(parameter) for parameter in change.parameters],
                                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                            }
                            for change in pending
                        ]
                    )
                except ClientError as error:
                    if is_throttle(error):
                        continue
                    raise
                unanswered = []
                for change, response in zip(pending, answer["Responses"], strict=True):
                    attempt = _attempt(response)
                    attempts[change.file_id] = attempt
                    if isinstance(attempt, Throttled):
                        unanswered.append(change)
                pending = unanswered
                if not pending:
                    break
        return self._proven(attempts, deadline)

    def _proven(self, attempts: dict[str, Attempt], deadline: float) -> dict[str, Attempt]:
        """The attempts, once those that were refused without a record are known to have none."""
        doubtful = [
            file_id for file_id, attempt in attempts.items() if isinstance(attempt, Refused) and attempt.current is None
        ]
        found, throttled = self._read(doubtful, deadline)
        return attempts | {
            file_id: Throttled() if file_id in throttled else Refused(found.get(file_id)) for file_id in doubtful
        }

    def _attempts(self, deadline: float) -> Iterator[None]:
        """One turn per attempt, with a pause before each but the first that doubles and is spread at random."""
        for attempt in range(_ATTEMPTS):
            if attempt > 0:
                self._sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
            if self._monotonic() > deadline:
                return
            yield


def _recordable(upload: ObjectVersion, max_size: int) -> str:
    # No record is without created_at.
    return PENDING if upload.size <= max_size else f'{PENDING} AND "created_at" IS MISSING'


def _attempt(response: Mapping[str, Any]) -> Attempt:
    error = response.get("Error")
    if error is None:
        item = response.get("Item")
        return Applied(_from_item(item) if item else None)
    if error["Code"] == "ConditionalCheckFailed":
        # The first is documented (BatchStatementError, DynamoDB API reference), the second where a change puts its own.
        item = error.get("Item") or response.get("Item")
        return Refused(_from_item(item) if item else None)
    if error["Code"] in _TRANSIENT:
        return Throttled()
    raise ClientError({"Error": {"Code": error["Code"], "Message": error.get("Message", "")}}, "BatchExecuteStatement")


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _to_item(file: File) -> dict[str, Any]:
    item = {name: _to_attribute(value) for name, value in zip(File._fields, file, strict=True) if value is not None}
    if file.sweep_at is not None:
        item["sweep_shard"] = {"S": file.id[0]}
    return item


def _from_item(item: Mapping[str, Mapping[str, Any]]) -> File:
    # Attributes that this release does not know are a newer one's: a rollback has to live with them.
    values = {name: _from_attribute(attribute) for name, attribute in item.items() if name in _FIELDS}
    if "checksum" in values:
        values["checksum"] = Checksum(**values["checksum"])
    if "deletion" in values:
        values["deletion"] = Deletion(values["deletion"])
    return File(**values)


def _to_attribute(value: object) -> dict[str, Any]:
    match value:
        case str():
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case Checksum():
            return {"M": {"algorithm": {"S": value.algorithm}, "value": {"S": value.value}}}
        case Mapping():
            return {"M": {str(key): _to_attribute(member) for key, member in value.items()}}
    raise TypeError(f"no attribute type for {type(value).__name__}")


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return value
        case "N":
            return int(value)
        case "M":
            return {key: _from_attribute(member) for key, member in value.items()}
    raise TypeError(f"an attribute of type {kind} is none of ours")
