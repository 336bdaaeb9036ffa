"""The SDK as the functions use it: what is left out of it is nothing that a call of theirs needs."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.session import Session
from botocore.stub import Stubber

from filestore.domain.file import ObjectVersion
from filestore.errors import StorageError, ThrottledError
from filestore.storage import aws
from filestore.storage.bucket import Bucket
from tests.stubs import client
from tests.unit.test_clients import EVERY_CALL

PHASES = sorted({event.split(".")[0] for event, *_ in BUILTIN_HANDLERS})


def name_of(handler: object) -> str:
    return getattr(handler, "__qualname__", type(handler).__name__)


BUILTIN = {name_of(handler) for _, handler, *_ in BUILTIN_HANDLERS}


def hooked(session: Session, event: str) -> list[str]:
    """What the SDK hooks into an event of a session, in the order in which it is called."""
    emitter: Any = session.get_component("event_emitter")
    handlers = emitter._emitter._handlers.prefix_search(event)  # noqa: SLF001 - nothing else tells
    return [name for name in map(name_of, handlers) if name in BUILTIN]


@pytest.fixture(autouse=True)
def _own_session() -> Iterator[None]:
    aws.session.cache_clear()
    yield
    aws.session.cache_clear()


@pytest.mark.parametrize("operation", EVERY_CALL)
def test_every_call_meets_the_sdk_s_handlers_in_the_sdk_s_order(operation: str) -> None:
    service, _ = EVERY_CALL[operation]
    events = [f"{phase}.{service}.{operation}" for phase in PHASES if phase != "docs"]
    theirs = Session()
    found = {event: hooked(aws.session(), event) for event in events}
    assert found == {event: hooked(theirs, event) for event in events}
    assert any(found.values())


def test_what_is_for_documentation_is_left_out() -> None:
    events = sorted({event for event, *_ in BUILTIN_HANDLERS if event.startswith("docs.")})
    assert events
    assert [event for event in events if hooked(aws.session(), event)] == []


def test_the_client_that_repeats_nothing_waits_twenty_seconds() -> None:
    """What is left of the 29 that API Gateway waits is for the function's own work."""
    config: Any = aws.s3_once().meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 20)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}
    config = aws.s3().meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


@pytest.mark.parametrize(("code", "kind"), [("SlowDown", ThrottledError), ("AccessDenied", StorageError)])
def test_an_error_of_the_domain_says_to_the_log_what_aws_said(code: str, kind: type[Exception]) -> None:
    refusal: Any = {"Error": {"Code": code, "Message": "Please reduce your request rate."}}
    with pytest.raises(kind, match=f"{code}.*HeadObject.*reduce your request rate"), aws.domain_errors:
        raise ClientError(refusal, "HeadObject")


@pytest.mark.parametrize(("code", "status"), [("InvalidRequest", 400), ("500", 500)])
def test_that_s3_does_not_tell_a_checksum_is_not_that_there_is_none(code: str, status: int) -> None:
    with Stubber(client("s3")) as s3:
        s3.add_client_error("head_object", code, http_status_code=status)
        with pytest.raises((StorageError, ThrottledError)):
            Bucket(lambda: client("s3"), "files").checksum(ObjectVersion("0" * 32, "version"))
