"""Which requests to the emulator change what is to be kept, told by how they are signed (Signature Version 4)."""

import re
from typing import Any
from urllib.parse import parse_qs

_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")
_RECORDS = frozenset(
    {
        "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems",
        "ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction",
    }
)  # fmt: skip
_QUESTION = re.compile(r"(Get|List|Describe|BatchGet|TransactGet|Query|Scan|Receive|ChangeMessageVisibility)")
# Nothing is promised of them: logs, metrics, sessions and traces.
_FLEETING = frozenset({"logs", "monitoring", "sts", "xray"})
_SUBRESOURCES = frozenset({"tagging", "acl", "retention", "legal-hold"})


class Request:
    """An HTTP request by its ASGI scope."""

    def __init__(self, scope: Any) -> None:
        headers = dict(scope["headers"])
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        signed = headers.get(b"authorization", b"").decode("latin-1")
        presigned = f"Credential={query.get('X-Amz-Credential', [''])[0]}"
        credential = _CREDENTIAL.search(signed) or _CREDENTIAL.search(presigned)
        self.region, self._service = credential.groups() if credential else ("", "")
        self.path: str = scope["path"]
        self.operation = headers.get(b"x-amz-target", b"").decode("latin-1").rpartition(".")[2]
        self._method: str = scope["method"]
        self._of_objects = self._service == "s3" and (
            "delete" in query or ("/" in self.path.strip("/") and not _SUBRESOURCES & query.keys())
        )

    @property
    def is_upload(self) -> bool:
        """Whether it brings an object."""
        return self._of_objects and self._method in ("PUT", "POST") and "/" in self.path.strip("/")

    @property
    def is_write(self) -> bool:
        """Whether it writes records of DynamoDB."""
        return self._service == "dynamodb" and self.operation in _RECORDS

    @property
    def may_change(self) -> bool:
        """Whether it may change something else than objects, which are on the disk at once."""
        return (
            self._service not in ("", *_FLEETING)
            and self._method not in ("GET", "HEAD", "OPTIONS")
            and not self._of_objects
            and not self.path.endswith("/invocations")
        )

    def is_question(self, body: bytes) -> bool:
        """Whether it only asks, as far as its operation tells."""
        operation = self.operation or parse_qs(body.decode("latin-1")).get("Action", [""])[0]
        return _QUESTION.match(operation) is not None
