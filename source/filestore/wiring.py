"""Puts a function together, once per container and only from what it uses.

Handlers call these while they are imported: Lambda gives that phase (INIT) a full CPU, which the first request no
longer has.
"""

import time
from functools import cache

from filestore.domain.delete import DeleteFiles
from filestore.domain.info import DescribeFiles
from filestore.domain.store import StoreFiles
from filestore.domain.sweep import Sweep
from filestore.domain.undo import UndoUpload
from filestore.domain.upload import BeginUpload
from filestore.domain.uploaded import RecordUploads
from filestore.settings import Settings
from filestore.storage import aws
from filestore.storage.bucket import Bucket
from filestore.storage.links import LinkSigner
from filestore.storage.repository import FileRepository


@cache
def settings() -> Settings:
    """The stack's parameters."""
    return Settings.from_environment()


@cache
def begin_upload() -> BeginUpload:
    """POST /file."""
    return BeginUpload(_files(), _links(), settings(), now)


@cache
def undo_upload() -> UndoUpload:
    """DELETE /file/{id}."""
    return UndoUpload(_files(), _bucket(), settings(), now)


@cache
def store_files() -> StoreFiles:
    """PUT /files."""
    return StoreFiles(_files(), _bucket(), settings(), now)


@cache
def describe_files() -> DescribeFiles:
    """POST /files."""
    return DescribeFiles(_files(), _links())


@cache
def delete_files() -> DeleteFiles:
    """DELETE /files."""
    return DeleteFiles(_files(), _bucket(), now)


@cache
def record_uploads() -> RecordUploads:
    """S3's events."""
    return RecordUploads(_files(), _bucket(), settings(), now)


@cache
def sweep() -> Sweep:
    """The schedule."""
    return Sweep(_files(), _bucket(), record_uploads(), now)


@cache
def _files() -> FileRepository:
    return FileRepository(aws.dynamodb(), settings().table_name)


@cache
def _bucket() -> Bucket:
    return Bucket(aws.s3(), settings().bucket_name)


@cache
def _links() -> LinkSigner:
    return LinkSigner(aws.session(), settings().bucket_name, settings().signed_url_expiration)


def now() -> float:
    """The time in seconds since the epoch, looked up anew at each call."""
    return time.time()
