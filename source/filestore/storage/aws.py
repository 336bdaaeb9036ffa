"""AWS clients, made once per container, and what their errors mean to the domain.

botocore alone: boto3's resource layer would add to every cold start and is not used.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Self, cast

from botocore.config import Config
from botocore.context import get_context
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session
from botocore.useragent import UserAgentString

from filestore.domain.outcome import Problem
from filestore.errors import NoAnswerError, StorageError, ThrottledError

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Well under the 29 seconds that API Gateway waits, so that a stuck connection ends in an answer and not in a 504.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_UNCHECKED = Config(parameter_validation=False)

# The last two are what HEAD says, whose answers have no body: the status is the code.
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
        "500",
        "503",
    }
)


# botocore logs at INFO where it found credentials, and Lambda's JSON log format lets that through.
logging.getLogger("botocore").setLevel(logging.WARNING)

# The part of a botocore event that names a service, where it is one of ours or none.
_CONCERNED = frozenset({"", "*", "dynamodb", "s3"})


class _UserAgent(UserAgentString):
    """What the SDK says of itself to AWS.

    The SDK puts it together twice a call, out of a dozen parts. This does so once for each client and set of features,
    the one thing in it that differs from call to call.
    """

    said: dict[frozenset[str], str] | None = None

    def with_client_config(self, client_config: Config) -> Self:
        """The one of a client, which stays the same from then on."""
        client = super().with_client_config(client_config)
        client.said = {}
        return client

    def to_string(self) -> str:
        """The header's value."""
        if self.said is None:
            return super().to_string()
        context = get_context()
        features = frozenset(context.features if context else ())
        if features not in self.said:
            self.said[features] = super().to_string()
        return self.said[features]


@cache
def session() -> Session:
    """The session that credentials and clients come from.

    Two thirds of what botocore hooks into a session is for other services and for documentation, and would cost every
    cold start a twentieth.
    """
    session = Session(include_builtin_handlers=False)
    session.register_component("user_agent_creator", _UserAgent.from_environment())
    events = session.get_component("event_emitter")
    register = {REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last}
    for event, handler, *place in BUILTIN_HANDLERS:
        phase, *details = event.split(".")
        if phase != "docs" and "".join(details[:1]) in _CONCERNED:
            register[place[0]](event, handler) if place else events.register(event, handler)
    return session


@cache
def dynamodb() -> DynamoDBClient:
    """Low-level DynamoDB client.

    It looks at no parameters before it sends them, which is a tenth of a call: they have few forms, which the tests
    look at, and DynamoDB refuses what is wrong. S3's client does look: there a version left out means another deletion.
    """
    return cast("DynamoDBClient", session().create_client("dynamodb", config=_CONFIG.merge(_UNCHECKED)))


@cache
def s3() -> S3Client:
    """Low-level S3 client."""
    return cast("S3Client", session().create_client("s3", config=_CONFIG))


class _DomainErrors:
    """Within it errors of the SDK become the domain's: ThrottledError, NoAnswerError or StorageError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        match error:
            case ClientError():
                refusal = error.response["Error"]
                if refusal["Code"] in _THROTTLES:
                    raise ThrottledError(Problem.TRY_AGAIN.message) from error
                raise StorageError(refusal["Code"], refusal.get("Message", "")) from error
            case HTTPClientError() | NoConnectionError():
                raise NoAnswerError("There was no answer. Repeat the call: it is harmless.") from error


domain_errors = _DomainErrors()
