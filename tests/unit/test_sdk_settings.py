"""Codes, levels and tables that are set once, when a module is imported."""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from filestore import telemetry
from filestore.errors import ThrottledError
from filestore.storage import aws, items


@pytest.mark.parametrize("code", ["500", "503"])
def test_a_refusal_without_a_body_is_one_for_now(code: str) -> None:
    """S3's answer to a HEAD has none: its status is all that it says."""
    with pytest.raises(ThrottledError), aws.domain_errors:
        raise ClientError({"Error": {"Code": code}}, "HeadObject")


def test_the_sdk_logs_no_more_than_warnings() -> None:
    assert logging.getLogger("botocore").level == logging.WARNING


def test_indexes_have_a_shard_for_each_digit_that_an_id_begins_with() -> None:
    assert "".join(items.SHARDS) == "0123456789abcdef"


@pytest.fixture
def _tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_tokyo")
def test_lines_have_the_time_of_utc_wherever_they_are_written(log: Callable[[], list[dict[str, Any]]]) -> None:
    telemetry.report("text")
    (line,) = log()
    assert line["timestamp"].endswith(("Z", "+00:00"))
