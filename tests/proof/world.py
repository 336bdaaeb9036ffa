"""The world in which the real handlers run: AWS with faults at every call, S3's events, a clock, and several at once.

Every operation is a greenlet that gives way at each AWS call, so that a schedule says exactly who goes on when.
"""

import hashlib
import itertools
import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from types import FrameType
from typing import Any, cast
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError
from greenlet import getcurrent, greenlet

from filestore import wiring
from filestore.errors import TryAgainError
from filestore.storage import aws
from filestore.storage.repository import FileRepository
from tests import hygiene, support
from tests.proof import model
from tests.proof.memory import Item, Memory, Version

URL_LIFETIME = 3600
FILE_LIFETIME = 7200
SHORT_LIFETIME = 600
MAX_FILE_SIZE = 100_000
URL_MARGIN = 60
LATE_MARGIN = 5400
MAX_RECEIVES = 5
START = 1_800_000_000

SETTINGS = {
    "ALLOWED_ORIGINS": "*",
    "SIGNED_URL_EXPIRATION": str(URL_LIFETIME),
    "UNSTORED_FILE_LIFETIME": str(FILE_LIFETIME),
    "LATE_UPLOAD_MARGIN": str(LATE_MARGIN),
    "STORE_ON_LOAD": "False",
    "MAX_FILE_SIZE": str(MAX_FILE_SIZE),
    "TABLE_NAME": "files",
    "BUCKET_NAME": "bucket",
    # Nothing listens there: whatever is not answered in memory fails.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
_SOURCE = str(support.ROOT / "source" / "filestore")

FAULTS = {
    "never": "the call never happened: there was no connection",
    "lost": "the call happened, the answer was lost",
    "retried": "the call happened twice: the SDK repeated it",
    "throttled": "AWS throttled the call",
    "throttled for long": "AWS throttled this call and all that followed",
    "partial": "a part of the batch was throttled",
    "failed in part": "a part of the batch was done and answered with an error",
    "partial for long": "a part of this batch and of all that followed was throttled",
    "died before": "the function died before the call",
    "died after": "the function died after the call",
    "stale": "the index lagged behind the table",
    "undeletable": "S3 deleted nothing, and said so",
    "throttled deletion": "S3 throttled the deletion of all",
    "unconfirmed": "S3 deleted a part, and said nothing of the rest",
    "unlistable": "S3 throttled the lists of versions",
    "cut off": "S3 cut the lists of versions off, and named no next page",
    "silent": "refused statements brought no record",
    "elsewhere": "refused statements brought their records beside the errors",
    "untold": "statements that were applied brought no record",
    "denied": "statements were refused for another reason than their condition",
}
_CONCERNS = {
    "stale": "Query",
    "undeletable": "DeleteObjects",
    "throttled deletion": "DeleteObjects",
    "unconfirmed": "DeleteObjects",
    "unlistable": "ListObjectVersions",
    "cut off": "ListObjectVersions",
    "silent": "BatchExecuteStatement",
    "elsewhere": "BatchExecuteStatement",
    "untold": "BatchExecuteStatement",
    "denied": "BatchExecuteStatement",
}
# Sizes of an upload by its variant; the last two may also come when no upload should be on its way any more.
_SIZES = (0, 0, MAX_FILE_SIZE - 1, MAX_FILE_SIZE, MAX_FILE_SIZE + 1, 2 * MAX_FILE_SIZE, 0, MAX_FILE_SIZE + 1)
_MUCH_TOO_SLOW = (6, 7)
# What a browser calls it, by the variant too.
_TYPES = ("image/png", "", "text/html", "application/octet-stream", "no type", "image/png", "image/webp", "")


Site = tuple[str, str, str, str]
"""Function, use case, storage, AWS call."""


class Violation(AssertionError):  # noqa: N818 - the word of the trade
    """An invariant does not hold."""


class Died(BaseException):
    """The function's process ended here; no handler can catch it."""


@dataclass(frozen=True)
class Fault:
    """A fault at the ``call``-th AWS call of an operation; ``part`` says which entries of a batch it concerns."""

    kind: str
    call: int = 0
    part: int = 0


@dataclass(frozen=True)
class Op:
    """Something that happens. ``files`` are numbers of uploads, in the order in which they were asked for."""

    kind: str
    files: tuple[int, ...] = ()
    fault: Fault | None = None
    variant: int = 0


@dataclass
class Upload:
    """What a browser knows."""

    id: str
    token: str
    url_expires_at: int
    versions: dict[str, bytes] = field(default_factory=dict)
    event_lost: bool = False
    too_slow: bool = False


@dataclass
class Message:
    """An event of S3 in the queue."""

    upload: dict[str, Any]
    receives: int = 0

    @property
    def has_version(self) -> bool:
        """Without one nothing can be done about it, ever: the bucket and the record tell the rest."""
        return bool(self.upload["versionId"] != "null")


class Task(greenlet):  # type: ignore[misc] # it comes without types
    """A running operation."""

    def __init__(self, run: Callable[[], None], number: int, operation: str, fault: Fault | None) -> None:
        super().__init__(run)
        self.number = number
        self.operation = operation
        self.fault = fault
        self.calls = 0
        self.faults: Counter[str] = Counter()

    def next_fault(self, operation: str) -> Fault | None:
        fault, call = self.fault, self.calls
        self.calls += 1
        if fault is None:
            return None
        if fault.kind in _CONCERNS:
            return fault if operation == _CONCERNS[fault.kind] else None
        if fault.call == call or (fault.kind.endswith("for long") and call > fault.call):
            return fault
        return None


class World:
    """One stack, from the first upload to the end of a schedule."""

    def __init__(self, memory: Memory, *, on_load: bool = False, lifetime: int = FILE_LIFETIME) -> None:
        self.on_load = on_load
        self.lifetime = lifetime
        self.clock = support.Clock(START)
        self.memory = memory
        memory.on_write = self._written
        memory.on_delete = self._destroyed
        self.uploads: list[Upload] = []
        self.queue: list[Message] = []
        self.dead: list[Message] = []
        self.handled: list[dict[str, Any]] = []
        self.history: dict[str, list[tuple[int, model.State]]] = {}
        self.issued: set[str] = set()
        self.kept: set[str] = set()
        self.doomed: set[str] = set()
        self.undeclared: set[str] = set()
        self.seen: dict[str, bytes] = {}
        self.wrong_change: str | None = None
        self.writes = 0
        self.moment = 0
        self.ids = 0
        self.faults: Counter[str] = Counter()
        self.operations: Counter[str] = Counter()
        self.sites: set[Site] = set()
        self.running: Task | None = None
        self.quiet = False
        self.alone = False
        self.trace: list[tuple[int, Site]] = []

    # ------------------------------------------------------------ scheduling

    def run(self, *ops: Op, choices: Sequence[int] = ()) -> None:
        """Perform operations at once: at each AWS call the next choice says which goes on."""
        self.memory.refresh_index()
        tasks = [
            Task(self._body(op), number, _OPERATIONS.get(op.kind, op.kind), op.fault) for number, op in enumerate(ops)
        ]
        following = itertools.chain(choices, itertools.cycle(range(len(tasks) or 1)))
        live = list(tasks)
        self.alone = len(tasks) == 1
        while live:
            task = live[next(following) % len(live)]
            self.running = task
            task.switch()
            if self.wrong_change:
                raise Violation(f"I9: {self.wrong_change}")
            if task.dead:
                live.remove(task)
        for task in tasks:
            self.faults += task.faults

    def run_freely(self, body: Callable[[], None]) -> None:
        """Run a function that may call handlers as it likes, of which the model knows nothing."""
        task = Task(body, 0, "anything", None)
        self.quiet = True
        self.running = None
        task.switch()

    def _body(self, op: Op) -> Callable[[], None]:
        def body() -> None:
            self.operations[op.kind] += 1
            getattr(self, f"_{op.kind}")(op)

        return body

    def on_call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Answer an AWS call, or let it fail as the schedule says."""
        task = getcurrent()
        assert isinstance(task, Task), "an AWS call outside of an operation"
        fault = task.next_fault(name)
        site = (task.operation, *_site(sys._getframe()), name)  # noqa: SLF001 - the way to the caller
        self.sites.add(site)
        self.trace.append((task.number, site))
        if task.parent is not None and not self.quiet:
            task.parent.switch()
            self.running = task
        if fault is not None:
            task.faults[fault.kind] += 1
        kind = fault.kind if fault else ""
        if kind == "never":
            raise EndpointConnectionError(endpoint_url="memory")
        if kind == "died before":
            raise Died
        if kind.startswith("throttled") or kind == "unlistable":
            code = {"ListObjectVersions": "SlowDown", "DeleteObjects": "SlowDown", "HeadObject": "503"}.get(
                name, "ThrottlingException"
            )
            status, answer = 400, {"Error": {"Code": code, "Message": "slow down"}}
        elif fault and kind.startswith(("partial", "failed in part", "undeletable", "denied", "unconfirmed")):
            status, answer = self._partly(name, parameters, fault)
        else:
            if name == "Query" and kind != "stale":
                self.memory.refresh_index()
            status, answer = self.memory.call(name, parameters)
        if kind == "retried":
            status, answer = self.memory.call(name, parameters)
        if kind == "lost":
            raise ReadTimeoutError(endpoint_url="memory")
        if kind == "died after":
            raise Died
        if status >= HTTPStatus.BAD_REQUEST:
            raise ClientError(cast("Any", answer), name)
        return _otherwise(kind, answer)

    def _partly(self, name: str, parameters: Mapping[str, Any], fault: Fault) -> tuple[int, dict[str, Any]]:
        def concerned(number: int) -> bool:
            return fault.part >> number % 4 & 1 == 0

        match name:
            case "BatchExecuteStatement":
                responses = []
                denied = fault.kind == "denied"
                code = {"denied": "AccessDenied", "failed in part": "InternalServerError"}.get(
                    fault.kind, "ThrottlingError"
                )
                for number, statement in enumerate(parameters["Statements"]):
                    failed = concerned(number) or (denied and number == 0)
                    executed = not failed or fault.kind == "failed in part"
                    answer = self.memory.call(name, {"Statements": [statement]})[1]["Responses"][0] if executed else {}
                    responses.append({"Error": {"Code": code, "Message": "busy"}} if failed else answer)
                return 200, {"Responses": responses}
            case "BatchGetItem":
                ((table, wanted),) = parameters["RequestItems"].items()
                left = [key for number, key in enumerate(wanted["Keys"]) if concerned(number)]
                rest = [key for key in wanted["Keys"] if key not in left]
                status, answer = 200, {"Responses": {table: []}}
                if rest:
                    status, answer = self.memory.call(name, {"RequestItems": {table: {**wanted, "Keys": rest}}})
                return status, answer | {"UnprocessedKeys": {table: {"Keys": left}} if left else {}}
            case "DeleteObjects":
                objects = parameters["Delete"]["Objects"]
                left = [each for number, each in enumerate(objects) if concerned(number)]
                done = objects if fault.kind == "failed in part" else [each for each in objects if each not in left]
                answer = self.memory.call(name, {"Delete": {"Objects": done}})[1] if done else {}
                deleted = [each for each in answer.get("Deleted", []) if each not in left]
                return 200, {
                    "Deleted": deleted,
                    "Errors": [{"Key": each["Key"], "Code": "InternalError"} for each in left],
                }
        return 503, {"Error": {"Code": "ServiceUnavailable", "Message": "busy"}}

    # ----------------------------------------------------------- what is seen

    def _written(self, file_id: str, before: Item | None, after: Item | None) -> None:
        operation = self.running.operation if self.running else "ttl"
        self.writes += 1
        self.moment += 1
        self.history.setdefault(file_id, [(0, model.NONE)]).append((self.moment, model.state(after)))
        if before is None:
            self.issued.add(file_id)
        wrong = list(
            model.wrong_changes(
                operation,
                before,
                after,
                on_load=self.on_load,
                now=self.clock(),
                lifetime=self.lifetime,
                margin=LATE_MARGIN,
            )
        )
        wrong += self._wrong_pin(file_id, before, after)
        if model.leaves_the_sweep(before, after) and file_id in self.memory.objects and not self._is_too_slow(file_id):
            wrong.append(f"{operation} took a deleted file for gone that has objects")
        if after is not None and "version_id" in after and int(after["size"]["N"]) > MAX_FILE_SIZE:
            wrong = [f"{operation} took {after['size']['N']} bytes"]
        # Kept for later: raised here it would be the handler's to catch.
        self.wrong_change = self.wrong_change or next(iter(wrong), None)

    def _wrong_pin(self, file_id: str, before: Item | None, after: Item | None) -> Iterator[str]:
        """I1: what is pinned is there, and has the type that was declared, sent or taken from the name, for good."""
        if before is None or after is None or "version_id" not in after:
            return
        expected = before["type"]["S"]
        if "version_id" not in before:
            pinned = [each for each in self.memory.objects.get(file_id, []) if each.id == after["version_id"]["S"]]
            if not pinned:
                yield "a version was pinned that is not there"
                return
            if file_id in self.undeclared:
                expected = model.type_of(pinned[0].type, "text/plain")
            if int(after["size"]["N"]) != len(pinned[0].body):
                yield "a version was pinned with another size"
        if after["type"]["S"] != expected or "type_from" in after:
            yield f"the type is {after['type']['S']} instead of {expected}"

    def _destroyed(self, file_id: str, version: Version) -> None:
        """Whatever the reason given: the truth at this moment decides."""
        url_expires_at = next((upload.url_expires_at for upload in self.uploads if upload.id == file_id), 0)
        if not model.may_be_destroyed(
            self.memory.items.get(file_id),
            version.id,
            is_too_large=len(version.body) > MAX_FILE_SIZE,
            is_over=self.clock() >= url_expires_at + LATE_MARGIN,
        ):
            state = model.state(self.memory.items.get(file_id))
            self.wrong_change = self.wrong_change or f"{version.id} of a file that is {state} was destroyed"

    def _is_too_slow(self, file_id: str) -> bool:
        return any(upload.too_slow for upload in self.uploads if upload.id == file_id)

    def was(self, file_id: str, states: set[model.State], since: int) -> bool:
        """Whether the file was in one of these states at some moment since then."""
        history = self.history.get(file_id, [(0, model.NONE)])
        last_before = max((entry for entry in history if entry[0] <= since), default=history[0])
        return any(at in states for moment, at in history if moment > since) or last_before[1] in states

    def _require(self, holds: object, what: str) -> None:
        if not holds:
            raise Violation(what)

    def _call(self, op: Op, operation: str, **request: Any) -> support.Reply | None:
        """An answer, or None where the function died."""
        try:
            reply = support.call(operation, **request)
        except Died:
            return None
        expected = {200, 204, 403, 404, 409} | ({503} if op.fault else set()) | ({400} if self.on_load else set())
        expected = {500} if self._is_denied() else expected
        self._require(reply.status in expected, f"I10: {operation} answered {reply.status} {reply.body}")
        return reply

    def _is_denied(self) -> bool:
        """Whether AWS has refused what the running operation did: it must fail, and loudly."""
        task = getcurrent()
        return isinstance(task, Task) and task.faults["denied"] > 0

    def _batch(
        self, op: Op, operation: str, query: Mapping[str, str]
    ) -> tuple[list[str], list[Any], dict[str, str]] | None:
        """Ids asked for, result and problems of a call with ``?problems=yes``, which must name each id exactly once."""
        ids = [self._id(number) for number in op.files]
        if op.variant & 1:
            ids += [f"{number:032x}" for number in range(12)]
        reply = self._call(op, operation, body=ids, query={"problems": "yes", **query})
        if reply is None or reply.status != 200:
            return None
        result = [entry["id"] if isinstance(entry, dict) else entry for entry in reply.body["result"]]
        problems = {file_id: problem["code"] for file_id, problem in reply.body["problems"].items()}
        self._require(not set(result) & set(problems), "I7: a result that is a problem too")
        self._require(set(result) | set(problems) == set(ids), f"I7: {operation} dropped ids")
        self._require(result == [file_id for file_id in dict.fromkeys(ids) if file_id in set(result)], "I7: order")
        return ids, reply.body["result"], problems

    def _id(self, number: int) -> str:
        return self.uploads[number % len(self.uploads)].id if self.uploads else "f" * 32

    def _truthful(
        self, op: Op, problems: Mapping[str, str], since: int, says: Mapping[str, set[model.State]] = model.SAYS
    ) -> None:
        for file_id, code in problems.items():
            if code == "try_again":
                self._require(op.fault, "I7: try_again though nothing failed")
            else:
                self._require(self.was(file_id, says[code], since), f"I7: {op.kind} said {code} of {file_id}")

    # ------------------------------------------------------------- operations

    def _ask(self, op: Op) -> None:
        declared = op.variant & 1 == 0
        reply = self._call(
            op, "upload", body={"name": "a.txt", **({"type": "text/plain"} if declared else {"meta": {}})}
        )
        if reply is not None and reply.status == 200:
            file_id = reply.body["id"]
            self.undeclared |= set() if declared else {file_id}
            self._require(model.state(self.memory.items.get(file_id)) is model.PENDING, "I7: a URL without a record")
            self.uploads.append(Upload(file_id, reply.body["token"], int(self.clock()) + URL_LIFETIME))

    def _put(self, op: Op) -> None:
        """A browser uploads, again perhaps. What began in time may end within the margin, what is too slow later."""
        if not self.uploads:
            return
        upload = self.uploads[op.files[0] % len(self.uploads)]
        too_slow = self.clock() >= upload.url_expires_at + LATE_MARGIN
        if (too_slow and op.variant not in _MUCH_TOO_SLOW) or (
            upload.event_lost and (too_slow or not self._is_deleted(upload))
        ):
            return
        upload.too_slow = upload.too_slow or too_slow
        body = f"{upload.id} {len(upload.versions)}".encode().ljust(_SIZES[op.variant], b"-")
        # Whoever has declared a type has to send it.
        content_type = _TYPES[op.variant] if upload.id in self.undeclared else "text/plain"
        version = self.memory.put(upload.id, body, content_type)
        upload.versions[version.id] = version.body
        self.queue.append(
            Message({"key": upload.id, "versionId": version.id, "size": len(version.body), "eTag": version.id})
        )

    def _put_unversioned(self, op: Op) -> None:
        """A browser uploads while the bucket's versioning has not reached all of S3."""
        if not self.uploads or not self.memory.may_be_unversioned:
            return
        upload = self.uploads[op.files[0] % len(self.uploads)]
        if self.clock() < upload.url_expires_at + LATE_MARGIN:
            version = self.memory.put_unversioned(upload.id, f"{upload.id} {self.moment}".encode())
            self.queue.append(
                Message({"key": upload.id, "versionId": "null", "size": len(version.body), "eTag": version.id})
            )

    def _lose(self, op: Op) -> None:
        """The one event of an upload never comes, or one of a deleted file, though S3 promises to deliver each."""
        for upload in (self.uploads[number % len(self.uploads)] for number in op.files if self.uploads):
            if not upload.too_slow and (len(upload.versions) == 1 or self._is_deleted(upload)):
                upload.event_lost = True
                self.queue = [message for message in self.queue if message.upload["key"] != upload.id]
                self.dead = [message for message in self.dead if message.upload["key"] != upload.id]
                self.handled = [event for event in self.handled if event["key"] != upload.id]

    def _is_deleted(self, upload: Upload) -> bool:
        return model.state(self.memory.items.get(upload.id)) in (model.DELETED, model.EXPIRED)

    def _deliver(self, op: Op) -> None:
        """SQS hands over a batch, out of order; one variant in four brings what was handled before once more."""
        picked = [self.queue[number % len(self.queue)] for number in op.files if self.queue]
        messages = list({id(message): message for message in picked}.values())
        self.queue = [message for message in self.queue if message not in messages]
        again = self.handled[:3] if op.variant & 2 else []
        event = support.upload_event(*(message.upload for message in messages), *again)
        if op.variant & 1:
            event["Records"].append({"messageId": "poison", "body": "{"})
        failed = {record["messageId"] for record in event["Records"]}
        try:
            answer = support.invoke("uploaded", event)
        except (Died, EndpointConnectionError, ReadTimeoutError):
            pass
        except ClientError as error:
            self._require(self._is_denied(), f"an event failed: {error}")
        else:
            self._require(not self._is_denied(), "I6: that a statement was denied went unnoticed")
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            self._require(("poison" in failed) == bool(op.variant & 1), "a poisoned message must fail, alone")
            waiting = {f"message-{n}" for n, message in enumerate(messages) if not message.has_version}
            self._require(waiting <= failed, "an event without a version must wait")
            self._require(op.fault or failed <= {"poison", *waiting}, f"{failed} failed without a fault")
        for number, message in enumerate(messages):
            if f"message-{number}" not in failed:
                self.handled.append(message.upload)
                continue
            message.receives += 1
            (self.dead if message.receives == MAX_RECEIVES else self.queue).append(message)

    def _redrive(self, op: Op) -> None:
        del op
        self.queue += [Message(message.upload) for message in self.dead]
        self.dead = []

    def _store(self, op: Op) -> None:
        since = self.moment
        there = self._uploaded()
        answer = self._batch(op, "store", {})
        if answer is None:
            return
        _, result, problems = answer
        # What a delete beside it has removed by now need not have been found.
        for file_id in there & self._uploaded():
            self._require(problems.get(file_id) != "not_uploaded", f"I7: store did not look for {file_id}")
        self._require("not_stored" not in problems.values(), "I7: store said that what it may store is not stored")
        for file_id in result:
            self._require(self.was(file_id, {model.STORED}, since), f"I7: store said {file_id} is stored")
            self.kept.add(file_id)
        self._truthful(op, problems, since)

    def _uploaded(self) -> set[str]:
        """Files of which the bucket has an upload that is not too large."""
        return {
            file_id
            for file_id, versions in self.memory.objects.items()
            if any(len(version.body) <= MAX_FILE_SIZE and version.id != "null" for version in versions)
        }

    def _info(self, op: Op) -> None:
        since = self.moment
        flags = {"deleted": "yes"} if op.variant & 2 else {}
        flags |= {"nonstored": "yes"} if op.variant & 4 else {}
        answer = self._batch(op, "info", flags)
        if answer is None:
            return
        _, result, problems = answer
        shown = {model.STORED} | ({model.DELETED, model.EXPIRED} if "deleted" in flags else set())
        shown |= {model.PENDING, model.UPLOADED} if "nonstored" in flags else set()
        for details in result:
            file_id = details["id"]
            self._require(self.was(file_id, shown, since), f"I11: info showed {file_id}")
            if "url" in details:
                self._require(self.was(file_id, {model.STORED}, since), f"I11: a URL for {file_id}")
                self._download(file_id, details["url"])
            else:
                self._require(self.was(file_id, shown - {model.STORED}, since), f"I7: no URL for {file_id}")
        says = model.SAYS_WHERE_DELETED_ARE_SHOWN if "deleted" in flags else model.SAYS
        self._truthful(op, problems, since, says)

    def _download(self, file_id: str, url: str) -> None:
        query = parse_qs(urlsplit(url).query)
        versions = self.memory.objects.get(file_id, [])
        version = query.get("versionId", [versions[-1].id if versions else ""])[0]
        body = self.memory.read(file_id, version)
        if file_id in self.doomed:
            return
        self._require(body is not None, f"I2: {file_id} cannot be downloaded")
        self._require(self.seen.setdefault(file_id, body or b"") == body, f"I1: {file_id} has other bytes than before")

    def _delete(self, op: Op) -> None:
        since = self.moment
        self.doomed.update(self._id(number) for number in op.files)
        answer = self._batch(op, "delete", {})
        if answer is None:
            return
        _, result, problems = answer
        for file_id in result:
            self._require(
                model.state(self.memory.items.get(file_id)) in (model.DELETED, model.EXPIRED),
                f"I7: delete said {file_id} is deleted",
            )
        self._truthful(op, problems, since)

    def _undo(self, op: Op) -> None:
        if not self.uploads:
            return
        upload = self.uploads[op.files[0] % len(self.uploads)]
        right, since = op.variant & 3 != 0, self.moment
        if right and self.on_load:
            self.doomed.add(upload.id)
        token = upload.token if right else "x"
        reply = self._call(op, "undo", file_id=upload.id, headers={"x-upload-token": token})
        truth = {
            204: {model.DELETED, model.EXPIRED},
            403: set(model.State) if not right or self.on_load else set(),
            404: {model.NONE},
            409: {model.STORED},
        }
        if reply is not None and reply.status in truth:
            self._require(self.was(upload.id, truth[reply.status], since), f"I7: undo answered {reply.status}")
            self._require(right or reply.status != 204, "undo took a wrong token")

    def _sweep(self, op: Op) -> None:
        runs_short = op.variant > 5
        never_uploaded = {file_id for file_id in self.memory.items if file_id not in self.memory.objects}
        remaining = itertools.chain([300_000] * op.variant, itertools.repeat(1_000)) if runs_short else None
        try:
            support.invoke("sweep", support.sample_event("sweep"), support.Context(remaining))
        except Died:
            pass
        except ExceptionGroup as failures:
            _, unexpected = failures.split((BotoCoreError, ClientError, TryAgainError))
            self._require(op.fault and not unexpected, f"the sweep failed: {failures.exceptions}")
        else:
            self._require(not self._is_denied(), "I6: that a statement was denied went unnoticed")
            if self.alone and not op.fault and not runs_short:
                self._require_nothing_over(never_uploaded)

    def _require_nothing_over(self, never_uploaded: set[str]) -> None:
        """One sweep that nothing disturbs leaves nothing whose time was over, whatever went wrong before."""
        for file_id, item in self.memory.items.items():
            expired = int(item["url_expires_at"]["N"])
            match model.state(item):
                case model.State.UPLOADED:
                    recorded = int(model.uploaded_at(item))
                    # Pending when the sweep looked first: it looks once more in the end, if nobody sooner.
                    looks = expired + (URL_MARGIN if recorded < expired + URL_MARGIN else LATE_MARGIN)
                    over = recorded + self.lifetime
                    over = over if self.lifetime < URL_LIFETIME else max(over, looks)
                    self._require(self.clock() < over, f"I5: {file_id} outlived its lifetime")
                case model.State.PENDING if file_id in never_uploaded:
                    self._require(self.clock() < expired + LATE_MARGIN, f"I5: the pending {file_id} outlived its URL")

    def wait(self, seconds: int) -> None:
        """Let time pass, and DynamoDB drop the records whose time has come."""
        self.clock.advance(seconds)
        self.running = None
        for file_id, item in list(self.memory.items.items()):
            if "purge_at" in item and int(item["purge_at"]["N"]) < self.clock():
                self.memory.purge(file_id)

    # -------------------------------------------------------------- the end

    def settle(self) -> None:
        """Let everything come to rest, without faults, and see that nothing is lost and nothing left behind."""
        self.quiet = True
        self._redrive(Op("redrive"))
        for _ in range(3):
            if self.queue:
                self.run(Op("deliver", tuple(range(len(self.queue)))))
        left = [message for message in (*self.queue, *self.dead) if message.has_version]
        self._require(not left, "messages that are never handled")
        self.clock.advance(URL_LIFETIME + LATE_MARGIN)
        self.run(Op("sweep"))
        self.clock.advance(self.lifetime)
        self.run(Op("sweep"))
        writes = self.writes
        self.run(Op("sweep"))
        self._require(self.writes == writes, "a second sweep over the same state wrote something")
        for wrong in model.at_rest(self.memory.items, self.memory.versions()):
            raise Violation(wrong)
        self._require(not self.memory.markers, "a delete marker was left")
        self._require(
            set(self.memory.items) <= {upload.id for upload in self.uploads} | self.issued
            and not any(file_id.startswith("0" * 28) for file_id in self.memory.items),
            "I3: a record for an id that was never issued",
        )
        for file_id in sorted(self.kept - self.doomed):
            self._require(model.state(self.memory.items.get(file_id)) is model.STORED, f"I2: {file_id} was stored")
        for number in range(len(self.uploads)):
            self.run(Op("info", (number,)))


_OPERATIONS = {"ask": "upload", "deliver": "uploaded"}


def _site(frame: FrameType | None) -> tuple[str, str]:
    """Where in the domain, and where in the storage, an AWS call was made."""
    domain, storage = "", ""
    while frame is not None and not domain:
        path = frame.f_code.co_filename
        if path.startswith(_SOURCE):
            layer = Path(path).parent.name
            if layer == "storage" and not frame.f_code.co_name.startswith("<"):
                storage = frame.f_code.co_qualname
            elif layer == "domain":
                domain = frame.f_code.co_qualname.split(".<locals>")[0]
        frame = frame.f_back
    return domain, storage


def _otherwise(kind: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that does not say what one would expect of it."""
    match kind:
        case "silent" | "elsewhere":
            responses = []
            for response in answer["Responses"]:
                error = dict(response.get("Error", {}))
                item = {"Item": error.pop("Item")} if "Item" in error and kind == "elsewhere" else {}
                error.pop("Item", None)
                responses.append({**response, **item, "Error": error} if error else response)
            return {**answer, "Responses": responses}
        case "untold":
            told = [{k: v for k, v in response.items() if k != "Item"} for response in answer["Responses"]]
            return {**answer, "Responses": told}
        case "unconfirmed":
            return {**answer, "Errors": []}
        case "cut off":
            return {"IsTruncated": True, "Versions": []}
    return dict(answer)


class _Serial:
    """A thread pool that does one thing after the other, so that a schedule decides the order."""

    def __init__(self, _: int) -> None:
        pass

    def __enter__(self) -> "_Serial":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
        return map(function, items)


class Proving:
    """Makes the handlers run in worlds of their own, one after the other."""

    def __init__(self) -> None:
        self._world: World | None = None
        self.new_memory: Callable[[], Memory] = Memory
        self.log: list[str] = []
        self.watch = hygiene.watch

    def world(self, *, on_load: bool = False, lifetime: int = FILE_LIFETIME, page: int = 1) -> World:
        """A new world, in which the handlers run from now on; AWS's pages have so many entries."""
        self.log.clear()
        self._world = World(self.new_memory(), on_load=on_load, lifetime=lifetime)
        self._world.memory.page = max(self._world.memory.page, page)
        settings = {**SETTINGS, "STORE_ON_LOAD": str(on_load), "UNSTORED_FILE_LIFETIME": str(lifetime)}
        with mock.patch.dict("os.environ", settings):
            clear_caches(wiring)
            wiring.settings()
        return self._world

    def on_call(self, name: str, parameters: Mapping[str, Any]) -> Any:
        assert self._world
        return self._world.on_call(name, parameters)

    def write(self, line: str) -> None:
        """A line of the functions' log, which is JSON."""
        if line.strip():
            json.loads(line)
            self.log.append(line)
            self.watch.line(line)

    def flush(self) -> None:
        """As a stream has it."""

    def new_id(self, octets: int) -> str:
        """What stands in for an id drawn at random."""
        assert self._world
        self._world.ids += 1
        digest = hashlib.sha256(str(self._world.ids).encode()).hexdigest()[1 : 2 * octets]
        # Two in each shard, so that one page of the sweep has several.
        return f"{(self._world.ids - 1) // 2 % 16:x}{digest}"

    def shards(self, shards: Sequence[str], _: int) -> list[str]:
        """Those that have files, and an empty one: of the others no schedule would tell anything."""
        assert self._world
        return list(shards[: (self._world.ids + 1) // 2 + 1])

    def now(self) -> float:
        assert self._world
        return self._world.clock()


def clear_caches(module: Any) -> None:
    """Have a module make its singletons anew."""
    for member in vars(module).values():
        if hasattr(member, "cache_clear"):
            member.cache_clear()


@contextmanager
def proving() -> Iterator[Proving]:
    """The handlers on AWS in memory."""
    proof = Proving()
    with (
        mock.patch.dict("os.environ", SETTINGS),
        mock.patch("filestore.wiring.now", proof.now),
        mock.patch("filestore.storage.bucket.ThreadPoolExecutor", _Serial),
        mock.patch("filestore.wiring.FileRepository", lambda *args: FileRepository(*args, sleep=lambda _: None)),
        # The same in every run, and the first file in the shard that is swept first.
        mock.patch("filestore.domain.upload.secrets.token_hex", proof.new_id),
        mock.patch("filestore.domain.sweep.random.sample", proof.shards),
        mock.patch("filestore.telemetry.logger.registered_handler.stream", proof),
        # Each line comes by once, not once more for every handler of pytest.
        mock.patch.object(logging.getLogger("filestore"), "propagate", False),
    ):
        clear_caches(aws)
        # Every call and every page passes here. Below it botocore would spend most of the time of a schedule.
        for client in (aws.dynamodb(), aws.s3()):
            client._make_api_call = proof.on_call  # type: ignore[union-attr]  # noqa: SLF001
        yield proof
    clear_caches(aws)
    clear_caches(wiring)
