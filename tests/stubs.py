"""Clients of AWS that answer as a test tells them to."""

import functools
from typing import Any

import botocore.session

# Literal: a list taken from the source would follow it wherever it goes, and a lost code would fail no test.
WHOLE_CALLS = [
    "InternalError",
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "ThrottlingException",
]
"""With which AWS refuses a whole call for now."""


@functools.cache
def client(service: Any) -> Any:
    return botocore.session.Session().create_client(
        service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


def ids(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count)]
