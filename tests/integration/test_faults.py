"""The deployed stack under faults: killed functions, poisoned messages, races, backlogs, a stop in the middle."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from ops.audit import WRONG, Audit, Finding
from ops.target import Target
from tests import hygiene
from tests.stack import Stack, eventually
from tests.support import ROOT

REPLAYS = int(os.environ.get("REPLAYS") or 60)
BACKLOG = 5000
# As many at a time as a small machine stands: here every concurrent call of a function is a process of its own.
AT_ONCE = 8


@pytest.fixture(scope="module")
def stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of this module's own."""
    stack = start_stack()
    hurry(stack)
    return stack


def hurry(stack: Stack) -> None:
    """Have a message that failed come again after a second instead of six minutes."""
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.outputs["UploadedQueueUrl"], Attributes={"VisibilityTimeout": "1"}
    )


@pytest.fixture(autouse=True)
def bucket_and_table_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test every object version belongs to a file, and every file has its own."""
    yield
    if "stack" in request.fixturenames:
        assert audit(request.getfixturevalue("stack")) == []


def audit(stack: Stack) -> list[Finding]:
    return [finding for finding in Audit(Target(stack.outputs, stack.client)).run() if finding.kind in WRONG]


def tool(stack: Stack, module: str, *options: str) -> subprocess.CompletedProcess[str]:
    """A tool of the operator's, run as make does."""
    return subprocess.run(
        [sys.executable, "-m", module, "--state-dir", str(stack.state), *options],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": "source"}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def letters(stack: Stack, queue: str = "UploadedDeadLetterQueueUrl") -> int:
    """Messages in a queue, those that are being handled included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = stack.client("sqs").get_queue_attributes(QueueUrl=stack.outputs[queue], AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def ask(stack: Stack, count: int) -> list[dict[str, Any]]:
    """Uploads that were asked for, each with a token."""
    replies = [
        stack.request_patiently("POST", "/file", json={"name": "a.txt", "type": "text/plain"}) for _ in range(count)
    ]
    for reply in replies:
        hygiene.remember(reply)
    return [reply.json() for reply in replies]


def put(upload: dict[str, Any], contents: bytes = b"contents") -> None:
    assert requests.put(upload["url"], data=contents, headers=upload["headers"], timeout=60).status_code == 200


def recorded(stack: Stack, uploads: list[dict[str, Any]]) -> bool:
    return all("uploaded_at" in (stack.record(upload["id"]) or {}) for upload in uploads)


def function_processes(stack: Stack) -> list[int]:
    """The processes in which this stack's functions run: the engine's children that work below its folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working = os.readlink(process / "cwd")  # noqa: PTH115 - it need not exist any more
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if working.startswith(str(stack.state)) and b"python" in command:
            found.append(int(process.name))
    return found


def test_a_function_that_is_killed_in_the_middle_of_a_batch_loses_nothing(stack: Stack) -> None:
    put(ask(stack, 1)[0])
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    uploads = ask(stack, 10)
    processes = function_processes(stack)
    assert processes
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    for upload in uploads:
        put(upload)
    # Handed to a function that does not move: killed now, it dies with the batch.
    in_flight = ["ApproximateNumberOfMessagesNotVisible"]
    eventually(
        lambda: int(
            stack.client("sqs").get_queue_attributes(
                QueueUrl=stack.outputs["UploadedQueueUrl"], AttributeNames=in_flight
            )["Attributes"][in_flight[0]]
        )
    )
    for process in processes:
        os.kill(process, signal.SIGKILL)
    eventually(lambda: recorded(stack, uploads))
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    ids = [upload["id"] for upload in uploads]
    assert stack.files("PUT", ids).json() == ids


def test_one_poisoned_message_ends_as_a_dead_letter_and_nine_good_ones_are_recorded(stack: Stack) -> None:
    sqs, queue = stack.client("sqs"), stack.outputs["UploadedQueueUrl"]
    uploads = ask(stack, 9)
    sqs.send_message(QueueUrl=queue, MessageBody='{"Records": "poison"}')
    for upload in uploads:
        put(upload)
    eventually(lambda: recorded(stack, uploads))
    eventually(lambda: letters(stack) == 1)
    assert letters(stack, "UploadedQueueUrl") == 0

    shown = tool(stack, "ops.redrive", "--show")
    assert "not an event of S3" in shown.stdout
    assert shown.stdout.endswith("1 messages\n")
    moved = tool(stack, "ops.redrive")
    assert moved.returncode == 0, moved.stderr
    assert moved.stdout.endswith("1 messages moved back to the queue\n") or letters(stack) == 1
    eventually(lambda: letters(stack) == 1 and letters(stack, "UploadedQueueUrl") == 0)
    sqs.purge_queue(QueueUrl=stack.outputs["UploadedDeadLetterQueueUrl"])


def test_a_dead_letter_that_is_moved_back_is_handled(stack: Stack) -> None:
    """As after an outage: the event comes late, and the upload is recorded all the same."""
    sqs, queue, dead = (
        stack.client("sqs"),
        stack.outputs["UploadedQueueUrl"],
        stack.outputs["UploadedDeadLetterQueueUrl"],
    )
    (upload,) = ask(stack, 1)
    mapping = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"][0]["UUID"]
    stack.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=False)
    put(upload)
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    sqs.send_message(QueueUrl=dead, MessageBody=message["Body"])
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    stack.client("lambda").update_event_source_mapping(UUID=mapping, Enabled=True)
    moved = tool(stack, "ops.redrive")
    assert upload["id"] in moved.stdout
    eventually(lambda: recorded(stack, [upload]))
    assert letters(stack) == 0


def test_of_200_clients_that_race_each_file_has_one_winner(stack: Stack) -> None:
    uploads = ask(stack, 12)
    for upload in uploads:
        put(upload)
    ids = [upload["id"] for upload in uploads]
    kept, undone, deleted = ids[:4], ids[4:8], ids[8:]
    stored: list[set[str]] = []
    undo_statuses: dict[str, set[int]] = {file_id: set() for file_id in undone}

    def client(number: int) -> None:
        if number % 4 == 0:
            reply = stack.request_patiently("DELETE", "/files", json=deleted, headers=stack.key)
            assert reply.json() == deleted
        elif number % 4 == 1:
            upload = uploads[4 + number // 4 % 4]
            reply = stack.request_patiently(
                "DELETE", f"/file/{upload['id']}", headers={"x-upload-token": upload["token"]}
            )
            undo_statuses[upload["id"]].add(reply.status_code)
        else:
            reply = stack.request_patiently("PUT", "/files", json=ids, headers=stack.key)
            assert reply.status_code == 200
            stored.append(set(reply.json()))

    clients = list(range(200))
    random.Random(1).shuffle(clients)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(client, clients))
    assert len(stored) == 100
    assert all(set(kept) <= answer for answer in stored)
    for file_id in undone:
        # Whoever came first has won for good: the store, or the undo.
        winners = {file_id in answer for answer in stored}
        assert (winners, undo_statuses[file_id]) in [({True}, {409}), ({False}, {204})]
    shown = {details["id"]: details for details in stack.files("POST", ids, "?deleted=yes&nonstored=yes").json()}
    assert all("deleted_at" in shown[file_id] for file_id in deleted)
    assert all("url" in shown[file_id] for file_id in kept)
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    stack.sweep()


def test_five_thousand_due_files_are_swept_in_one_run(stack: Stack) -> None:
    """Most never happened; of some the event was lost, and some were deleted without their bytes."""
    client, table = stack.client("dynamodb"), stack.outputs["TableName"]
    draw = random.Random(time.time_ns())
    past = int(time.time()) - 100_000
    items = []
    for number in range(BACKLOG):
        file_id = draw.randbytes(16).hex()
        item = {
            "id": {"S": file_id}, "name": {"S": "a"}, "type": {"S": "text/plain"}, "created_at": {"S": "2026"},
            "url_expires_at": {"N": str(past)}, "sweep_at": {"N": str(past)}, "sweep_shard": {"S": file_id[0]},
        }  # fmt: skip
        if number % 50 == 0:
            item |= {"deleted_at": {"S": "2026"}, "deletion": {"S": "requested"}}
        items.append(item)
    for start in range(0, BACKLOG, 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        assert not client.batch_write_item(RequestItems={table: puts}).get("UnprocessedItems")
    swept = stack.sweep()
    assert swept["finished"] is True
    assert swept["placeholders_removed"] == BACKLOG - BACKLOG // 50
    assert swept["deletions_finished"] == BACKLOG // 50
    again = stack.sweep()
    assert {name: count for name, count in again.items() if count} == {"finished": True}


def test_replayed_uploads_change_nothing(stack: Stack) -> None:
    """Whoever holds the URL uses it again after the store; ``make replay`` does so 1,000 times."""
    uploads = ask(stack, 10)
    for number, upload in enumerate(uploads):
        put(upload, b"good %d" % number)
    ids = [upload["id"] for upload in uploads]
    assert stack.files("PUT", ids).json() == ids
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda number: put(uploads[number % 10], b"evil %d" % number), range(REPLAYS)))
    assert [stack.download(file_id) for file_id in ids] == [b"good %d" % number for number in range(10)]
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    assert [len(stack.versions(file_id)) for file_id in ids] == [1] * 10
    assert [stack.download(file_id) for file_id in ids] == [b"good %d" % number for number in range(10)]


def test_the_audit_says_what_differs(stack: Stack) -> None:
    kept, lost = stack.store(), stack.store()
    s3, bucket = stack.client("s3"), stack.outputs["StorageBucketName"]
    agreeing = tool(stack, "ops.audit")
    assert (agreeing.returncode, agreeing.stderr) == (0, "")
    (version,) = stack.versions(lost["id"])
    s3.delete_object(Bucket=bucket, Key=lost["id"], VersionId=version)
    differing = tool(stack, "ops.audit")
    assert differing.returncode == 1
    assert f"lost       {lost['id']} {version}" in differing.stdout
    assert kept["id"] not in differing.stdout
    stack.files("DELETE", [lost["id"]])


def test_what_was_acknowledged_survives_a_stop_in_the_middle_of_the_load(start_stack: Callable[..., Stack]) -> None:
    stack = start_stack()
    hurry(stack)
    acknowledged: dict[str, bytes] = {}
    enough = threading.Event()

    def client(number: int) -> None:
        for count in range(1000):
            contents = b"%d of %d" % (count, number)
            try:
                upload = stack.upload(contents)
                if stack.files("PUT", [upload["id"]]).json() == [upload["id"]]:
                    acknowledged[upload["id"]] = contents
            except (AssertionError, KeyError, requests.RequestException):
                if enough.is_set():
                    return
            if len(acknowledged) >= 40:
                enough.set()

    clients = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in clients:
        thread.start()
    assert enough.wait(60)
    stack.process.send_signal(signal.SIGTERM)
    assert stack.process.wait(60) == 0
    for thread in clients:
        thread.join(60)
        assert not thread.is_alive()
    stack.start()
    assert len(acknowledged) >= 40
    for file_id, contents in acknowledged.items():
        assert stack.download(file_id) == contents
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    assert audit(stack) == []
