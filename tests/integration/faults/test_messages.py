"""Killed functions and poisoned messages: what S3 has told is recorded in the end."""

import os
import signal
from pathlib import Path

from tests.integration.faults.traffic import ask, letters, put, recorded, tool
from tests.stack import Stack, eventually


def function_processes(stack: Stack) -> list[int]:
    """The processes in which this stack's functions run: the emulator's children that work below its folder."""
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
    uploads = ask(stack, 10)
    # The function runs already when the others come.
    put(uploads[0])
    eventually(lambda: recorded(stack, uploads[:1]))
    sqs.send_message(QueueUrl=queue, MessageBody='{"Records": "poison"}')
    for upload in uploads[1:]:
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
