"""Tell which parts of an upload S3 has, so that it can go on after a break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from filestore.domain.plan import Plan, plan_of
from filestore.errors import AlreadyUploadedError, TryAgainError, UploadEndedError
from filestore.use_cases.opened import opened, require_pending

if TYPE_CHECKING:
    from filestore.domain.multipart import Part
    from filestore.domain.ports import Bucket, Files, MultipartUploads


class Progress(NamedTuple):
    """What is planned, and the parts that have arrived."""

    plan: Plan
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class ShowParts:
    """Shows what there is of an upload."""

    files: Files
    bucket: Bucket
    uploads: MultipartUploads

    def show(self, file_id: str, token: str) -> Progress:
        """Return what S3 has of an upload that goes on.

        Raises UnknownFileError, InvalidTokenError, TryAgainError, and where it does not go on NotInPartsError,
        AlreadyUploadedError or UploadEndedError.
        """
        file = opened(self.files, file_id, token)
        require_pending(file)
        parts = self.uploads.parts(file_id, file.upload_id or "")
        if parts is not None:
            return Progress(plan_of(file), parts)
        # Of an upload that is complete, or was dropped, S3 says the same.
        versions = self.bucket.versions([file_id]).get(file_id)
        if versions is None:
            raise TryAgainError("It could not be told now. Repeat the call: it is harmless.")
        if versions:
            raise AlreadyUploadedError("All parts are there and put together. Complete the upload.")
        raise UploadEndedError("S3 has dropped the upload. Begin another.")
