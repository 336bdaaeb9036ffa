"""Puts a function together, once per container and only from what it uses.

Handlers call these while they are imported: Lambda gives that phase (INIT) a full CPU, which the first request no
longer has. Each brings its own modules, so that no function's cold start pays for another's.
"""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from filestore.settings import Settings, late_upload_margin, upload_is_public
from filestore.storage import aws
from filestore.storage.repository import FileRepository

if TYPE_CHECKING:
    from filestore.storage.bucket import Bucket
    from filestore.storage.links import LinkSigner
    from filestore.use_cases.content import LinkContent
    from filestore.use_cases.delete import DeleteFiles
    from filestore.use_cases.info import DescribeFiles
    from filestore.use_cases.show import ShowFile
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

    return BeginUpload(_files(), _links(), settings(), now)


@cache
def undo_upload() -> UndoUpload:
    """DELETE /file/{id}. Every undo of an upload that arrived asks S3."""
    from filestore.use_cases.undo import UndoUpload

    aws.s3()
    return UndoUpload(_files(), _bucket(), settings(), now)


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
    from filestore.use_cases.sweep import Sweep

    return Sweep(_files(), _bucket(), record_uploads(), settings(), late_upload_margin(), now)


@cache
def _files() -> FileRepository:
    return FileRepository(aws.dynamodb(), settings().table_name)


@cache
def _bucket() -> Bucket:
    from filestore.storage.bucket import Bucket

    return Bucket(aws.s3, settings().bucket_name)


@cache
def _links() -> LinkSigner:
    from filestore.storage.links import LinkSigner

    return LinkSigner(aws.session(), settings().bucket_name, settings().signed_url_expiration)


def now() -> float:
    """The time in seconds since the epoch, looked up anew at each call."""
    return time.time()
