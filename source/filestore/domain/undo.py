"""Take back an upload: the uploader's undo and cancel."""

import hmac
from dataclasses import dataclass

from filestore.domain.delete import pinned_versions
from filestore.errors import AlreadyStoredError, InvalidTokenError, TryAgainError, UnknownFileError
from filestore.model import Clock, File, hash_token, timestamp
from filestore.settings import Settings
from filestore.storage.bucket import Bucket
from filestore.storage.repository import Applied, FileRepository, Refused, Throttled


@dataclass(frozen=True, slots=True)
class UndoUpload:
    """Takes uploads back."""

    files: FileRepository
    bucket: Bucket
    settings: Settings
    clock: Clock

    def __call__(self, file_id: str, token: str) -> None:
        """Delete an upload that no back end has stored; where files are stored as they arrive, until its URL expires.

        Repeating it is harmless. Raises UnknownFileError, InvalidTokenError, AlreadyStoredError, TryAgainError.
        """
        now = self.clock()
        token_hash = hash_token(token)
        attempt = self.files.undo(
            file_id,
            token_hash=token_hash,
            deleted_at=timestamp(now),
            sweep_at=int(now),
            even_stored=self.settings.store_on_load,
        )
        match attempt:
            case Applied(File() as file):
                self.bucket.delete(pinned_versions([file]))
            case Refused(None):
                raise UnknownFileError("There is no such file.")
            case Refused(File(token_hash=known)) if known is None or not hmac.compare_digest(known, token_hash):
                raise InvalidTokenError("The token is not this upload's.")
            case Refused(File(deleted_at=str()) as file):
                # Deleted before; while the sweep is not through with it, its bytes may still be there.
                self.bucket.delete(pinned_versions([file] if file.sweep_at is not None else []))
            case Refused(File(stored_at=str())):
                raise AlreadyStoredError("The file is stored. Only the back end can delete it.")
            case Refused() if self.settings.store_on_load:
                raise InvalidTokenError("The token has expired.")
            case Refused() | Throttled():
                raise TryAgainError("It could not be done now. Repeat the call: it is harmless.")
