"""Keeps what the emulator has acknowledged: it has its state in memory, and saves it only when stopped in order.

A write of records is acknowledged once it is appended to a file; a restart repeats these writes on the last snapshot.
Objects are on the disk as they come, and noted in that file before: a restart has S3 tell of the latest again.
Everything else is a deployment's doing, and in the next snapshot. A forked child makes it: it sees all services at one
moment and holds up nobody.

What cannot be saved is not acknowledged: the emulator says so and ends. What it acknowledged before is on the disk.
"""

import asyncio
import errno
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from pathlib import Path
from typing import Any, NoReturn

from local import inside, state, writes
from local.changes import Request
from local.untold import Untold
from local.writes import Entry, Writes

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

# Well within what is promised: a disk may take its time.
_SYNC_EVERY = state.PROMISED_SECONDS / 4
_SNAPSHOT_EVERY = 1.0
_SNAPSHOT_WITHIN = 60
# The most that a restart has to repeat, apart from what came during a snapshot.
_WRITES_PER_SNAPSHOT = 1000
_NICENESS = 10
_FIRST_ERROR = 400
_UNWRITABLE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE}
)


class Keeper:
    """An ASGI application around the emulator's. ``folder`` has the snapshots, ``number`` is that of the loaded one."""

    def __init__(self, app: App, folder: Path, number: int) -> None:
        self._app = app
        self._folder = folder
        self._loaded = number
        self._writes = Writes(folder, state.newest(folder), self._fail)
        self._to_sync = False
        self._syncing = threading.Lock()
        self._objects: set[str] = set()
        self._untold = Untold()
        # Until a snapshot is asked for a deployment goes on, and half of one is worth nothing.
        self._held = True
        self._changed = False
        self._snapshots = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_child = False
        self._clock = inside.Clock()
        self._failures = _Failures(self._fail)
        logging.getLogger().addHandler(self._failures)
        logging.getLogger("persistence").setLevel(logging.WARNING)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request, or the emulator's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        elif scope["type"] == "http":
            self._clock.look()
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _live(self, scope: Any, receive: Any, send: Any) -> None:
        async def started(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                if self._failures.unread:
                    self._end(state.unreadable(self._folder.parent, self._failures.unread[0]))
                inside.saves_nothing_itself()
                await self._recover()
                inside.call_around_objects(self._expect_object, self._untold.told)
                asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._release)
                self._run(self._keep())
            await send(message)

        async def stopping() -> Message:
            message: Message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._run(asyncio.to_thread(self._sync))
                if not self._held:
                    await self._run(self._snapshot())
            return message

        await self._app(scope, stopping, started)

    def _run(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._fail(error)

    def _release(self) -> None:
        self._held = False
        self._run(self._snapshot())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY)
            await asyncio.to_thread(self._sync)
            if not self._held and (self._changed or self._writes.count >= _WRITES_PER_SNAPSHOT):
                await self._snapshot()
                await asyncio.sleep(_SNAPSHOT_EVERY - _SYNC_EVERY)

    # ------------------------------------------------------------- requests

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope)
        if request.is_upload:
            await self._app(scope, receive, self._uploading(request.path, send))
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
            if _is_success(message):
                if request.is_write:
                    text = body.decode(errors="surrogateescape")
                    self._append({"write": request.operation, "region": request.region, "body": text})
                elif not request.is_question(bytes(body)):
                    self._changed = True
            await send(message)

        await self._app(scope, reading, answering)

    def _uploading(self, path: str, send: Callable[[Message], Awaitable[None]]) -> Any:
        async def answering(message: Message) -> None:
            if _is_success(message):
                self._objects.add(path)
                self._to_sync = True
            await send(message)

        return answering

    def _expect_object(self, path: str) -> None:
        """Note an object before S3 writes it, for a restart to have S3 tell of it."""
        self._untold.expect(path)
        self._append({"upload": path})

    # ---------------------------------------------------------------- files

    def _append(self, entry: Entry) -> None:
        self._writes.append(entry)
        self._to_sync = True

    def _sync(self) -> None:
        """Have the disk write down what was acknowledged, objects first: no record is to be there without its own."""
        with self._syncing:
            if not self._to_sync:
                return
            self._to_sync = False
            try:
                while self._objects:
                    for file in inside.files_of(*_object(self._objects.pop())):
                        state.sync(file)
                self._writes.sync()
            except OSError as error:
                self._fail(error)

    async def _snapshot(self) -> None:
        """Write down everything as it is now. Returns when it is on the disk."""
        async with self._snapshots:
            self._changed = False
            self._writes.begin({"upload": path} for path in self._untold.paths())
            number = self._writes.number
            child = os.fork()
            if child == 0:
                self._save(number)
            status = await asyncio.to_thread(_result, child)
            if status != 0:
                shutil.rmtree(state.draft_folder(self._folder, number), ignore_errors=True)
                self._fail(OSError(status, os.strerror(status)))
            state.prune(self._folder, [number, self._loaded] if self._loaded else [number])
            self._loaded = number

    def _save(self, number: int) -> NoReturn:
        """Be the child."""
        self._is_child = True
        status = errno.EIO
        try:
            signal.set_wakeup_fd(-1)
            for each in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
                signal.signal(each, signal.SIG_DFL)
            # The port is not the child's, nor are the functions' pipes.
            os.closerange(3, min(os.sysconf("SC_OPEN_MAX"), 65536))
            os.nice(_NICENESS)
            signal.alarm(_SNAPSHOT_WITHIN)
            with state.claimed(self._folder.parent):
                draft = state.draft_folder(self._folder, number)
                draft.mkdir()
                if inside.save(draft):
                    state.seal(draft, state.snapshot_folder(self._folder, number))
                    status = 0
        except OSError as error:
            status = error.errno or errno.EIO
        finally:
            os._exit(status)

    def _fail(self, error: BaseException) -> NoReturn:
        """Nothing more can be saved: say so and end, so that nothing more is acknowledged."""
        number = (error.errno if isinstance(error, OSError) else None) or errno.EIO
        if self._is_child:
            os._exit(number)
        why = os.strerror(number) if isinstance(error, OSError) else repr(error)
        self._end(
            f"Nothing can be saved in {self._folder.parent} ({why})."
            " What was acknowledged is kept. Make room there, then make run again."
        )

    @staticmethod
    def _end(why: object) -> NoReturn:
        _say(f"error: {why}")
        os._exit(1)

    # ---------------------------------------------------------------- start

    async def _recover(self) -> None:
        """Repeat the writes since the snapshot, and have S3 tell of the objects since."""
        uploads: dict[str, None] = {}
        repeated = failed = 0
        for entry in writes.since(self._folder, self._loaded):
            if isinstance(entry, str):
                _say(f"note: {entry}.")
            elif "upload" in entry:
                uploads[entry["upload"]] = None
            else:
                repeated += 1
                failed += await inside.write_records(entry) >= _FIRST_ERROR
        if failed:
            _say(f"note: {failed} of {repeated} writes since the last snapshot could not be repeated.")
        self._writes.begin({"upload": upload} for upload in uploads)
        self._writes.count += repeated
        for upload in uploads:
            inside.tell_of(*_object(upload))


class _Failures(logging.Handler):
    """Hears of what the emulator could not write or read, which it logs and then passes over."""

    def __init__(self, fail: Callable[[OSError], NoReturn]) -> None:
        super().__init__(logging.WARNING)
        self._fail = fail
        self.unread: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        said = record.args if isinstance(record.args, tuple) else ()
        raised = record.exc_info[1] if record.exc_info else None
        for each in (*said, raised):
            if isinstance(each, OSError) and each.errno in _UNWRITABLE:
                self._fail(each)
        if record.levelno >= logging.ERROR and record.name in inside.READERS:
            self.unread.append(record.getMessage())


def _is_success(message: Message) -> bool:
    return message["type"] == "http.response.start" and bool(message["status"] < _FIRST_ERROR)


def _object(path: str) -> tuple[str, str]:
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key


def _result(child: int) -> int:
    """The exit status of a child: what kept it from saving, as an error number, or 0."""
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else errno.EIO


def _say(line: str) -> None:
    """In one write: print makes two where nothing is buffered, and another thread may log a line between them."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
