"""Large files in parts over HTTP, as a browser sends them."""

from typing import Any

import requests

from tests.parts import crc64nvme, cut
from tests.stack import Stack

CONTENTS = bytes(range(256)) * 4096 * 40
PAGE = {"Origin": "https://www.example.com"}


def begin(stack: Stack, contents: bytes = CONTENTS, **declared: Any) -> dict[str, Any]:
    reply = stack.post_file({"name": "film.mp4", "size": len(contents), "multipart": True, **declared})
    assert reply.status_code == 200, reply.text
    upload: dict[str, Any] = reply.json()
    return upload


def call(stack: Stack, method: str, upload: dict[str, Any], action: str, **body: Any) -> requests.Response:
    return requests.request(
        method,
        f"{stack.outputs['ApiRootUrl']}/file/{upload['id']}/{action}",
        headers=PAGE | {"x-upload-token": upload["token"]},
        timeout=60,
        json=body if method == "POST" else None,
    )


def send(stack: Stack, upload: dict[str, Any], contents: bytes, *numbers: int) -> None:
    pieces = dict(enumerate(cut(contents, upload["part_size"]), 1))
    wanted = [{"part_number": number, "checksum": crc64nvme(pieces[number])} for number in numbers or pieces]
    signed = call(stack, "POST", upload, "parts", parts=wanted)
    assert signed.status_code == 200, signed.text
    for part in signed.json()["parts"]:
        put = requests.put(part["url"], data=pieces[part["part_number"]], headers=PAGE | part["headers"], timeout=60)
        assert put.status_code == 200, put.text


def abandoned(stack: Stack) -> dict[str, Any]:
    """An upload of which a part was sent, and that nobody can go on with any more: the next sweep finds it."""
    upload = begin(stack, b"contents")
    send(stack, upload, b"contents")
    stack.client("dynamodb").update_item(
        TableName=stack.outputs["TableName"],
        Key={"id": {"S": upload["id"]}},
        UpdateExpression="SET sweep_at = :past, url_expires_at = :past, created_at = :then",
        ExpressionAttributeValues={":past": {"N": "1"}, ":then": {"S": "2026-01-01T00:00:00.000Z"}},
    )
    return upload
