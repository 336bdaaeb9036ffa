"""The frame of every endpoint: errors become answers, origins are checked, and one line is logged.

The answer has the shape of a Lambda proxy integration (API Gateway developer guide). The swagger is the router.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from filestore import telemetry, wiring
from filestore.api import errors
from filestore.api.request import Request
from filestore.api.response import Response
from filestore.errors import FilestoreError, NoAnswerError, OriginNotAllowedError, StorageError

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
            response = errors.answer(error)
            # What the SDK said names the call.
            cause = error.__cause__ or error
            if isinstance(error, NoAnswerError):
                telemetry.logger.warning("storage did not answer", exc_info=cause)
            elif isinstance(error, StorageError):
                telemetry.logger.error("storage refused a call", exc_info=cause)
            elif response.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                telemetry.report_fault(error)
        except Exception as error:
            # The last resort: whatever it is, the caller gets an answer with CORS headers, and the log where it was.
            telemetry.report_fault(error)
            response = errors.failure()
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


def _allowed_origin(origin: str | None) -> str | None:
    allowed = wiring.settings().allowed_origins
    if "*" in allowed:
        return "*"
    return origin if origin in allowed else None


def _is_rejected(response: Response) -> bool:
    return HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR


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
