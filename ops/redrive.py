"""Moves the messages of the dead-letter queue back to the queue of S3's events, or shows them.

A message is sent before it is removed, so that none is lost; handling one twice is harmless.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

from local.terminal import printable
from ops import target
from ops.errors import run

_BATCH = 10
_WAIT = 1


class DeadLetters:
    """The dead-letter queue of a stack."""

    def __init__(self, stack: target.Target) -> None:
        self._sqs = stack.client("sqs")
        self._dead = stack.outputs["UploadedDeadLetterQueueUrl"]
        self._queue = stack.outputs["UploadedQueueUrl"]

    def messages(self, *, hidden_for: int) -> Iterator[dict[str, Any]]:
        """Every message once; each stays hidden from others for some seconds."""
        seen: set[str] = set()
        while True:
            batch = self._sqs.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=_WAIT,
                VisibilityTimeout=hidden_for,
                AttributeNames=["All"],
            ).get("Messages", [])
            fresh = [message for message in batch if message["MessageId"] not in seen]
            if not fresh:
                return
            seen.update(message["MessageId"] for message in fresh)
            yield from fresh

    def move(self, message: dict[str, Any]) -> None:
        """Back to the queue."""
        self._sqs.send_message(QueueUrl=self._queue, MessageBody=message["Body"])
        self._sqs.delete_message(QueueUrl=self._dead, ReceiptHandle=message["ReceiptHandle"])


def describe(message: dict[str, Any]) -> str:
    """Which object a message is about."""
    try:
        objects = [record["s3"]["object"] for record in json.loads(message["Body"])["Records"]]
        about = ", ".join(
            f"{unquote_plus(each['key'])} {each.get('versionId', 'null')} ({each['size']} bytes)" for each in objects
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        about = "not an event of S3"
    return printable(f"{message['MessageId']}  {about}")


def main() -> int:
    """Return the exit status."""
    options = target.parser(__doc__)
    options.add_argument("--show", action="store_true", help="show the messages and leave them where they are")
    chosen = options.parse_args()
    letters = DeadLetters(target.find(chosen))
    count = 0
    for message in letters.messages(hidden_for=20 if chosen.show else 120):
        print(describe(message), flush=True)
        if not chosen.show:
            letters.move(message)
        count += 1
    print(f"{count} messages{'' if chosen.show else ' moved back to the queue'}")
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
