"""What the tests of faults send, and look at."""

import os
import subprocess
import sys
from typing import Any

import requests

from ops.audit import WRONG, Finding
from tests import hygiene
from tests.stack import Stack
from tests.support import ROOT


def hurry(stack: Stack) -> None:
    """Have a message that failed come again after seconds instead of six minutes.

    Not before a function that has to start first is through with it: on a busy machine that takes more than one.
    """
    stack.client("sqs").set_queue_attributes(
        QueueUrl=stack.outputs["UploadedQueueUrl"], Attributes={"VisibilityTimeout": "4"}
    )


def audit(stack: Stack) -> list[Finding]:
    return [finding for finding in stack.findings() if finding.kind in WRONG]


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
