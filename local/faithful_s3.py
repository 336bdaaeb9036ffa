"""Where the emulator's S3 is laxer or poorer than Amazon S3, and uploads and downloads meet it.

- A GET or HEAD that names a version ignores the ``response-*`` parameters and the ``Range`` header there, while S3
  honours both (GetObject and HeadObject in the Amazon S3 API reference). Filestore's downloads always name a version.
- S3 takes no upload whose length it is not told beforehand: 501 for ``Transfer-Encoding: chunked``, 411 where there is
  no length at all (Error responses in the Amazon S3 API reference).
- Whoever has a presigned URL adds no ``x-amz-*`` header of their own: those that are there have to be signed
  (Signature Calculations for the Authorization Header, and Authenticating Requests: Using Query Parameters, likewise).
- Uploads in parts: ``faithful_multipart``.
- A presigned URL has to be valid when a request begins; how long that takes is its own affair.
"""

import base64
import datetime
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack.services import s3

from local import faithful_multipart

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Any, Any], Awaitable[None]]

_OVERRIDES = {
    "response-cache-control": b"cache-control",
    "response-content-disposition": b"content-disposition",
    "response-content-encoding": b"content-encoding",
    "response-content-language": b"content-language",
    "response-content-type": b"content-type",
    "response-expires": b"expires",
}
_RANGE = re.compile(rb"bytes=(\d*)-(\d*)")

_began: ContextVar[datetime.datetime | None] = ContextVar("began", default=None)
_is_expired = s3.presigned_request_is_expired


def has_bucket(name: str) -> bool:
    """Whether there is such a bucket."""
    return s3._bucket_owner_account(name) is not None  # noqa: SLF001 - there is no public way to ask


def faithful(emulator: App) -> App:
    """Returns the emulator as an ASGI application, its S3 as Amazon's where this module says so."""
    # The emulator asks it after it has read the body.
    faithful_multipart.apply()
    s3.presigned_request_is_expired = lambda date, expires: _is_expired(date, expires, now=_began.get())

    async def app(scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] == "http":
            _began.set(datetime.datetime.now(datetime.UTC))
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            headers = dict(scope["headers"])
            refusal = _refusal(scope["method"], query, headers)
            if refusal:
                await _answer(send, refusal, _cors(scope, headers))
                return
            if scope["method"] in ("GET", "HEAD") and "versionId" in query:
                wanted = {
                    name: query.get(key, [""])[0].encode("latin-1", "replace") for key, name in _OVERRIDES.items()
                }
                overrides = {name: value for name, value in wanted.items() if value}
                send = _VersionedRead(send, overrides, _RANGE.fullmatch(headers.get(b"range", b"")))
        await emulator(scope, receive, send)

    return app


def _cors(scope: Mapping[str, Any], headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """Returns what the bucket's CORS rules add to an answer, so that a page can read it."""
    origin = {"origin": headers[b"origin"].decode("latin-1")} if b"origin" in headers else {}
    added: dict[str, str] = s3.cors_response_headers(scope["path"].split("/")[1], scope["method"], origin)
    return added


class _Refusal(NamedTuple):
    """An error of S3: its status and code, its message, and what else it says by element."""

    status: HTTPStatus
    code: str
    message: str
    details: Mapping[str, str]


def _refusal(method: str, query: Mapping[str, list[str]], headers: Mapping[bytes, bytes]) -> _Refusal | None:
    """Returns the error with which S3 answers such a presigned request, if it does."""
    if "X-Amz-Signature" not in query:
        return None
    if method == "PUT" and b"chunked" in headers.get(b"transfer-encoding", b"").lower():
        message = "A header you provided implies functionality that is not implemented"
        return _Refusal(HTTPStatus.NOT_IMPLEMENTED, "NotImplemented", message, {"Header": "Transfer-Encoding"})
    if method == "PUT" and b"content-length" not in headers:
        message = "You must provide the Content-Length HTTP header."
        return _Refusal(HTTPStatus.LENGTH_REQUIRED, "MissingContentLength", message, {})
    signed = {*query.get("X-Amz-SignedHeaders", [""])[0].lower().split(";"), "x-amz-content-sha256"}
    sent = (name.decode("latin-1") for name in headers)
    unsigned = [name for name in sent if name.startswith("x-amz-") and name not in signed]
    if unsigned:
        message = "There were headers present in the request which were not signed"
        return _Refusal(HTTPStatus.FORBIDDEN, "AccessDenied", message, {"HeadersNotSigned": ", ".join(unsigned)})
    return None


async def _answer(send: Send, refusal: _Refusal, cors: Mapping[str, str]) -> None:
    """Send an error as S3 does."""
    ids = {"RequestId": secrets.token_hex(8).upper(), "HostId": base64.b64encode(os.urandom(48)).decode()}
    elements = {"Code": refusal.code, "Message": refusal.message, **refusal.details, **ids}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()
    headers = {
        "content-type": "application/xml",
        "content-length": str(len(body)),
        # What follows of the request is not read.
        "connection": "close",
        "x-amz-request-id": ids["RequestId"],
        "x-amz-id-2": ids["HostId"],
        **cors,
    }
    encoded = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": refusal.status.value, "headers": encoded})
    await send({"type": "http.response.body", "body": body})


class _VersionedRead:
    """Sends on the answer to a GET or HEAD of a version, with the overrides applied and cut to the range."""

    def __init__(self, send: Send, overrides: dict[bytes, bytes], wanted: re.Match[bytes] | None) -> None:
        self._send = send
        self._overrides = overrides
        self._wanted = wanted
        self._skip = 0
        self._left: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004
            message = self._start(message)
        elif message["type"] == "http.response.body" and self._left is not None:
            body = message.get("body", b"")
            kept = body[self._skip : self._skip + self._left]
            self._skip = max(0, self._skip - len(body))
            self._left -= len(kept)
            message = {**message, "body": kept}
        await self._send(message)

    def _start(self, message: Message) -> Message:
        headers = {name.lower(): value for name, value in message["headers"]} | self._overrides
        status = message["status"]
        if self._wanted is not None:
            total = int(headers[b"content-length"])
            first, last = _bounds(self._wanted, total)
            if first > last:
                status, self._left = 416, 0
                headers |= {b"content-range": b"bytes */%d" % total, b"content-length": b"0"}
            else:
                status, self._skip, self._left = 206, first, last - first + 1
                headers |= {
                    b"content-range": b"bytes %d-%d/%d" % (first, last, total),
                    b"content-length": b"%d" % self._left,
                }
        return {**message, "status": status, "headers": list(headers.items())}


def _bounds(wanted: re.Match[bytes], total: int) -> tuple[int, int]:
    """First and last byte of a single range (RFC 9110, 14.1.2)."""
    first, last = wanted.groups()
    if not first:
        return max(0, total - int(last or 0)), total - 1
    return int(first), min(int(last), total - 1) if last else total - 1
