"""The status of each error, and the answer that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from filestore.api.response import Response
from filestore.errors import (
    AlreadyStoredError,
    DeletedError,
    FilestoreError,
    InvalidRequestError,
    InvalidTokenError,
    KeyReusedError,
    NoKeyError,
    NotStoredError,
    OriginNotAllowedError,
    PartsMissingError,
    StillCompletingError,
    TryAgainError,
    UnknownFileError,
    UploadStateError,
)

STATUSES: Mapping[type[FilestoreError], HTTPStatus] = {
    InvalidRequestError: HTTPStatus.BAD_REQUEST,
    InvalidTokenError: HTTPStatus.FORBIDDEN,
    NoKeyError: HTTPStatus.FORBIDDEN,
    OriginNotAllowedError: HTTPStatus.FORBIDDEN,
    UnknownFileError: HTTPStatus.NOT_FOUND,
    AlreadyStoredError: HTTPStatus.CONFLICT,
    DeletedError: HTTPStatus.CONFLICT,
    KeyReusedError: HTTPStatus.CONFLICT,
    NotStoredError: HTTPStatus.CONFLICT,
    UploadStateError: HTTPStatus.CONFLICT,
    # Nothing is wrong with the service, so no alarm of its 5xx may go off; and clients know what to do.
    StillCompletingError: HTTPStatus.TOO_MANY_REQUESTS,
    TryAgainError: HTTPStatus.SERVICE_UNAVAILABLE,
    FilestoreError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error is that of its nearest class that is listed."""

_RETRY_AFTER = "1"
# As many as one call signs.
_MAX_MISSING = 100


def answer(error: FilestoreError) -> Response:
    """Returns the answer that tells the caller of an error. Of a fault of ours it says only that there was one."""
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return failure()
    body: dict[str, Any] = {"message": error.message, "code": error.code}
    if isinstance(error, InvalidRequestError) and error.errors:
        body["errors"] = [{"path": wrong.path, "message": wrong.message} for wrong in error.errors]
    if isinstance(error, PartsMissingError):
        body |= {"missing": error.missing[:_MAX_MISSING], "missing_count": len(error.missing)}
    return Response(status, body, {"Retry-After": _RETRY_AFTER} if isinstance(error, TryAgainError) else {})


def failure() -> Response:
    """Returns the answer where the fault is ours."""
    return Response(
        HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "Something went wrong on our side.", "code": FilestoreError.code}
    )
