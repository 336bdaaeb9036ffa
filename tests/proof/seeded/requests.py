"""Seeded bugs in what comes in and goes out: requests, answers, the log."""

import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest import mock

from botocore.exceptions import HTTPClientError

from filestore import api, telemetry
from filestore.domain.outcome import Problem
from filestore.storage import links
from filestore.use_cases.info import DescribeFiles
from filestore.use_cases.store import StoreFiles
from filestore.use_cases.undo import UndoUpload
from tests.proof.seeded.patching import Bug, change


def _log_token(original: Any, undo: UndoUpload, file_id: str, token: str) -> Any:
    telemetry.logger.info("undo", token=token)
    return original(undo, file_id, token)


def _log_url(original: Any, *args: Any, **kwargs: Any) -> Any:
    signed = original(*args, **kwargs)
    telemetry.logger.info("signed", url=signed)
    return signed


BUGS: Mapping[str, Bug] = {
    "* ids from a generator that can be predicted": lambda: mock.patch(
        "filestore.use_cases.upload.secrets.token_hex", lambda octets: random.randbytes(octets).hex()
    ),
    "* batches are cut at ten": change(api.Request, "ids", lambda original, request: original(request)[:10]),
    "* what was filtered out leaks into the details": change(
        DescribeFiles,
        "describe",
        lambda original, describe, ids, **_: original(describe, ids, nonstored=True, deleted=True),
    ),
    "* malformed bodies end in a 5xx": change(
        api.Request, "json", lambda _, request: json.loads(request.event["body"])
    ),
    "* names go into Content-Disposition as they are": lambda: mock.patch(
        "filestore.use_cases.info.attachment", lambda name: f'attachment; filename="{name}"'
    ),
    "* the log has tokens": change(UndoUpload, "undo", _log_token),
    "* the log has presigned URLs": change(links.LinkSigner, "_sign", _log_url),
    "what is not stored is unknown to whoever asks for its contents": lambda: mock.patch(
        "filestore.use_cases.content.UNSTORED", frozenset()
    ),
    "a browser shows whatever it is asked to": lambda: mock.patch(
        "filestore.use_cases.content.shown_as", lambda media_type: media_type
    ),
    "a browser shows what begins like an image": lambda: mock.patch(
        "filestore.use_cases.content.shown_as",
        lambda media_type: media_type if media_type.startswith(("image/", "text/plain")) else None,
    ),
    "store does not look for what it has not seen": change(StoreFiles, "_store_unseen", lambda *_: {}),
    "what was throttled is left out": change(
        StoreFiles,
        "store",
        lambda original, store, ids: replace(
            (outcome := original(store, ids)),
            problems={key: why for key, why in outcome.problems.items() if why is not Problem.TRY_AGAIN},
        ),
    ),
    "no connection is a 500": lambda: mock.patch("filestore.storage.aws.NoConnectionError", HTTPClientError),
}
