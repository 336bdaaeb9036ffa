"""Keeps what the emulator has acknowledged: it has its state in memory, and saves it only when stopped in order.

A write to DynamoDB is acknowledged once it is appended to a file; a restart repeats these writes on the last snapshot. S3
writes objects as they come, and what it would have told of them is told again. Everything else is the deployment's doing and
is in the next snapshot. A snapshot is made by a forked child, which sees all services at one moment and holds up nobody.

What cannot be saved is not acknowledged either: the emulator says so and ends, and what it acknowledged before is on the disk.
"""

import asyncio
import copy
import errno
import json
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote
from xml.etree import ElementTree

from ministack import app as emulator
from ministack.core import persistence
from ministack.services import apigateway_v1, eventbridge, lambda_svc, s3, scheduler

from local import state

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

# After this many seconds even a power cut takes nothing away. A process that is killed never does.
PROMISED_SECONDS = 2

_SYNC_EVERY = 0.5
_SNAPSHOT_EVERY = 1.0
_SNAPSHOT_WITHIN = 60
_NICENESS = 10
# The most that a restart has to repeat, apart from what came during a snapshot.
_WRITES_PER_SNAPSHOT = 1000
# S3 tells of an object a moment after it has acknowledged it.
_TOLD_AFTER = 5.0

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_WRITING = frozenset(
    {
        "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems",
        "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
    }
)  # fmt: skip
_READING = re.compile(r"(Get|List|Describe|BatchGet|TransactGet|Query|Scan|Receive|ChangeMessageVisibility)")
# Nothing is promised of them: logs, metrics and sessions.
_FLEETING = frozenset({"logs", "monitoring", "sts", "xray"})
_UNWRITABLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE}
)
_FIRST_ERROR = 400


class Keeper:
    """An ASGI application around the emulator's. ``folder`` has the snapshots, ``number`` is that of the one it loads."""

    def __init__(self, app: App, folder: Path, number: int) -> None:
        self._app = app
        self._folder = folder
        self._loaded = number
        self._number = number
        self._file = -1
        self._count = 0
        self._to_sync = False
        self._objects: set[str] = set()
        self._uploads: dict[str, float | None] = {}
        # Until the first snapshot that is asked for, a deployment is going on; half of one is worth nothing.
        self._held = True
        self._changed = False
        self._snapshots = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_child = False
        logging.getLogger().addHandler(_Failures(self._fail))
        logging.getLogger("persistence").setLevel(logging.WARNING)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the emulator's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            _mind_the_clock()
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                # From here on saving is done here.
                emulator.PERSIST_STATE = False
                await self._recover()
                loop = asyncio.get_running_loop()
                loop.add_signal_handler(signal.SIGUSR1, self._release)
                self._start(self._keep())
            await send(message)

        async def stopping() -> Message:
            message: Message = await receive()
            if message["type"] == "lifespan.shutdown":
                for task in self._tasks:
                    task.cancel()
                self._sync()
                if not self._held:
                    await self._snapshot()
            return message

        await self._app(scope, stopping, started)

    def _start(self, job: Any) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _release(self) -> None:
        self._held = False
        self._start(self._snapshot())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY)
            await asyncio.to_thread(self._sync)
            if not self._held and (self._changed or self._count >= _WRITES_PER_SNAPSHOT):
                await self._snapshot()
                await asyncio.sleep(_SNAPSHOT_EVERY - _SYNC_EVERY)

    # ------------------------------------------------------------- requests

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        request = _Request(scope)
        if request.is_upload:
            await self._upload(request.path, scope, receive, send)
            return
        if not request.may_change:
            await self._app(scope, receive, send)
            return
        body = bytearray()

        async def reading() -> Message:
            message: Message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def answering(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < _FIRST_ERROR:
                if request.is_write:
                    self._append({"write": request.operation, "region": request.region, "body": body.decode()})
                elif request.is_change(bytes(body)):
                    self._changed = True
            await send(message)

        await self._app(scope, reading, answering)

    async def _upload(self, path: str, scope: Any, receive: Any, send: Any) -> None:
        """Written down before it begins: an object that nobody acknowledged is there all the same."""
        self._append({"upload": path})
        self._uploads[path] = None
        try:
            await self._app(scope, receive, send)
        finally:
            self._uploads[path] = time.monotonic()
            self._objects.add(path)
            self._to_sync = True

    # ---------------------------------------------------------------- files

    def _append(self, entry: dict[str, Any]) -> None:
        line, length = state.line(entry), os.fstat(self._file).st_size
        try:
            if os.write(self._file, line) != len(line):
                os.ftruncate(self._file, length)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._fail(error)
        self._count += 1
        self._to_sync = True

    def _sync(self) -> None:
        """Have the disk write down what was acknowledged, objects first: a record is not to be there without its own."""
        if not self._to_sync:
            return
        self._to_sync = False
        try:
            while self._objects:
                bucket, _, key = self._objects.pop().lstrip("/").partition("/")
                path = Path(s3._object_disk_path(bucket, key) or "")
                for each in (path, path.with_name(path.name + ".meta.json"), path.parent):
                    state.sync(each)
            os.fsync(self._file)
        except OSError as error:
            self._fail(error)

    def _next_file(self) -> None:
        """Begin another file of writes, with the uploads that S3 may not have told of yet."""
        before = state.writes_file(self._folder, self._number)
        self._number += 1
        path = state.writes_file(self._folder, self._number)
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            if self._file >= 0:
                os.fsync(self._file)
                os.close(self._file)
        except OSError as error:
            self._fail(error)
        self._file = opened
        if before.exists():
            self._append({"follows": before.stat().st_size})
        told = time.monotonic() - _TOLD_AFTER
        self._uploads = {path: ended for path, ended in self._uploads.items() if ended is None or ended > told}
        for upload in self._uploads:
            self._append({"upload": upload})
        self._count = 0

    async def _snapshot(self) -> None:
        """Write down everything as it is now. Returns when it is on the disk."""
        async with self._snapshots:
            self._changed = False
            self._next_file()
            number = self._number
            child = os.fork()
            if child == 0:
                self._write(number)
            status = await asyncio.to_thread(_result, child)
            if status != 0:
                self._fail(OSError(status, os.strerror(status)))
            state.prune(self._folder, [number, self._loaded] if self._loaded else [number])
            self._loaded = number

    def _write(self, number: int) -> None:
        """Be the child: save and end."""
        self._is_child = True
        status = errno.EIO
        try:
            signal.set_wakeup_fd(-1)
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(each, signal.SIG_DFL)
            # The port is not the child's, nor are the functions' pipes.
            os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65536))
            os.nice(_NICENESS)
            # Nobody else sees this memory, so copies are for nothing; and the encoder in C is the one of dumps.
            copy.deepcopy = lambda value: value  # type: ignore[assignment, misc]
            json.dump = lambda value, file, **how: file.write(json.dumps(value, **how))  # type: ignore[assignment]
            draft = self._folder / state.DRAFT
            draft.mkdir()
            persistence.STATE_DIR = str(draft)
            lambda_svc.CODE_BLOB_DIR = str(draft / "lambda-blobs")
            services = emulator._build_persistence_save_dict()
            persistence.save_all(services)
            if all((draft / f"{service}.json").exists() for service in services):
                state.seal(draft, state.snapshot_folder(self._folder, number))
                status = 0
        except OSError as error:
            status = error.errno or errno.EIO
        finally:
            os._exit(status)

    def _fail(self, error: OSError) -> None:
        """Nothing more can be saved: say so and end, so that nothing more is acknowledged."""
        if self._is_child:
            os._exit(error.errno or errno.EIO)
        print(
            f"error: Nothing can be saved in {self._folder.parent}: {os.strerror(error.errno or errno.EIO)}."
            " What was acknowledged is kept. Make room there, then make run again.",
            flush=True,
        )
        os._exit(1)

    # --------------------------------------------------------------- start

    async def _recover(self) -> None:
        """Repeat the writes since the snapshot, and have S3 tell of its new objects again."""
        uploads: dict[str, None] = {}
        failed = 0
        for write in state.writes_since(self._folder, self._number):
            if isinstance(write, str):
                print(f"note: {write}.", flush=True)
            elif "upload" in write:
                uploads[write["upload"]] = None
            else:
                self._count += 1
                failed += await self._repeat(write) >= _FIRST_ERROR
        if failed:
            print(f"note: {failed} writes since the last snapshot could not be repeated.", flush=True)
        numbers = (int(path.name[:6]) for path in self._folder.glob("*.writes"))
        self._number = max(numbers, default=self._number - 1)
        count = self._count
        self._next_file()
        self._count = count
        for upload in uploads:
            self._append({"upload": upload})
            await self._tell(upload)

    async def _repeat(self, write: dict[str, Any]) -> int:
        headers = {
            "x-amz-target": f"DynamoDB_20120810.{write['write']}",
            "content-type": "application/x-amz-json-1.0",
            **_root(write["region"], "dynamodb"),
        }
        status, _ = await self._call("POST", "/", "", headers, write["body"].encode())
        return status

    async def _tell(self, upload: str) -> None:
        bucket, _, key = upload.lstrip("/").partition("/")
        query = f"versions=&prefix={quote(key, safe='')}"
        status, body = await self._call("GET", f"/{bucket}", query, _root("us-east-1", "s3"), b"")
        if status >= _FIRST_ERROR:
            return
        for version in ElementTree.fromstring(body).iterfind("{*}Version"):
            if version.findtext("{*}Key") == key:
                size, etag = int(version.findtext("{*}Size") or 0), version.findtext("{*}ETag") or ""
                version_id = version.findtext("{*}VersionId")
                s3._fire_s3_event(bucket, key, "s3:ObjectCreated:Put", size, etag, version_id=version_id)

    async def _call(
        self, method: str, path: str, query: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, bytes]:
        status, answer = 0, bytearray()
        sent = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> Message:
            return next(sent, {"type": "http.disconnect"})

        async def send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            answer.extend(message.get("body", b""))

        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http",
            "method": method, "path": path, "raw_path": quote(path).encode(), "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0),
        }  # fmt: skip
        await self._app(scope, receive, send)
        return status, bytes(answer)


class _Request:
    """What a request may change, told by how it is signed (Signature Version 4)."""

    def __init__(self, scope: Any) -> None:
        headers = dict(scope["headers"])
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        signed = headers.get(b"authorization", b"").decode("latin-1")
        presigned = f"Credential={query.get('X-Amz-Credential', [''])[0]}"
        credential = _CREDENTIAL.search(signed) or _CREDENTIAL.search(presigned)
        self.region, self._service = credential.groups() if credential else ("", "")
        self.path: str = scope["path"]
        self.operation = headers.get(b"x-amz-target", b"").decode("latin-1").rpartition(".")[2]
        method = scope["method"]
        is_object = self._service == "s3" and self.path.strip("/").count("/") > 0
        own = not any(name in query for name in ("tagging", "acl", "retention", "legal-hold"))
        self.is_upload = is_object and own and method in ("PUT", "POST")
        self.may_change = (
            bool(self._service)
            and self._service not in _FLEETING
            and method not in ("GET", "HEAD", "OPTIONS")
            and not self.path.endswith("/invocations")
            # Objects are removed from the disk at once.
            and not (self._service == "s3" and ((is_object and own) or "delete" in query))
        )
        self.is_write = self._service == "dynamodb" and self.operation in _WRITING

    def is_change(self, body: bytes) -> bool:
        """Whether it is more than a question."""
        operation = self.operation or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
        return not _READING.match(operation)


class _Failures(logging.Handler):
    """Hears of what the emulator could not write, which it logs and then passes over."""

    def __init__(self, fail: Callable[[OSError], None]) -> None:
        super().__init__(logging.WARNING)
        self._fail = fail

    def emit(self, record: logging.LogRecord) -> None:
        said = record.args if isinstance(record.args, tuple) else ()
        raised = record.exc_info[1] if record.exc_info else None
        for each in (*said, raised):
            if isinstance(each, OSError) and each.errno in _UNWRITABLE:
                self._fail(each)


_clock = time.time()


def _mind_the_clock() -> None:
    """The emulator reckons with the time of day: when that is set back, it would wait for it to come again."""
    global _clock  # noqa: PLW0603
    before, _clock = _clock, time.time()
    if _clock < before:
        apigateway_v1._throttle_state.clear()
        for fired in (eventbridge._rule_last_fired, scheduler._schedule_last_fired):
            fired.update({rule: min(at, _clock) for rule, at in fired.items()})


def _root(region: str, service: str) -> dict[str, str]:
    credential = f"test/20260101/{region}/{service}/aws4_request"
    return {
        "host": "127.0.0.1",
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
    }


def _result(child: int) -> int:
    """The exit status of a child, which is killed when it takes too long."""
    late = threading.Timer(_SNAPSHOT_WITHIN, os.kill, (child, signal.SIGKILL))
    late.start()
    _, status = os.waitpid(child, 0)
    late.cancel()
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else errno.EIO


