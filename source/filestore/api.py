"""HTTP, in one place: what API Gateway hands to a function, what it takes back, and which status an error has.

Event and answer have the shapes of a Lambda proxy integration (API Gateway developer guide). The swagger is the
router and API Gateway's validator the first check; nothing here relies on either.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate
from typing import Any, NoReturn

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from filestore import telemetry, wiring
from filestore.domain.outcome import Problem
from filestore.errors import (
    AlreadyStoredError,
    FieldError,
    FilestoreError,
    InvalidBodyError,
    InvalidRequestError,
    InvalidTokenError,
    OriginNotAllowedError,
    TooManyIdsError,
    TryAgainError,
    UnknownFileError,
)
from filestore.storage.aws import is_throttle

MAX_IDS = 100
"""Ids that one call takes."""

MAX_PAYLOAD = 6_291_556
"""Octets that a function may answer (Lambda quotas, 6 MB), with the body as a string of JSON: escaped once more."""

# A quarter of a megabyte is more than a hundred problems and the headers take.
_MAX_RESULT = MAX_PAYLOAD - 256 * 1024
_MAX_BODY = 256 * 1024
_MAX_ID = 128
_RETRY_AFTER = "1"
_YES = ("yes", "true", "1")
_NO = ("no", "false", "0")

_STATUS: tuple[tuple[type[FilestoreError], HTTPStatus], ...] = (
    (InvalidRequestError, HTTPStatus.BAD_REQUEST),
    (InvalidTokenError, HTTPStatus.FORBIDDEN),
    (OriginNotAllowedError, HTTPStatus.FORBIDDEN),
    (UnknownFileError, HTTPStatus.NOT_FOUND),
    (AlreadyStoredError, HTTPStatus.CONFLICT),
    (TryAgainError, HTTPStatus.SERVICE_UNAVAILABLE),
)

# Control characters and lone surrogates: the former have no place in a name or an id, the latter no UTF-8 encoding.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: a status, a JSON body (None for no body), headers beyond the usual; for the log, counts and a file."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    file_id: str | None = None


def ok(body: Any, *, file_id: str | None = None, **counts: int) -> Response:
    """200 with a JSON body."""
    return Response(HTTPStatus.OK, body, counts=counts, file_id=file_id)


def no_content(*, file_id: str | None = None, **counts: int) -> Response:
    """204."""
    return Response(HTTPStatus.NO_CONTENT, counts=counts, file_id=file_id)


def batch(
    result: Mapping[str, object], problems: Mapping[str, Problem], *, with_problems: bool, **counts: int
) -> Response:
    """The answer to a batch: what there is to say of each id, alone or with the problem of every id that is left out.

    Lambda lets only so much through: ids for which there is no room have to be asked for again.
    Without ``with_problems`` nobody would be told of that. So then the whole answer is a 503 where an id was throttled,
    and raises TooManyIdsError where there is no room.
    """
    sizes = accumulate(_size_as_lambda_counts(said) for said in result.values())
    fitting = sum(size <= _MAX_RESULT for size in sizes)
    left_out = list(result)[fitting:]
    said = list(result.values())[:fitting]
    if with_problems:
        problems = {**problems, **dict.fromkeys(left_out, Problem.TRY_AGAIN)}
        return ok(
            {
                "result": said,
                "problems": {
                    file_id: {"code": problem, "message": problem.message} for file_id, problem in problems.items()
                },
            },
            file_id=None,
            **counts,
        )
    if Problem.TRY_AGAIN in problems.values():
        raise TryAgainError(Problem.TRY_AGAIN.message)
    if left_out:
        raise TooManyIdsError(f"The answer would be too long: ask for {fitting} of these ids at once, or problems=yes.")
    return ok(said, file_id=None, **counts)


def _size_as_lambda_counts(member: object) -> int:
    text = json.dumps(member)
    return len(text) + text.count('"') + text.count("\\") + len(", ")


@dataclass(frozen=True, slots=True)
class Request:
    """A request, with readers that raise InvalidRequestError for what is not as it should be."""

    event: Mapping[str, Any]

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        headers = self.event.get("headers") or {}
        return next((value for key, value in headers.items() if key.lower() == name), None)

    def path(self, name: str) -> str:
        """A path parameter."""
        return str((self.event.get("pathParameters") or {}).get(name, ""))

    def flag(self, name: str) -> bool:
        """A query parameter that says yes, true or 1, or else no, false or 0, in any case; absent means no."""
        value = (self.event.get("queryStringParameters") or {}).get(name)
        if value is None or value.lower() in _NO:
            return False
        if value.lower() in _YES:
            return True
        raise InvalidRequestError(f"The query parameter {name} is yes (true, 1) or no (false, 0).")

    def json(self) -> object:
        """The body."""
        text = self.event.get("body")
        if not text:
            _refuse("", "A JSON body is needed.")
        if len(text) > _MAX_BODY:
            _refuse("", f"The body is longer than {_MAX_BODY} characters.")
        try:
            if self.event.get("isBase64Encoded"):
                text = base64.b64decode(text, validate=True).decode()
            return json.loads(text, parse_constant=_no_constant)
        except (binascii.Error, RecursionError, ValueError):
            _refuse("", "The body is not JSON.")

    def ids(self) -> list[str]:
        """The body as ids, 0 to 100, each once and in the order given. Raises TooManyIdsError."""
        body = self.json()
        if not isinstance(body, list):
            _refuse("", "An array of file ids is needed.")
        errors = [
            FieldError(f"/{index}", f"A file id is a string of 1 to {_MAX_ID} printable characters.")
            for index, value in enumerate(body)
            if not isinstance(value, str) or not 1 <= len(value) <= _MAX_ID or _UNPRINTABLE.search(value)
        ]
        if errors:
            raise InvalidBodyError(errors[:MAX_IDS])
        ids = list(dict.fromkeys(body))
        if len(ids) > MAX_IDS:
            raise TooManyIdsError(f"{len(ids)} ids were given, one call takes at most {MAX_IDS}.")
        return ids


Endpoint = Callable[[Request], Response]
Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]


def endpoint(handle: Endpoint) -> Handler:
    """Make a Lambda handler of a function that answers a request: errors become answers, one line is logged."""

    @functools.wraps(handle)
    def handler(event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        started = time.perf_counter()
        request = Request(event)
        origin = request.header("origin")
        allowed_origin = _allowed_origin(origin)
        try:
            if origin is not None and allowed_origin is None:
                raise OriginNotAllowedError("Pages of this origin may not use this service.")
            response = handle(request)
        except FilestoreError as error:
            response = _error(error)
        except ClientError as error:
            if is_throttle(error):
                response = _error(TryAgainError(Problem.TRY_AGAIN.message))
            else:
                telemetry.logger.exception("AWS refused a call")
                response = _failure()
        except (HTTPClientError, NoConnectionError):
            telemetry.logger.warning("AWS did not answer", exc_info=True)
            response = _error(TryAgainError("AWS did not answer. Repeat the call: it is harmless."))
        except Exception as error:
            # The last resort: whatever it is, the caller gets an answer with CORS headers, and the log where it was.
            telemetry.report_fault(error)
            response = _failure()
        telemetry.report(
            f"{event.get('httpMethod')} {event.get('resource')}",
            status=int(response.status),
            code=response.body["code"] if response.status >= HTTPStatus.BAD_REQUEST else None,
            milliseconds=round((time.perf_counter() - started) * 1000),
            file_id=response.file_id,
            # The other one, requestId, is what the client says in x-amzn-requestid, if it does.
            request_id=(event.get("requestContext") or {}).get("extendedRequestId"),
            counts={**response.counts, "RequestsRejected": _is_rejected(response)},
        )
        return _proxy_answer(response, allowed_origin)

    return handler


def is_printable(text: str) -> bool:
    """Whether the text has neither control characters nor lone surrogates."""
    return _UNPRINTABLE.search(text) is None


def is_encodable(text: str) -> bool:
    """Whether the text has no lone surrogates, and so an encoding in UTF-8."""
    return _SURROGATE.search(text) is None


def _refuse(path: str, message: str) -> NoReturn:
    raise InvalidBodyError([FieldError(path, message)])


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _allowed_origin(origin: str | None) -> str | None:
    allowed = wiring.settings().allowed_origins
    if "*" in allowed:
        return "*"
    return origin if origin in allowed else None


def _error(error: FilestoreError) -> Response:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    body: dict[str, Any] = {"message": error.message, "code": error.code}
    if isinstance(error, InvalidBodyError):
        body["errors"] = [{"path": wrong.path, "message": wrong.message} for wrong in error.errors]
    return Response(status, body, {"Retry-After": _RETRY_AFTER} if status == HTTPStatus.SERVICE_UNAVAILABLE else {})


def _is_rejected(response: Response) -> bool:
    return HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _failure() -> Response:
    return Response(
        HTTPStatus.INTERNAL_SERVER_ERROR, {"message": "Something went wrong on our side.", "code": FilestoreError.code}
    )


def _proxy_answer(response: Response, allowed_origin: str | None) -> dict[str, Any]:
    headers = {"Cache-Control": "no-store", **response.headers}
    if response.body is not None:
        headers["Content-Type"] = "application/json"
    if allowed_origin is not None:
        headers["Access-Control-Allow-Origin"] = allowed_origin
        headers["Access-Control-Expose-Headers"] = "Retry-After"
    if allowed_origin != "*":
        headers["Vary"] = "Origin"
    return {
        "statusCode": int(response.status),
        "headers": headers,
        "body": "" if response.body is None else json.dumps(response.body),
        "isBase64Encoded": False,
    }
