"""AWS clients, made once per container.

botocore alone: boto3's resource layer would add to every cold start and is not used.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Well under the 29 seconds that API Gateway waits, so that a stuck connection ends in an answer and not in a 504.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})

_THROTTLES = frozenset(
    {
        "InternalError",
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottlingException",
    }
)


@cache
def session() -> botocore.session.Session:
    """The session that credentials and clients come from."""
    return botocore.session.get_session()


@cache
def dynamodb() -> DynamoDBClient:
    """Low-level DynamoDB client."""
    return cast("DynamoDBClient", session().create_client("dynamodb", config=_CONFIG))


@cache
def s3() -> S3Client:
    """Low-level S3 client."""
    return cast("S3Client", session().create_client("s3", config=_CONFIG))


def is_throttle(error: ClientError) -> bool:
    """Whether AWS refused a whole call for now, so that it may be repeated."""
    return error.response["Error"]["Code"] in _THROTTLES
