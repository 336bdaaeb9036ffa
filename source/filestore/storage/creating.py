"""The one write that makes a record. Rights needed: ``dynamodb:PutItem``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from filestore.errors import StorageError, TryAgainError
from filestore.storage.aws import domain_errors
from filestore.storage.items import from_item, to_item

if TYPE_CHECKING:
    from filestore.domain.file import File


def created(put_item: Callable[..., object], file: File) -> File | None:
    """Write the record of a pending file, unless there is one.

    The refusal brings the record that there is (ReturnValuesOnConditionCheckFailure, PutItem in the DynamoDB API
    reference). It is this very one where the SDK repeats a write whose answer was lost, as the token tells, and must
    not be written again: meanwhile the file may be stored or deleted. Otherwise it is the one that an Idempotency-Key
    has made before, and is returned.
    """
    try:
        with domain_errors:
            put_item(
                Item=to_item(file),
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
    except StorageError as error:
        if error.kind != "ConditionalCheckFailedException":
            raise
        cause = error.__cause__
        item: Any = cause.response.get("Item") if isinstance(cause, ClientError) else None
        if not item:
            raise TryAgainError() from error
        existing = from_item(item)
        if existing.token_hash == file.token_hash:
            return None
        if file.token_salt is None:
            raise
        return existing
    return None
