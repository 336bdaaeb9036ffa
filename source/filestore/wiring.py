"""Puts a function together, once per container and only from what it uses.

Handlers call these while they are imported: Lambda gives that phase (INIT) a full CPU, which the first request no
longer has. Each brings its own modules, so that no function's cold start pays for another's.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from filestore.settings import Settings, late_upload_margin, multipart_threshold, upload_is_public
from filestore.storage import aws
from filestore.storage.repository import FileRepository

if TYPE_CHECKING:
    from filestore.storage.bucket import Bucket
    from filestore.storage.links import LinkSigner
    from filestore.storage.multipart import MultipartUploads
    from filestore.use_cases.complete import CompleteUpload
    from filestore.use_cases.content import LinkContent
    from filestore.use_cases.delete import DeleteFiles
    from filestore.use_cases.info import DescribeFiles
    from filestore.use_cases.list import ListFiles
    from filestore.use_cases.parts import ShowParts
    from filestore.use_cases.show import ShowFile
    from filestore.use_cases.sign import SignParts
    from filestore.use_cases.store import StoreFiles
    from filestore.use_cases.sweep import Sweep
    from filestore.use_cases.undo import UndoUpload
    from filestore.use_cases.update import UpdateFile
    from filestore.use_cases.upload import BeginUpload
    from filestore.use_cases.uploaded import RecordUploads


@cache
def settings() -> Settings:
    """The stack's parameters."""
    return Settings.from_environment()


@cache
def key_is_needed() -> bool:
    """Whether POST /file is for back ends alone."""
    return not upload_is_public()


@cache
def begin_upload() -> BeginUpload:
    """POST /file."""
    from filestore.use_cases.upload import BeginUpload

    return BeginUpload(_files(), _links(), _multipart_uploads(), settings(), multipart_threshold(), now)


@cache
def sign_parts() -> SignParts:
    """POST /file/{id}/parts."""
    from filestore.use_cases.sign import SignParts

    return SignParts(_files(), _links(), settings(), now)


@cache
def show_parts() -> ShowParts:
    """GET /file/{id}/parts. Every one asks S3."""
    from filestore.use_cases.parts import ShowParts

    aws.s3()
    return ShowParts(_files(), _bucket(), _multipart_uploads())


@cache
def complete_upload() -> CompleteUpload:
    """POST /file/{id}/complete. Every one asks S3, and has it work."""
    from filestore.use_cases.complete import CompleteUpload

    aws.s3()
    aws.s3_once()
    return CompleteUpload(_files(), _bucket(), _multipart_uploads(), record_uploads(), now)


@cache
def undo_upload() -> UndoUpload:
    """DELETE /file/{id}. Every undo of an upload that arrived asks S3."""
    from filestore.use_cases.undo import UndoUpload

    aws.s3()
    return UndoUpload(_files(), _bucket(), _multipart_uploads(), settings(), now)


@cache
def store_files() -> StoreFiles:
    """PUT /files."""
    from filestore.use_cases.store import StoreFiles

    return StoreFiles(_files(), _bucket(), settings(), now)


@cache
def describe_files() -> DescribeFiles:
    """POST /files."""
    from filestore.use_cases.info import DescribeFiles

    return DescribeFiles(_files(), _links())


@cache
def list_files() -> ListFiles:
    """GET /files."""
    from filestore.storage.places import ListIndex
    from filestore.use_cases.list import ListFiles

    return ListFiles(ListIndex(aws.dynamodb(), settings().table_name), describe_files())


@cache
def show_file() -> ShowFile:
    """GET /files/{id}."""
    from filestore.use_cases.show import ShowFile

    return ShowFile(describe_files())


@cache
def link_content() -> LinkContent:
    """GET /files/{id}/content."""
    from filestore.use_cases.content import LinkContent

    return LinkContent(_files(), _links())


@cache
def update_file() -> UpdateFile:
    """PATCH /files/{id}."""
    from filestore.use_cases.update import UpdateFile

    return UpdateFile(_files(), describe_files())


@cache
def delete_files() -> DeleteFiles:
    """DELETE /files. Every deletion asks S3."""
    from filestore.use_cases.delete import DeleteFiles

    aws.s3()
    return DeleteFiles(_files(), _bucket(), now)


@cache
def record_uploads() -> RecordUploads:
    """S3's events."""
    from filestore.use_cases.uploaded import RecordUploads

    return RecordUploads(_files(), _bucket(), settings(), now)


@cache
def sweep() -> Sweep:
    """The schedule."""
    from filestore.storage.due import DueFiles
    from filestore.use_cases.sweep import Sweep

    due = DueFiles(aws.dynamodb(), settings().table_name)
    return Sweep(
        _files(), due, _bucket(), _multipart_uploads(), record_uploads(), settings(), late_upload_margin(), now
    )


@cache
def _files() -> FileRepository:
    return FileRepository(aws.dynamodb(), settings().table_name)


@cache
def _bucket() -> Bucket:
    from filestore.storage.bucket import Bucket

    return Bucket(aws.s3, settings().bucket_name)


@cache
def _multipart_uploads() -> MultipartUploads:
    from filestore.storage.multipart import MultipartUploads

    return MultipartUploads(aws.s3, aws.s3_once, settings().bucket_name)


@cache
def _links() -> LinkSigner:
    from filestore.storage.links import LinkSigner

    return LinkSigner(aws.session(), settings().bucket_name, settings().signed_url_expiration)


def now() -> float:
    """The time in seconds since the epoch, looked up anew at each call."""
    return time.time()
