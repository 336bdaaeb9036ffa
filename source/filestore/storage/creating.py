"""The one write that makes a record. Rights needed: ``dynamodb:PutItem``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from filestore.domain.outcome import Problem
from filestore.errors import StorageError, TryAgainError
from filestore.storage.aws import domain_errors
from filestore.storage.items import from_item, to_item

if TYPE_CHECKING:
    from filestore.domain.file import File


def created(put_item: Callable[..., object], file: File) -> File | None:
    """Write the record of a pending file, unless there is one.

    Ids are drawn, so there is none, unless the id follows from an Idempotency-Key: then the refusal brings the record
    (ReturnValuesOnConditionCheckFailure, PutItem in the DynamoDB API reference), and that is returned.
    """
    try:
        with domain_errors:
            put_item(
                Item=to_item(file),
                ConditionExpression="attribute_not_exists(id) OR token_hash = :own",
                ExpressionAttributeValues={":own": {"S": file.token_hash or ""}},
                ReturnValuesOnConditionCheckFailure="NONE" if file.token_salt is None else "ALL_OLD",
            )
    except StorageError as error:
        if file.token_salt is None or error.kind != "ConditionalCheckFailedException":
            raise
        cause = error.__cause__
        item: Any = cause.response.get("Item") if isinstance(cause, ClientError) else None
        if not item:
            raise TryAgainError(Problem.TRY_AGAIN.message) from error
        return from_item(item)
    return None
