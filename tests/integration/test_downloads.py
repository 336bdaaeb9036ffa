"""What a downloader gets of a file that a stranger uploaded: the bytes, and what the record says of them."""

import base64
import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.stack import Stack
from tests.strangers import BOMB, SENT_ALONG

SAID_BY_THE_RECORD = {
    "Cache-Control": "no-store",
    "Content-Disposition": "attachment; filename=\"cv.pdf\"; filename*=UTF-8''cv.pdf",
    "Content-Encoding": "identity",
    "Content-Language": "und",
    "Content-Type": "application/pdf",
    "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
}
UPLOADERS = ("max-age", "inline", "evil", "gzip", "tlh", "2038")


@pytest.fixture(params=[b"%PDF", BOMB], ids=["plain bytes", "a bomb in gzip"])
def contents(request: pytest.FixtureRequest) -> bytes:
    contents: bytes = request.param
    return contents


@pytest.fixture(params=[True, False], ids=["all declared", "a name alone"])
def url(request: pytest.FixtureRequest, stack: Stack, contents: bytes) -> str:
    """A download of a file that was sent with every header that S3 takes unsigned."""
    digest = base64.b64encode(hashlib.sha256(contents).digest()).decode()
    checksum = {"algorithm": "SHA256", "value": digest}
    declared: dict[str, Any] = {"size": len(contents), "type": "application/pdf", "checksum": checksum}
    upload = stack.post_file({"name": "cv.pdf", **(declared if request.param else {})}).json()
    # Of a type that nobody declared the essence is kept.
    signed = upload.get("headers", {"Content-Type": "application/pdf; charset=evil"})
    sent = requests.put(upload["url"], data=contents, headers={**SENT_ALONG, **signed}, timeout=60)
    assert sent.status_code == 200
    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]
    (details,) = stack.files("POST", [upload["id"]]).json()
    return str(details["url"])


def test_requests_gets_the_bytes_that_were_put(url: str, contents: bytes) -> None:
    reply = requests.get(url, headers={"Accept-Encoding": "gzip, deflate, br"}, timeout=60)
    assert reply.content == contents
    assert {name: reply.headers.get(name) for name in SAID_BY_THE_RECORD} == SAID_BY_THE_RECORD
    assert not [value for value in reply.headers.values() if any(each in value for each in UPLOADERS)]


def test_a_part_has_no_header_of_the_uploaders_either(url: str, contents: bytes) -> None:
    reply = requests.get(url, headers={"Range": "bytes=0-1"}, timeout=60)
    assert (reply.status_code, reply.content) == (206, contents[:2])
    assert {name: reply.headers.get(name) for name in SAID_BY_THE_RECORD} == SAID_BY_THE_RECORD


def test_curl_gets_the_bytes_that_were_put(url: str, contents: bytes, tmp_path: Path) -> None:
    """It asks for compression, and would undo what the answer says that it is compressed with."""
    subprocess.run(["curl", "-fsS", "--compressed", "-o", str(tmp_path / "got"), url], check=True, timeout=60)  # noqa: S607
    assert (tmp_path / "got").read_bytes() == contents


def test_no_override_can_be_left_out(url: str) -> None:
    """They are signed like the rest of the URL."""
    for name in ("response-content-encoding=identity", "response-cache-control=no-store"):
        assert name in url
        assert requests.get(url.replace(f"{name}&", ""), timeout=60).status_code == 403


def test_a_head_is_refused_and_a_part_tells_the_size(url: str, contents: bytes) -> None:
    """S3 signs the method, too. The guide for back ends says what to ask for instead."""
    assert requests.head(url, timeout=60).status_code == 403
    reply = requests.get(url, headers={"Range": "bytes=0-0"}, timeout=60)
    assert reply.headers["Content-Range"] == f"bytes 0-0/{len(contents)}"
