"""What the sweep reads and changes in the table of files: the sparse index ``due``, in which a file is until its end.

The index has keys alone and lags behind the table, so what it names is read anew, and each change is one conditional
update, as in ``repository``.

Rights needed: ``dynamodb:Query`` on the index, ``BatchGetItem``, ``PartiQLUpdate`` and ``PartiQLDelete`` on the table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from filestore.domain import lifecycle
from filestore.domain.file import Deletion, File
from filestore.errors import ThrottledError
from filestore.storage.aws import domain_errors
from filestore.storage.conditions import Condition
from filestore.storage.items import LEAVE_THE_SWEEP, MARK, SHARDS
from filestore.storage.statements import Statements

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from filestore.domain.lifecycle import State
    from filestore.domain.outcome import Attempt

_PAGE = 100
_INDEX = "due"


class DueFiles:
    """Files that are due in DynamoDB, as ``filestore.domain.ports.DueFiles`` says."""

    shards = SHARDS

    def __init__(self, client: DynamoDBClient, table: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._table = table
        self._statements = Statements(client, table, sleep=sleep, monotonic=time.monotonic)

    def pages(self, shard: str, *, now: int) -> Iterator[list[File]]:
        """Pages of the files of this shard that are due. The index has keys alone, and lags behind."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression="sweep_shard = :shard AND sweep_at <= :now",
            ExpressionAttributeValues={":shard": {"S": shard}, ":now": {"N": str(now)}},
            PaginationConfig={"PageSize": _PAGE},
        )
        with domain_errors:
            for page in pages:
                # What moves in the index meanwhile may be listed twice, which BatchGetItem would refuse.
                ids = list(dict.fromkeys(item["id"]["S"] for item in page["Items"]))
                found, throttled = self._statements.read(ids)
                files = [found[file_id] for file_id in ids if file_id in found]
                yield [file for file in files if file.sweep_at is not None and file.sweep_at <= now]
                if throttled:
                    raise ThrottledError(reason=f"The reads of {len(throttled)} files that are due were throttled.")

    def expire(self, ids: Iterable[str], *, deleted_at: str) -> dict[str, Attempt]:
        """Mark uploads that nobody stored as expired. They stay due: their objects are still there."""
        return self._statements.execute(
            self._statements.change(file_id, MARK, lifecycle.EXPIRE.before, values=(deleted_at, Deletion.EXPIRED))
            for file_id in ids
        )

    def abandon(self, ids: Iterable[str], *, deleted_at: str, now: int) -> dict[str, Attempt]:
        """Mark uploads in parts that nobody went on with as expired, unless somebody just did. They stay due."""
        return self._statements.execute(
            self._statements.change(
                file_id,
                f'{MARK} REMOVE "purge_at"',
                lifecycle.ABANDON.before,
                Condition('"sweep_at" < ?', (now + 1,)),
                values=(deleted_at, Deletion.EXPIRED),
            )
            for file_id in ids
        )

    def keep_pending(self, ids: Iterable[str]) -> dict[str, Attempt]:
        """Keep TTL from dropping pending records whose bytes have arrived."""
        return self._statements.execute(
            self._statements.change(file_id, 'REMOVE "purge_at"', lifecycle.PENDING) for file_id in ids
        )

    def remove_pending(self, ids: Iterable[str], *, now: int) -> dict[str, Attempt]:
        """Drop the records of uploads that never happened, unless an Idempotency-Key has begun another under the id."""
        due = Condition('"sweep_at" < ?', (now + 1,))
        return self._statements.execute(
            self._statements.removal(file_id, lifecycle.REMOVE_PENDING.before, due) for file_id in ids
        )

    def finish_deletion(self, purge_at: Mapping[str, int | None]) -> dict[str, Attempt]:
        """Take deleted files whose objects are gone out of the sweep; TTL may drop the record at a time, or never."""
        return self._statements.execute(
            self._statements.change(
                file_id,
                LEAVE_THE_SWEEP if at is None else f'{LEAVE_THE_SWEEP} SET "purge_at"=?',
                lifecycle.OVER,
                Condition('"sweep_at" IS NOT MISSING'),
                values=() if at is None else (at,),
            )
            for file_id, at in purge_at.items()
        )

    def sweep_later(self, sweep_at: Mapping[str, int], states: frozenset[State]) -> dict[str, Attempt]:
        """Move files to a later time in the sweep, each to its own, while they are in one of these states."""
        return self._statements.execute(
            self._statements.change(
                file_id, 'SET "sweep_at"=?', states, Condition('"sweep_at" < ?', (at,)), values=(at,)
            )
            for file_id, at in sweep_at.items()
        )
