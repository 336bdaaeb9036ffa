"""No log has a presigned URL, a token, a key, a credential or a body. Runs last, on what all others logged."""

import logging
import secrets

import pytest

from tests import hygiene


def test_no_line_of_this_process_has_a_secret() -> None:
    assert hygiene.watch.found == []


def test_no_line_of_a_deployed_stack_has_a_secret() -> None:
    lines = list(hygiene.deployed_lines())
    assert [line for line in lines if list(hygiene.leaks(line))] == []
    if hygiene.stacks:
        assert any(map(hygiene.is_of_a_function, lines))


@pytest.mark.parametrize(
    "leak",
    [
        "https://b.s3.eu-central-1.amazonaws.com/k?X-Amz-Algorithm=x&X-Amz-Signature=0f",
        "Authorization: AWS4-HMAC-SHA256 Credential=x",
        '{"message": "PUT /files", "body": "[\\"0123456789abcdef0123456789abcdef\\"]"}',
        '{"message": "POST /file", "body": "{\\"name\\": \\"cv.pdf\\"}"}',
        "x-upload-token: {token}",
        "key {key}",
    ],
)
def test_a_leak_would_be_seen(leak: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token, key = secrets.token_urlsafe(32), "f00d" * 5
    monkeypatch.setattr(hygiene, "keys", {key})
    assert token in hygiene.tokens
    watch = hygiene.Watch()
    logger = logging.getLogger("tests.leaks")
    logger.addHandler(watch)
    logger.propagate = False
    logger.warning(leak.replace("{token}", token).replace("{key}", key))
    assert len(watch.found) == 1
