"""Races, backlogs, replays, a stop in the middle."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.integration.faults.traffic import ask, audit, hurry, letters, put
from tests.stack import Stack, eventually

REPLAYS = int(os.environ.get("REPLAYS") or 30)
BACKLOG = 2000
# As many at a time as a small machine stands: here every concurrent call of a function is a process of its own.
AT_ONCE = 8


def test_of_100_clients_that_race_each_file_has_one_winner(stack: Stack) -> None:
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

    clients = list(range(100))
    random.Random(1).shuffle(clients)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(client, clients))
    assert len(stored) == 50
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


def test_two_thousand_due_files_are_swept_in_one_run(stack: Stack) -> None:
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
    assert swept["pending_removed"] == BACKLOG - BACKLOG // 50
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
            if len(acknowledged) >= 20:
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
    assert len(acknowledged) >= 20
    for file_id, contents in acknowledged.items():
        assert stack.download(file_id) == contents
    eventually(lambda: letters(stack, "UploadedQueueUrl") == 0)
    assert audit(stack) == []
