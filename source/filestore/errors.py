"""What can go wrong, in the words of the API.

Each error knows its stable ``code`` (for programs) and carries a message (for people). ``filestore.api.errors`` has the
status of each, in one table.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """One thing that is wrong in a body: a JSON Pointer (RFC 6901) to it and what is wrong."""

    path: str
    message: str


class FilestoreError(Exception):
    """Base of every error of ours. What has no status of its own is told to nobody but the log."""

    code: ClassVar[str] = "internal_error"

    def __init__(self, message: str, reason: str = "") -> None:
        """``message`` is for the caller, ``reason``, where there is more to say, for the log alone: it is the text."""
        super().__init__(reason or message)
        self.message = message


class InvalidRequestError(FilestoreError):
    """The request cannot be understood."""

    code = "invalid_request"


class InvalidBodyError(InvalidRequestError):
    """The body is not what this request takes; ``errors`` says where."""

    code = "invalid_body"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(f"{error.path or 'body'}: {error.message}" for error in errors))
        self.errors = tuple(errors)


class TooManyIdsError(InvalidRequestError):
    """More ids than one call takes. Never a silent cut."""

    code = "too_many_ids"


class FileTooLargeError(InvalidRequestError):
    """The declared size is above MaxFileSize."""

    code = "file_too_large"


class StoredOnLoadError(InvalidRequestError):
    """The stack stores files as they arrive, so there is nothing to store by hand."""

    code = "stored_on_load"


class ForbiddenError(FilestoreError):
    """No API key, or not a good one. API Gateway says so as a rule."""

    code = "forbidden"


class InvalidTokenError(FilestoreError):
    """No upload token, or not this upload's."""

    code = "invalid_token"


class OriginNotAllowedError(FilestoreError):
    """A page of an origin that the stack does not serve."""

    code = "origin_not_allowed"


class UnknownFileError(FilestoreError):
    """There is no such file, or the request does not let it in."""

    code = "unknown"


class AlreadyStoredError(FilestoreError):
    """A back end has stored the file, so the uploader cannot take it back any more."""

    code = "already_stored"


class DeletedError(FilestoreError):
    """The file is deleted or expired, so nothing of it can change any more."""

    code = "deleted"


class NotStoredError(FilestoreError):
    """The file is not stored, so nobody can have its contents yet."""

    code = "not_stored"


class TryAgainError(FilestoreError):
    """It was throttled past our retries, or nobody answered. Repeating the call is harmless."""

    code = "try_again"


class ThrottledError(TryAgainError):
    """Storage refused a whole call for now."""


class NoAnswerError(TryAgainError):
    """Storage did not answer, so what became of the call is not known."""


class StorageError(FilestoreError):
    """Storage refused a call for good: a right is missing, or a table or bucket. ``kind`` is the code that it gave."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__("Storage refused a call.", reason)
        self.kind = kind
