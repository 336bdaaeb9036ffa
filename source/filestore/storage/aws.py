"""AWS clients, made once per container, and what their errors mean to the domain.

botocore alone: boto3's resource layer would add to every cold start and is not used.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Self, cast

from botocore.auth import (  # type: ignore[attr-defined]  # the stubs lack the last one
    AUTH_TYPE_MAPS,
    SIGNED_HEADERS_BLACKLIST,
    S3SigV4Auth,
    SigV4Auth,
    _host_from_url,
)
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.context import get_context
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.session import Session
from botocore.useragent import UserAgentString

from filestore.errors import NoAnswerError, StorageError, ThrottledError

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

# Well under the 29 seconds that API Gateway waits, so that a stuck connection ends in an answer and not in a 504.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
_UNCHECKED = Config(parameter_validation=False)
_ONCE = Config(read_timeout=20, retries={"mode": "standard", "total_max_attempts": 1})

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


class _Signing(SigV4Auth):
    """The SDK's signatures, without what it does again in each: lower-casing the headers twice, four HMACs of the key.

    One of these is made for every signature. What is signed, and when, stays the SDK's business.
    """

    signed: Mapping[str, str] | None = None

    def headers_to_sign(self, request: AWSRequest) -> Any:
        """The headers, asked for before and after the signature is made: nothing changes them in between."""
        if self.signed is None:
            signed: dict[str, str] = {}
            for header, text in request.headers.items():
                name, value = header.lower(), " ".join(text.split())
                if name not in SIGNED_HEADERS_BLACKLIST:
                    signed[name] = f"{signed[name]},{value}" if name in signed else value
            self.signed = {"host": _host("/".join(str(request.url).split("/", 3)[:3])), **signed}
        return self.signed

    def canonical_headers(self, headers_to_sign: Any) -> str:
        """A line for each."""
        return "\n".join(f"{name}:{headers_to_sign[name]}" for name in sorted(headers_to_sign))

    def signed_headers(self, headers_to_sign: Iterable[str]) -> str:
        """Their names."""
        return ";".join(sorted(headers_to_sign))

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        """The signature in hexadecimal."""
        key = signing_key(self.credentials.secret_key, self.credential_scope(request))
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()


class _S3Signing(_Signing, S3SigV4Auth):
    """The same for S3."""


# The SDK's own table, in which it puts other signers where it finds awscrt.
AUTH_TYPE_MAPS |= {"v4": _Signing, "s3v4": _S3Signing}


@lru_cache(maxsize=4)
def signing_key(secret: str, scope: str) -> bytes:
    """The key of Signature Version 4 for one scope (day/region/service/aws4_request): the same all day."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


@lru_cache(maxsize=4)
def _host(origin: str) -> str:
    """What clients send as Host: they leave out the scheme's own port."""
    host: str = _host_from_url(origin)
    return host


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


@cache
def s3_once() -> S3Client:
    """One that repeats no call, and waits for an answer for as long as API Gateway does, but for a moment."""
    return cast("S3Client", session().create_client("s3", config=_CONFIG.merge(_ONCE)))


class _DomainErrors:
    """Within it errors of the SDK become the domain's: ThrottledError, NoAnswerError or StorageError."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        match error:
            case ClientError():
                code = error.response["Error"]["Code"]
                if code in _THROTTLES:
                    raise ThrottledError(reason=str(error)) from error
                raise StorageError(code, str(error)) from error
            case HTTPClientError() | NoConnectionError():
                raise NoAnswerError("There was no answer. Repeat the call: it is harmless.", str(error)) from error


domain_errors = _DomainErrors()
