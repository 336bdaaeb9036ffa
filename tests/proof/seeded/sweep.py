"""Seeded bugs in the sweep, and in the times that it goes by."""

from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

from filestore.domain.clock import seconds
from filestore.domain.file import URL_MARGIN
from filestore.domain.outcome import Applied
from filestore.storage.bucket import Bucket
from filestore.storage.due import DueFiles
from filestore.storage.repository import FileRepository
from filestore.use_cases.sweep import Sweep
from tests.proof.seeded.objects import unlisted_is_empty
from tests.proof.seeded.patching import Bug, change, statement, within


def _one_page(original: Any, due: DueFiles, shard: str, *, now: int) -> Any:
    yield next(iter(original(due, shard, now=now)))


def _uploaded_only(original: Any, due: DueFiles, shard: str, *, now: int) -> Any:
    for page in original(due, shard, now=now):
        yield [file for file in page if file.uploaded_at]


def _over_in(method: str, over_at: Callable[[Any], int]) -> Bug:
    """Uploads are over at another time, as far as this method of the sweep goes."""
    return within(Sweep, method, Sweep, "_closes_at", lambda _, __, file: over_at(file))


BUGS: Mapping[str, Bug] = {
    "* the sweep reads one page": change(DueFiles, "pages", _one_page),
    "* the sweep goes over the same files for ever": change(
        DueFiles, "finish_deletion", lambda *args: dict.fromkeys(args[-1], Applied(None))
    ),
    "* the sweep never sees what was not uploaded": change(DueFiles, "pages", _uploaded_only),
    "* an upload after the delete stays: the sweep does not wait for the URL to expire": _over_in(
        "_finish", lambda _: 0
    ),
    "stored files expire": statement(
        'SET "deletion"=? WHERE "id"=? AND "uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING',
        'SET "deletion"=? WHERE "id"=? AND "uploaded_at" IS NOT MISSING',
    ),
    "uploads expire early": lambda: mock.patch("filestore.use_cases.sweep.seconds", lambda text: seconds(text) - 5000),
    "uploads outlive their lifetime while their URL works": change(
        FileRepository,
        "record_uploads",
        lambda original, *args, **values: original(*args, **values | {"sweep_at": None}),
    ),
    "uploads that were put off are forgotten": change(
        DueFiles,
        "sweep_later",
        lambda original, files, times, condition: original(
            files, {file_id: at + 10**6 for file_id, at in times.items()}, condition
        ),
    ),
    "records are dropped before their objects, of uploads that are too large": change(
        DueFiles, "keep_pending", lambda *_: {}
    ),
    "pending records go while their URL works": _over_in("_end_pending", lambda _: 0),
    "pending records go when their URL is dead, though an upload is on its way": _over_in(
        "_end_pending", lambda file: file.url_expires_at + URL_MARGIN
    ),
    "deleted files leave the sweep when their URL is dead": _over_in(
        "_finish", lambda file: file.url_expires_at + URL_MARGIN
    ),
    "deleted files leave the sweep without the URL's margin": _over_in("_finish", lambda file: file.url_expires_at),
    "deleted files leave the sweep though their objects were not listed": within(
        Sweep, "_finish", Bucket, "versions", unlisted_is_empty
    ),
    "TTL drops pending records an hour after their URL is dead": lambda: mock.patch(
        "filestore.use_cases.upload._PURGE_AFTER", 3600
    ),
    "a pending record is removed that was begun anew": change(
        DueFiles, "remove_pending", lambda original, due, ids, now: original(due, ids, now=2 * now)
    ),
    "a pending record is removed without looking at its record": statement(
        'DELETE FROM "files" WHERE "id"=? AND "uploaded_at" IS MISSING AND "deleted_at" IS MISSING',
        'DELETE FROM "files" WHERE "id"=?',
    ),
}
