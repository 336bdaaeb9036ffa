"""Seeded bugs in what a request begins that comes twice."""

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from unittest import mock

from filestore.api.request import Request
from filestore.domain.idempotency import RequestKey
from filestore.errors import NoKeyError, StorageError
from filestore.storage.links import LinkSigner
from filestore.storage.repository import FileRepository
from tests.proof.seeded.patching import Bug, change


def _whatever_the_key(original: Any, files: FileRepository, file: Any) -> Any:
    existing = original(files, file)
    return None if existing is not None else existing


def _as_a_fault(original: Any, files: FileRepository, file: Any) -> None:
    if original(files, file) is not None:
        raise StorageError("ConditionalCheckFailedException", "there is a record")


_file_id = vars(RequestKey)["file_id"].fget


def _whoever_it_is(original: Any, request: Request) -> str:
    try:
        return str(original(request))
    except NoKeyError:
        return ""


BUGS: Mapping[str, Bug] = {
    "a request that is repeated begins another upload": lambda: mock.patch.object(
        RequestKey, "file_id", property(lambda _: hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:32])
    ),
    "another body has the upload of the first": change(
        RequestKey, "token", lambda original, request, salt: original(request._replace(body=""), salt)
    ),
    "a request that is repeated has a token that undoes nothing": change(FileRepository, "create", _whatever_the_key),
    "a request that is repeated is a fault": change(FileRepository, "create", _as_a_fault),
    "a URL that is signed again lives as long as the first": change(
        LinkSigner, "upload", lambda original, signer, key, **given: original(signer, key, **given | {"life": None})
    ),
    "a request that is repeated is refused": change(
        RequestKey,
        "token",
        lambda original, request, salt: original(request._replace(key=secrets.token_hex(8)), salt),
    ),
    "a back end meets another's request": lambda: mock.patch.object(
        RequestKey, "file_id", property(lambda request: _file_id(request._replace(caller="")))
    ),
    "two back ends have one upload": lambda: mock.patch(
        "filestore.handlers.upload.RequestKey", lambda _, key, body: RequestKey("", key, body)
    ),
    "two back ends have one token": change(
        RequestKey, "token", lambda original, request, _: original(request._replace(caller=""), "")
    ),
    "strangers ask where only back ends may": change(Request, "key_id", _whoever_it_is),
}
