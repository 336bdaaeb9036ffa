"""What can go wrong, in the words of the API.

Each error knows its stable ``code`` (for programs) and carries a message (for people). ``filestore.api.errors`` has the
status of each, in one table.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class FieldError(NamedTuple):
    """What is wrong, and where: a JSON Pointer (RFC 6901) into the body, or the name of a query parameter."""

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
    """The request cannot be understood; ``errors`` says where, if that can be said."""

    code = "invalid_request"
    errors: Sequence[FieldError] = ()


class InvalidQueryError(InvalidRequestError):
    """A query parameter has a value that it does not take."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.errors = (FieldError(name, message),)


class InvalidCursorError(InvalidQueryError):
    """The cursor is not one that this query has given out."""

    code = "invalid_cursor"

    def __init__(self, message: str) -> None:
        super().__init__("cursor", message)


class InvalidBodyError(InvalidRequestError):
    """The body is not what this request takes."""

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


class InvalidTokenError(FilestoreError):
    """No upload token, or not this upload's."""

    code = "invalid_token"


class NoKeyError(FilestoreError):
    """The gateway did not say whose key the request came with, where that has to be known."""

    code = "forbidden"


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


class KeyReusedError(FilestoreError):
    """An Idempotency-Key came before, with another body or for an upload that is over."""

    code = "idempotency_key_reused"


class NotStoredError(FilestoreError):
    """The file is not stored, so nobody can have its contents yet."""

    code = "not_stored"


class UploadStateError(FilestoreError):
    """An upload in parts is not in the state that the request is about."""


class NotInPartsError(UploadStateError):
    """The upload is one PUT."""

    code = "not_in_parts"


class AlreadyUploadedError(UploadStateError):
    """The upload is complete."""

    code = "already_uploaded"


class UploadEndedError(UploadStateError):
    """The upload was taken back, deleted, given up, or nobody went on with it in time."""

    code = "upload_ended"


class PartsMissingError(UploadStateError):
    """Parts are missing, or have another size than planned: ``missing`` has their numbers."""

    code = "parts_missing"

    def __init__(self, missing: Sequence[int]) -> None:
        super().__init__("Parts are missing. Send them, then repeat the call.")
        self.missing = tuple(missing)


class ChecksumMismatchError(UploadStateError):
    """The contents have another checksum than the uploader says."""

    code = "checksum_mismatch"


class TryAgainError(FilestoreError):
    """It was throttled past our retries, or nobody answered. Repeating the call is harmless."""

    code = "try_again"

    def __init__(
        self, message: str = "It cannot be done now. Repeat the call: it is harmless.", reason: str = ""
    ) -> None:
        super().__init__(message, reason)


class StillCompletingError(TryAgainError):
    """S3 is still putting the parts of an upload together, which takes minutes where there are many."""

    code = "still_completing"


class ThrottledError(TryAgainError):
    """Storage refused a whole call for now."""


class NoAnswerError(TryAgainError):
    """Storage did not answer, so what became of the call is not known."""


class StorageError(FilestoreError):
    """Storage refused a call for good: a right is missing, or a table or bucket. ``kind`` is the code that it gave."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__("Storage refused a call.", reason)
        self.kind = kind
