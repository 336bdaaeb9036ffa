"""The upload in parts that a token opens."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from filestore.domain.file import hash_token
from filestore.domain.lifecycle import OVER, State
from filestore.errors import (
    AlreadyUploadedError,
    InvalidTokenError,
    NotInPartsError,
    TryAgainError,
    UnknownFileError,
    UploadEndedError,
)

if TYPE_CHECKING:
    from filestore.domain.file import File
    from filestore.domain.ports import Files


def opened(files: Files, file_id: str, token: str) -> File:
    """Read the record of the upload, in whatever state it is.

    Raises UnknownFileError, InvalidTokenError, NotInPartsError, TryAgainError.
    """
    found, throttled = files.get([file_id])
    if throttled:
        raise TryAgainError("The upload could not be read now. Repeat the call: it is harmless.")
    return admitted(found.get(file_id), token)


def admitted(file: File | None, token: str) -> File:
    """Returns the file, if there is one, the token is that of its upload, and it comes in parts."""
    if file is None:
        raise UnknownFileError("There is no such file.")
    if file.token_hash is None or not hmac.compare_digest(file.token_hash, hash_token(token)):
        raise InvalidTokenError("The token is not this upload's.")
    if file.upload_id is None or file.part_size is None or file.size is None:
        raise NotInPartsError("This upload is one PUT, it does not come in parts.")
    return file


def require_pending(file: File) -> None:
    """Raises AlreadyUploadedError or UploadEndedError for a file that is not pending."""
    if file.state in OVER:
        raise UploadEndedError("The upload is over. Begin another.")
    if file.state is not State.PENDING:
        raise AlreadyUploadedError("The upload is complete.")
