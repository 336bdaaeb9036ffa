"""Every example of swagger.yaml: its request is taken, and its answer is as the real one is."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from local.openapi import document
from tests.parts import MIB, begin, send
from tests.support import SWAGGER, UNKNOWN_ID, call, put

OPERATIONS = {
    operation["operationId"]: operation
    for item in SWAGGER["paths"].values()
    for operation in item.values()
    if "operationId" in operation
}
DOCUMENT = document(SWAGGER)
CLIENTS = {
    operation["operationId"]: operation
    for item in DOCUMENT["paths"].values()
    for operation in item.values()
    if "operationId" in operation
}
EXAMPLES = [(name, example) for name, operation in OPERATIONS.items() for example in operation.get("x-examples", ())]

# The ids of all examples. The second one stands beside the first, and in some of them for no file.
FIRST, SECOND = "5f0c8b0e6a7d4c1f9b2e3d4a5c6b7f80", "9a1d3c5e7f90421b8d6a4b2c0e1f3a57"
FILE = {"name": "report.pdf", "type": "application/pdf", "size": 8, "meta": {"form": "7"}}

Upload = Mapping[str, Any]


def uploaded() -> Upload:
    upload: Upload = call("upload", FILE).body
    put(upload["url"], b"contents", upload["headers"])
    return upload


def stored() -> Upload:
    upload = uploaded()
    assert call("store", [upload["id"]]).body == [upload["id"]]
    return upload


def deleted() -> Upload:
    upload = stored()
    assert call("delete", [upload["id"]]).body == [upload["id"]]
    return upload


def in_parts(contents: bytes, *sent: int) -> Upload:
    upload = begin(len(contents))
    send(upload, contents, sent)
    return upload


# What is there before an example: its first file, and its second.
FILES: dict[str, Callable[[], Upload]] = {
    "sign": lambda: in_parts(bytes(16 * MIB + 8)),
    "parts": lambda: in_parts(bytes(16 * MIB) + b"contents", 2),
    "complete": lambda: in_parts(b"contents", 1),
    "store": uploaded,
    "info a deleted one as well": deleted,
}


def there_are(operation: str, example: str) -> list[Upload]:
    make = FILES.get(f"{operation} {example}", FILES.get(operation, stored))
    return [make(), *([] if example == "one is unknown" else [make()])]


def shape(node: object) -> object:
    """The keys of an answer, and the types of its values."""
    match node:
        case dict():
            return {key: shape(value) for key, value in node.items()}
        case list():
            return [shape(value) for value in node]
    return type(node)


def assert_fits(schema: Mapping[str, Any], value: object) -> None:
    OAS30Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


@pytest.mark.usefixtures("emulator_aws")
@pytest.mark.parametrize(("operation", "name"), EXAMPLES)
def test_is_what_happens(operation: str, name: str) -> None:
    """A reference that promises what is not so is worse than none."""
    uploads = [] if operation == "upload" else there_are(operation, name)
    first, second = [*(upload["id"] for upload in uploads), UNKNOWN_ID, UNKNOWN_ID][:2]
    written = json.dumps(OPERATIONS[operation]["x-examples"][name]).replace(FIRST, first).replace(SECOND, second)
    example = json.loads(written)
    token = {"x-upload-token": uploads[0]["token"]} if uploads else {}
    reply = call(operation, example.get("request"), query=example.get("query"), headers=token, file_id=first)
    assert reply.status == 200
    assert shape(reply.body) == shape(example["answer"])
    spec = CLIENTS[operation]
    if "request" in example:
        assert_fits(spec["requestBody"]["content"]["application/json"]["schema"], example["request"])
    for answer in (example["answer"], reply.body):
        assert_fits(spec["responses"]["200"]["content"]["application/json"]["schema"], answer)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_there_is_one_wherever_there_is_a_body(operation: str) -> None:
    spec = CLIENTS[operation]
    for message in filter(None, (spec.get("requestBody"), spec["responses"].get("200"))):
        assert message["content"]["application/json"]["examples"]
