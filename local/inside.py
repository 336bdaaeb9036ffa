"""What durability uses of ministack's inside, in one place: what it has no public door for.

The tests of durability fail where a new release of it has changed one of these.
"""

import copy
import json
import os
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack import app as emulator
from ministack.core import persistence
from ministack.services import apigateway_v1, eventbridge, lambda_svc, s3, scheduler, sqs

app = emulator.app

READERS = frozenset({"ministack", "persistence"})
"""The loggers of what loads the state. What cannot be loaded is an error there, and no more: it begins anew."""


def saves_nothing_itself() -> None:
    """Keep it from saving when it stops; what it saves from then on is what ``save`` is asked for."""
    emulator.PERSIST_STATE = False


def save(folder: Path) -> bool:
    """Write what every service has to save, and whether that is all of it.

    Only for a process that ends with it: nobody else sees its memory, so copies of all records would be for nothing.
    And ``dumps`` encodes in C, which ``dump`` does not.
    """
    copy.deepcopy = _same  # type: ignore[assignment]
    json.dump = lambda value, file, **how: file.write(json.dumps(value, **how))
    persistence.STATE_DIR = str(folder)
    lambda_svc.CODE_BLOB_DIR = str(folder / "lambda-blobs")
    services = emulator._build_persistence_save_dict()
    persistence.save_all(services)
    return all((folder / f"{service}.json").exists() for service in services)


def _same(value: Any, *_: object) -> Any:
    return value


async def write_records(write: Mapping[str, str]) -> int:
    """Make a request to DynamoDB as root, by its ``write`` (the operation), ``region`` and ``body``.

    Returns the status.
    """
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/20260101/{write['region']}/dynamodb/aws4_request"
    headers = {
        "host": "127.0.0.1",
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": f"DynamoDB_20120810.{write['write']}",
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
    }
    scope = {
        "type": "http", "http_version": "1.1", "scheme": "http", "method": "POST",
        "path": "/", "raw_path": b"/", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    body = write["body"].encode(errors="surrogateescape")
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])
    status = 0

    async def receive() -> MutableMapping[str, Any]:
        return next(sent, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    await app(scope, receive, send)
    return status


def call_around_objects(note: Callable[[str], None], told: Callable[[str], None]) -> None:
    """Have ``note`` called before S3 writes an object to the disk, and ``told`` after its event was sent.

    Both get its path, ``/bucket/key``, where S3 is to send events of it. S3 has looked at signature, size and checksum
    by then: whoever is refused is not noted.
    """
    write, send = s3._persist_object, s3._fire_s3_event

    def noted(bucket: str, key: str, contents: Any) -> None:
        if bucket in s3._bucket_notifications:
            note(f"/{bucket}/{key}")
        write(bucket, key, contents)

    def sent(bucket: str, key: str, event: str, *how: Any, **more: Any) -> None:
        send(bucket, key, event, *how, **more)
        if event.startswith("s3:ObjectCreated:"):
            told(f"/{bucket}/{key}")

    s3._persist_object, s3._fire_s3_event = noted, sent


def files_of(bucket: str, key: str) -> list[Path]:
    """Where an object is on the disk: its bytes, what is known of them, the folder."""
    path = Path(s3._object_disk_path(bucket, key))
    return [path, path.with_name(path.name + ".meta.json"), path.parent]


def tell_of(bucket: str, key: str) -> None:
    """Have S3 send its event of every version of an object again."""
    for version in s3._object_versions.get((bucket, key)) or []:
        if not version.get("is_delete_marker"):
            s3._fire_s3_event(
                bucket,
                key,
                "s3:ObjectCreated:Put",
                version["size"],
                version["etag"],
                version_id=version["version_id"],
            )


def delivers_anew() -> None:
    """Have queues that are read from the disk deliver what was received and not deleted: who had received it is gone.

    Its visibility timeout, six minutes, would be waited for otherwise, and nothing be said of the upload meanwhile.
    """
    load = sqs.load_persisted_state

    def loaded(saved: Any) -> None:
        load(saved)
        _deliver_anew()

    sqs.load_persisted_state = loaded


def _deliver_anew() -> None:
    with sqs._queues_lock:
        for _, queue in sqs._queues.all_items():
            for message in queue["messages"]:
                message["visible_at"] = min(message["visible_at"], time.time())


_key_id: ContextVar[str | None] = ContextVar("key_id", default=None)


def say_which_key() -> None:
    """Have API Gateway say which API key let a request in, as Amazon's does of a method that needs one.

    It says so in ``requestContext.identity.apiKeyId`` (API Gateway developer guide, Lambda proxy integrations).
    """
    check, build = apigateway_v1._check_api_key, apigateway_v1._build_lambda_event_v1

    def checked(*args: Any) -> Any:
        error, key = check(*args)
        _key_id.set(key["id"] if key else None)
        return error, key

    def built(*args: Any, **kwargs: Any) -> Any:
        event = build(*args, **kwargs)
        event["requestContext"]["identity"]["apiKeyId"] = _key_id.get()
        return event

    apigateway_v1._check_api_key, apigateway_v1._build_lambda_event_v1 = checked, built


class Clock:
    """The time of day, which ministack reckons with: set back, it would wait for a time to come again."""

    def __init__(self) -> None:
        self._seen = time.time()

    def look(self) -> None:
        """Have nothing lie in the future: throttling begins anew, schedules run and queues deliver from now on."""
        before, self._seen = self._seen, time.time()
        if self._seen < before:
            apigateway_v1._throttle_state.clear()
            lambda_svc._esm_backoff_until.clear()
            _deliver_anew()
            for fired in (eventbridge._rule_last_fired, scheduler._schedule_last_fired):
                fired.update({rule: min(at, self._seen) for rule, at in list(fired.items())})
