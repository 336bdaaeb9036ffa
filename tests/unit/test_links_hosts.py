"""The host that a presigned URL is signed for is the one that a client of it sends."""

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.unit.test_links import signer

NOON = time.struct_time((2026, 1, 1, 12, 0, 0, 3, 1, 0))


def signature(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> str:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setattr(time, "gmtime", lambda *_: NOON)
    (found,) = parse_qs(urlsplit(signer("us-east-1").upload("key").url).query)["X-Amz-Signature"]
    return found


@pytest.mark.parametrize(
    ("endpoint", "host"),
    [
        ("http://me:secret@store.example:4566", "http://store.example:4566"),
        ("http://store.example:80", "http://store.example"),
        ("https://store.example:443", "https://store.example"),
        ("https://STORE.example", "https://store.example"),
    ],
)
def test_without_what_clients_leave_out(monkeypatch: pytest.MonkeyPatch, endpoint: str, host: str) -> None:
    assert signature(monkeypatch, endpoint) == signature(monkeypatch, host)


@pytest.mark.parametrize("other", ["http://store.example:443", "https://store.example:80", "http://other.example"])
def test_with_everything_else(monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    assert signature(monkeypatch, other) != signature(monkeypatch, "http://store.example")


def test_at_an_address_with_a_path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example/BOX/")
    assert signer("us-east-1").upload("key").url.startswith("https://store.example/BOX/files.example/key?")
