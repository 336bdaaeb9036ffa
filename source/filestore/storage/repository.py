"""The table of files: which write each change is, and on what condition.

Every change is one conditional update of one item, so that of two that race exactly one wins, and nothing but
``create`` can bring a record into being: a PartiQL UPDATE of an item that does not exist fails. The states' conditions
are in ``conditions``, the layout of an item in ``items``, batches and retries in ``statements``.

Rights needed: ``dynamodb:PutItem``, ``BatchGetItem`` and ``PartiQLUpdate`` on the table, each only by the functions
that call the method in question; ``BatchGetItem`` by all that change records. What the sweep does is in ``due``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from filestore.domain import lifecycle
from filestore.domain.file import Deletion, File, ObjectVersion, Receipt
from filestore.domain.lifecycle import Transition
from filestore.domain.outcome import Refused
from filestore.storage.conditions import Condition
from filestore.storage.creating import created
from filestore.storage.items import LEAVE_THE_SWEEP, MARK, list_keys
from filestore.storage.pinning import pin, receiving
from filestore.storage.statements import Change, Statements

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from filestore.domain.lifecycle import State
    from filestore.domain.outcome import Attempt

_NO_TYPES: Mapping[str, str | None] = {}
_NO_RECEIPTS: Mapping[str, Receipt] = {}
_MARK_AND_SWEEP = f'{MARK} SET "sweep_shard"=? SET "sweep_at"=? REMOVE "purge_at"'
_STORE = 'SET "stored_at"=? SET "list_shard"=? SET "list_place"=?'
_RETURNING_OLD = " RETURNING ALL OLD *"


class FileRepository:
    """Files in DynamoDB, as ``filestore.domain.ports.Files`` says."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        owner: str | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._owner = owner
        self._sleep = sleep
        self._monotonic = monotonic
        self._statements = Statements(client, table, owner=owner, sleep=sleep, monotonic=monotonic)

    def of(self, owner: str | None) -> FileRepository:
        """The files that a back end with this key's id may know of."""
        if owner is None:
            return self
        return FileRepository(self._client, self._table, sleep=self._sleep, monotonic=self._monotonic, owner=owner)

    def create(self, file: File) -> File | None:
        """Write the record of a pending file. Returns the one that its Idempotency-Key has made before, if any.

        The SDK repeats a write whose answer was lost, so finding this very record is no error.
        """
        return created(lambda **item: self._client.put_item(TableName=self._table, **item), file)

    def get(self, ids: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        """Read files, strongly consistent. Returns the files by id, and the ids that DynamoDB throttled."""
        return self._statements.read(ids)

    def record_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        uploaded_at: str,
        sweep_at: int | None,
        max_size: int,
        types: Mapping[str, str | None] = _NO_TYPES,
        receipts: Mapping[str, Receipt] = _NO_RECEIPTS,
    ) -> dict[str, Attempt]:
        """Pin each file to its version, due at ``sweep_at``; None leaves that as it is, and the index untouched."""
        due, due_at = ("", ()) if sweep_at is None else (' SET "sweep_at"=?', (sweep_at,))
        return self._statements.execute(
            self._pinning(
                lifecycle.RECORD,
                upload,
                uploaded_at,
                max_size,
                types,
                receipt=receipts.get(upload.key),
                sets=due,
                values=due_at,
            )
            for upload in uploads
        )

    def record_and_store_uploads(
        self,
        uploads: Iterable[ObjectVersion],
        *,
        at: str,
        max_size: int,
        types: Mapping[str, str | None] = _NO_TYPES,
        receipts: Mapping[str, Receipt] = _NO_RECEIPTS,
    ) -> dict[str, Attempt]:
        """Like ``record_uploads``, and stored in the same write."""
        return self._statements.execute(
            self._pinning(
                lifecycle.RECORD_AND_STORE,
                upload,
                at,
                max_size,
                types,
                receipt=receipts.get(upload.key),
                sets=f" {self._store}",
                values=self._stored(upload.key, at),
                removes=f" {LEAVE_THE_SWEEP}",
            )
            for upload in uploads
        )

    def _pinning(
        self,
        transition: Transition,
        upload: ObjectVersion,
        at: str,
        max_size: int,
        types: Mapping[str, str | None],
        *,
        receipt: Receipt | None,
        sets: str,
        values: tuple[object, ...],
        removes: str = "",
    ) -> Change:
        pinned = pin(
            upload,
            at=at,
            max_size=max_size,
            types=types,
            receipt=receipt,
            more=sets,
            values=values,
            removes=removes,
        )
        return self._statements.change(
            upload.key, pinned.changes, transition.before, *pinned.guards, values=pinned.values
        )

    def attest(self, upload: ObjectVersion, receipt: Receipt) -> Attempt:
        """Add the checksum of the version that a file is pinned to already, if it has none."""
        sets, values = receiving(receipt)
        pinned = Condition('"version_id"=?', (upload.version_id,))
        change = self._statements.change(
            upload.key, sets.strip(), lifecycle.LIVE, pinned, Condition('"checksum" IS MISSING'), values=values
        )
        return self._statements.execute([change])[upload.key]

    def renew(self, file_id: str, *, token_hash: str, begun_after: str, url_expires_at: int, sweep_at: int) -> Attempt:
        """Have an upload in parts, which the token opens, live on until ``sweep_at``; never for a shorter time."""
        change = self._statements.change(
            file_id,
            'SET "url_expires_at"=? SET "sweep_at"=?',
            lifecycle.PENDING,
            Condition('"token_hash"=?', (token_hash,)),
            Condition('"upload_id" IS NOT MISSING'),
            Condition('"created_at" > ?', (begun_after,)),
            Condition('"url_expires_at" < ?', (url_expires_at,)),
            values=(url_expires_at, sweep_at),
            returning=_RETURNING_OLD,
        )
        return self._statements.execute([change])[file_id]

    def store(self, ids: Iterable[str], *, stored_at: str) -> dict[str, Attempt]:
        """Store uploads; nothing is left to sweep for them."""
        stored = f"{self._store} {LEAVE_THE_SWEEP}"
        return self._statements.execute(
            self._statements.change(file_id, stored, lifecycle.STORE.before, values=self._stored(file_id, stored_at))
            for file_id in ids
        )

    def update(self, file_id: str, *, name: str | None, meta: Mapping[str, str] | None) -> Attempt:
        """Change what is said of a file, in one write."""
        given = {key: value for key, value in (("name", name), ("meta", meta)) if value is not None}
        changes = " ".join(f'SET "{key}"=?' for key in given)

        def change(file_id: str, states: frozenset[State]) -> Change:
            return self._statements.change(
                file_id, changes, states, values=tuple(given.values()), returning=_RETURNING_OLD
            )

        return self._of_the_live([file_id], change)[file_id]

    @property
    def _store(self) -> str:
        return _STORE if self._owner is None else f'{_STORE} SET "owner"=?'

    def _stored(self, file_id: str, at: str) -> tuple[str, ...]:
        """The values of ``_store``."""
        return (at, *list_keys(file_id, at, self._owner), *([] if self._owner is None else [self._owner]))

    def delete(self, ids: Iterable[str], *, deleted_at: str, sweep_at: int) -> dict[str, Attempt]:
        """Mark files as deleted. Their objects are still to be removed: due at ``sweep_at``."""

        def change(file_id: str, states: frozenset[State]) -> Change:
            values = (deleted_at, Deletion.REQUESTED, file_id[:1], sweep_at)
            return self._statements.change(file_id, _MARK_AND_SWEEP, states, values=values, returning=_RETURNING_OLD)

        return self._of_the_live(ids, change)

    def _of_the_live(self, ids: Iterable[str], change: Callable[[str, frozenset[State]], Change]) -> dict[str, Attempt]:
        """Change files that are not deleted, stored or not."""
        attempts = self._statements.execute(change(file_id, lifecycle.LIVE) for file_id in ids)
        if self._owner is None:
            return attempts
        # What is not stored has no owner, whom the first statement could have found. Stored meanwhile it has one.
        for states in (lifecycle.UNSTORED, lifecycle.LIVE):
            refused = [
                file_id
                for file_id, attempt in attempts.items()
                if isinstance(attempt, Refused) and attempt.current and attempt.current.state in states
            ]
            attempts |= self._statements.execute(change(file_id, states) for file_id in refused)
        return attempts

    def undo(self, file_id: str, *, token_hash: str, deleted_at: str, sweep_at: int, even_stored: bool) -> Attempt:
        """Mark the upload that the token belongs to as deleted."""
        transition = lifecycle.UNDO_EVEN_STORED if even_stored else lifecycle.UNDO
        in_time = [Condition('"url_expires_at" > ?', (sweep_at,))] if even_stored else []
        change = self._statements.change(
            file_id,
            _MARK_AND_SWEEP,
            transition.before,
            Condition('"token_hash"=?', (token_hash,)),
            *in_time,
            values=(deleted_at, Deletion.UNDONE, file_id[:1], sweep_at),
            returning=_RETURNING_OLD,
        )
        return self._statements.execute([change])[file_id]
