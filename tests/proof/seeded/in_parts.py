"""Seeded bugs in uploads in parts."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

from filestore.domain.file import File, Receipt
from filestore.domain.multipart import Completed
from filestore.domain.outcome import Applied
from filestore.errors import UploadEndedError
from filestore.storage.multipart import MultipartUploads
from filestore.storage.repository import FileRepository
from filestore.use_cases import complete
from filestore.use_cases.complete import CompleteUpload
from filestore.use_cases.sweep import Sweep
from filestore.use_cases.undo import UndoUpload
from tests.proof.seeded.patching import Bug, change


def _first_page(original: Any, uploads: Any, key: str, upload_id: str) -> Any:
    found = original(uploads, key, upload_id)
    return found and found[:1]


def _any_token(original: Any, repository: FileRepository, file_id: str, **values: Any) -> Any:
    found = repository.get([file_id])[0].get(file_id)
    return original(repository, file_id, **values | {"token_hash": found.token_hash if found else ""})


def _abort_first(original: Any, undo: UndoUpload, file_id: str, token: str) -> Any:
    for file in undo.files.get([file_id])[0].values():
        if file.unfinished_upload:
            undo.uploads.abort(*file.unfinished_upload)
    return original(undo, file_id, token)


def _end_first(original: Any, sweep: Sweep, over: Any, *more: Any) -> Any:
    sweep.uploads.end([file.unfinished_upload for file in over if file.unfinished_upload])
    return original(sweep, over, *more)


def _unrenewed(_: Any, repository: FileRepository, file_id: str, **__: Any) -> Any:
    return Applied(repository.get([file_id])[0].get(file_id))


def _of_a_part(original: Any, completed: Completed, declared: str | None) -> Receipt | None:
    receipt: Receipt | None = original(completed, declared)
    return receipt and receipt._replace(checksum=receipt.checksum._replace(value="rosUhgp5mIg="))


def _unverified(_: Any, completing: CompleteUpload, file: File, declared: str | None) -> Completed:
    return Completed(completing._found_version(file), declared)  # noqa: SLF001 - what is left out is the rest of it


def _ended(_: Any, __: CompleteUpload, *___: Any) -> Any:
    raise UploadEndedError("S3 has dropped the upload.")


def _drop(_: Any, sweep: Sweep, over: Any, now: int, *__: Any) -> None:
    sweep.due.remove_pending((file.id for file in over), now=now)


BUGS: Mapping[str, Bug] = {
    "only the first page of parts is read": change(MultipartUploads, "parts", _first_page),
    "parts are put together though some are missing": lambda: mock.patch(
        "filestore.use_cases.complete._missing", return_value=[]
    ),
    "any token shows and completes an upload in parts": lambda: mock.patch(
        "filestore.use_cases.opened.hmac.compare_digest", return_value=True
    ),
    "any token has parts signed": change(FileRepository, "renew", _any_token),
    "an upload in parts is aborted before the record says so": change(UndoUpload, "undo", _abort_first),
    "the sweep aborts an upload in parts before the record says so": change(Sweep, "_abandon", _end_first),
    "the sweep drops the record of an upload in parts": change(Sweep, "_abandon", _drop),
    "the lease of an upload in parts is never renewed": change(FileRepository, "renew", _unrenewed),
    "the checksum is that of something else": change(complete, "_receipt", _of_a_part),
    "what an uploader says is a receipt, and S3 is not asked": change(
        MultipartUploads,
        "complete",
        lambda original, uploads, file, parts, _: original(uploads, file, parts, None),
    ),
    "what S3 was not asked about has the checksum that is declared": change(CompleteUpload, "_found", _unverified),
    "what S3 has put together and nobody heard of is taken for dropped": change(CompleteUpload, "_found", _ended),
    "what S3 refuses to put together stays": change(CompleteUpload, "_give_up", lambda *_: None),
    "an upload in parts without a record is left": change(Sweep, "_end_orphans", lambda *_: True),
    "an upload in parts with a record is taken for one without": lambda: mock.patch(
        "filestore.use_cases.sweep._is_of", return_value=False
    ),
    "an upload in parts is gone once it was aborted": change(
        MultipartUploads, "_end", lambda _, uploads, upload: uploads.abort(*upload)
    ),
    "a part that is on its way is not waited for": change(MultipartUploads, "end", lambda *_: set()),
}
