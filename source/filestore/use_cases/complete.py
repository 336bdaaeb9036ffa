"""Complete an upload in parts: S3 makes an object of them, and the record is pinned to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from filestore.domain.clock import Clock, timestamp
from filestore.domain.file import Checksum, File, ObjectVersion, Receipt, hash_token
from filestore.domain.lifecycle import OVER, State
from filestore.domain.multipart import Completed
from filestore.domain.outcome import Applied, Refused
from filestore.domain.plan import PARTS_ALGORITHM, plan_of
from filestore.errors import (
    ChecksumMismatchError,
    FieldError,
    InvalidBodyError,
    PartsMissingError,
    TryAgainError,
    UploadEndedError,
)
from filestore.use_cases.opened import opened

if TYPE_CHECKING:
    from filestore.domain.multipart import Part
    from filestore.domain.ports import Bucket, Files, MultipartUploads
    from filestore.use_cases.uploaded import RecordUploads


@dataclass(frozen=True, slots=True)
class CompleteUpload:
    """Completes uploads in parts."""

    files: Files
    bucket: Bucket
    uploads: MultipartUploads
    record_uploads: RecordUploads
    clock: Clock

    def complete(self, file_id: str, token: str, checksum: str | None) -> int | None:
        """Make a file of the parts. Returns its bytes, None where it was one already. Repeating it is harmless.

        S3 checks the whole against ``checksum``, a CRC64NVME in base64. Raises UnknownFileError, InvalidTokenError,
        InvalidBodyError for another checksum than was declared, NotInPartsError, UploadEndedError, PartsMissingError,
        TryAgainError, and ChecksumMismatchError, after which the upload is given up.
        """
        file = opened(self.files, file_id, token)
        if file.state in OVER:
            raise UploadEndedError("The upload is over. Begin another.")
        if file.state is not State.PENDING:
            self._attest(file, checksum)
            return None
        declared = _declared(file, checksum)
        try:
            completed = self._completed(file, declared) or self._found(file, declared)
        except ChecksumMismatchError:
            self._give_up(file, token)
            raise
        return self._record(completed.version, _receipt(completed, declared))

    def _completed(self, file: File, declared: str | None) -> Completed | None:
        """None where S3 has no such upload any more: it was completed before, or dropped."""
        parts = self.uploads.parts(file.id, file.upload_id or "")
        if parts is None:
            return None
        missing = _missing(file, parts)
        if missing:
            raise PartsMissingError(missing)
        return self.uploads.complete(file, parts, declared)

    def _attest(self, file: File, declared: str | None) -> None:
        """Add the checksum that nobody told when the upload was recorded: whoever completed it heard no answer."""
        if file.checksum is not None or file.version_id is None:
            return
        version = ObjectVersion(file.id, file.version_id)
        checksum = self.bucket.checksum(version)
        if checksum is not None:
            self.files.attest(version, Receipt(Checksum(PARTS_ALGORITHM, checksum), _source(checksum, declared)))

    def _found(self, file: File, declared: str | None) -> Completed:
        """What an earlier call has made, of which nobody has heard. Raises ChecksumMismatchError."""
        version = self._found_version(file)
        checksum = self.bucket.checksum(version)
        if checksum is not None and declared not in (None, checksum):
            raise ChecksumMismatchError("The contents have another checksum. The upload is given up.")
        return Completed(version, checksum)

    def _found_version(self, file: File) -> ObjectVersion:
        versions = self.bucket.versions([file.id]).get(file.id)
        if versions is None:
            raise TryAgainError("It could not be told now. Repeat the call: it is harmless.")
        for version in versions:
            if version.size == file.size:
                return version
        raise UploadEndedError("S3 has dropped the upload. Begin another.")

    def _record(self, version: ObjectVersion, receipt: Receipt | None) -> int | None:
        if not version.is_lasting:
            raise TryAgainError("The bucket is not ready. Repeat the call: it is harmless.")
        receipts = {version.key: receipt} if receipt else {}
        match self.record_uploads.pin([version], {}, receipts)[version.key]:
            case Applied():
                return version.size
            case Refused(File(version_id=pinned, checksum=known)) if pinned == version.version_id:
                # S3's event was first. It says nothing of the checksum.
                if receipt and known is None:
                    self.files.attest(version, receipt)
                return None
            case Refused(File() as file) if file.state not in OVER:
                raise TryAgainError("It could not be recorded now. Repeat the call: it is harmless.")
            case Refused():
                # Whoever ended it leaves nothing behind: the event of the version, and the sweep.
                raise UploadEndedError("The upload is over. Begin another.")
        raise TryAgainError("It could not be recorded now. Repeat the call: it is harmless.")

    def _give_up(self, file: File, token: str) -> None:
        now = self.clock()
        attempt = self.files.undo(
            file.id, token_hash=hash_token(token), deleted_at=timestamp(now), sweep_at=int(now), even_stored=False
        )
        if isinstance(attempt, Applied):
            self.uploads.abort(file.id, file.upload_id or "")


def _declared(file: File, checksum: str | None) -> str | None:
    """The checksum to have S3 look at: that of this call, or that with which the upload was begun."""
    if file.checksum is None:
        return checksum
    if checksum not in (None, file.checksum.value):
        raise InvalidBodyError([FieldError("/checksum", "The upload was begun with another checksum.")])
    return file.checksum.value


def _missing(file: File, parts: Sequence[Part]) -> list[int]:
    """The numbers of parts that are not there as planned."""
    plan = plan_of(file)
    sizes = {part.number: part.size for part in parts}
    return [number for number in range(1, plan.part_count + 1) if sizes.get(number) != plan.size_of(number)]


def _receipt(completed: Completed, declared: str | None) -> Receipt | None:
    """What S3 has verified, or else computed."""
    if completed.checksum is None:
        return None
    return Receipt(Checksum(PARTS_ALGORITHM, completed.checksum), _source(completed.checksum, declared))


def _source(checksum: str, declared: str | None) -> str | None:
    return None if checksum == declared else "s3"
