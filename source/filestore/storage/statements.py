"""Batches of reads and writes of the table: as many at a time as DynamoDB takes, repeated while it throttles.

Up to 25 changes go in one BatchExecuteStatement at 1 WCU each, up to 100 reads in one BatchGetItem (limits of the
DynamoDB API reference). What DynamoDB throttles is retried a bounded number of times and then reported, never dropped.

Absence of evidence is none: where a refused change brings no record, a consistent read of all of them at once says
whether there is one. Where AWS puts the record of a refused change in a batch is documented, but was measured by
nobody.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from filestore.domain.file import File, is_file_id
from filestore.domain.outcome import Applied, Attempt, Refused, Throttled
from filestore.errors import StorageError, ThrottledError
from filestore.storage.aws import domain_errors
from filestore.storage.conditions import Condition, where
from filestore.storage.items import from_item, to_attribute

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from filestore.domain.lifecycle import State

_T = TypeVar("_T")

_STATEMENT_LIMIT = 25
_GET_LIMIT = 100

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


class Change(NamedTuple):
    """A change of one file: a PartiQL statement and its parameters."""

    file_id: str
    statement: str
    parameters: Sequence[object]


class Statements:
    """Reads and changes items in batches. Pauses and patience are in seconds.

    What an owner must not know of is as if it were not there.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sleep: Callable[[float], None],
        monotonic: Callable[[], float],
        owner: str | None = None,
    ) -> None:
        self._owner = owner
        self._client = client
        self._table = table
        self._sleep = sleep
        self._monotonic = monotonic

    def change(
        self,
        file_id: str,
        changes: str,
        states: frozenset[State],
        *guards: Condition,
        values: Sequence[object] = (),
        returning: str = "",
    ) -> Change:
        """Returns the UPDATE of one file while it is in one of these states. ``values`` are those of the changes."""
        condition = where(file_id, states, *guards, owner=self._owner)
        statement = f'UPDATE "{self._table}" {changes} {condition.text}{returning}'
        return Change(file_id, statement, (*values, *condition.parameters))

    def removal(self, file_id: str, states: frozenset[State], *guards: Condition) -> Change:
        """Returns the DELETE of one record while its file is in one of these states."""
        condition = where(file_id, states, *guards, owner=self._owner)
        return Change(file_id, f'DELETE FROM "{self._table}" {condition.text}', condition.parameters)

    def read(self, ids: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        """Read files, strongly consistent. Returns the files by id, and the ids that DynamoDB throttled."""
        return self._read(ids, self._monotonic() + _PATIENCE)

    def execute(self, changes: Iterable[Change]) -> dict[str, Attempt]:
        """Make the changes, at most one per file. Returns what became of each, by file id.

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
                    with domain_errors:
                        answer = self._client.batch_execute_statement(
                            Statements=[
                                {
                                    "Statement": change.statement,
                                    "Parameters": [to_attribute(parameter) for parameter in change.parameters],
                                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                                }
                                for change in pending
                            ]
                        )
                except ThrottledError:
                    continue
                unanswered = []
                for change, response in zip(pending, answer["Responses"], strict=True):
                    attempt = _attempt(response)
                    if isinstance(attempt, Refused):
                        attempt = Refused(self._known(attempt.current))
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

    def _read(self, ids: Sequence[str], deadline: float) -> tuple[dict[str, File], set[str]]:
        found: dict[str, File] = {}
        throttled: set[str] = set()
        for batch in _batches([file_id for file_id in ids if is_file_id(file_id)], _GET_LIMIT):
            keys = [{"id": {"S": file_id}} for file_id in batch]
            for _ in self._attempts(deadline):
                try:
                    with domain_errors:
                        answer = self._client.batch_get_item(
                            RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                        )
                except ThrottledError:
                    continue
                if self._table not in answer["Responses"]:
                    # It says nothing of the table, so nothing of what it lacks either.
                    continue
                files = (self._known(from_item(item)) for item in answer["Responses"][self._table])
                found.update((file.id, file) for file in files if file is not None)
                unread = answer.get("UnprocessedKeys", {}).get(self._table)
                keys = list(unread["Keys"]) if unread else []  # type: ignore[arg-type]
                if not keys:
                    break
            throttled.update(key["id"]["S"] for key in keys)
        return found, throttled

    def _known(self, file: File | None) -> File | None:
        """A record that was read; None where it is none of the owner's business."""
        return file if file is not None and file.is_known_to(self._owner) else None

    def _attempts(self, deadline: float) -> Iterator[None]:
        """One turn per attempt, with a pause before each but the first that doubles and is spread at random."""
        for attempt in range(_ATTEMPTS):
            if attempt > 0:
                self._sleep(_FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret
            if self._monotonic() > deadline:
                return
            yield


def _attempt(response: Mapping[str, Any]) -> Attempt:
    error = response.get("Error")
    if error is None:
        item = response.get("Item")
        return Applied(from_item(item) if item else None)
    if error["Code"] == "ConditionalCheckFailed":
        # The first is documented (BatchStatementError, DynamoDB API reference), the second where a change puts its own.
        item = error.get("Item") or response.get("Item")
        return Refused(from_item(item) if item else None)
    if error["Code"] in _TRANSIENT:
        return Throttled()
    raise StorageError(error["Code"], f"{error['Code']} in a batch of statements: {error.get('Message', '')}")


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
