"""What the functions are called with: the sample events, with as many files as wanted."""

import copy
import json
from pathlib import Path
from typing import Any

OPERATIONS = (
    "upload", "sign", "parts", "complete", "undo", "store", "info", "list", "show", "content", "update", "delete",
    "uploaded", "sweep",
)  # fmt: skip
"""Every function."""

IN_PARTS = "f" * 32
"""An upload in parts that goes on, to the loopback. All others are stored files."""

BATCHES = ("store", "info", "list", "delete", "uploaded")
"""Those that take more than one file."""

_EVENTS = Path(__file__).parents[1] / "events"


def event(operation: str, files: int = 1) -> dict[str, Any]:
    """An event of this function."""
    sample: dict[str, Any] = json.loads((_EVENTS / f"{operation}.json").read_text(encoding="utf-8"))
    ids = [f"{number:032x}" for number in range(files)]
    if operation == "uploaded":
        (message,) = sample["Records"]
        sample["Records"] = [_message(message, file_id) for file_id in ids]
    elif operation == "list":
        sample["queryStringParameters"] = {"limit": str(files)}
    elif operation in BATCHES:
        sample["body"] = json.dumps(ids)
    elif operation in ("sign", "parts", "complete"):
        sample["pathParameters"] = {"id": IN_PARTS}
    elif operation == "undo":
        sample["pathParameters"] = {"id": ids[0]}
    return sample


def _message(sample: dict[str, Any], file_id: str) -> dict[str, Any]:
    message = copy.deepcopy(sample)
    notification = json.loads(message["body"])
    notification["Records"][0]["s3"]["object"]["key"] = file_id
    return message | {"messageId": file_id, "body": json.dumps(notification)}
