"""The embedded AWS as an ASGI application, with what Amazon S3 does and the engine leaves out.

A GET that names a version ignores the ``response-*`` parameters and the ``Range`` header there, while S3 honours both
(GetObject in the Amazon S3 API reference). Filestore's downloads always name a version.
"""

import asyncio
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as engine

from local.durability import Keeper

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_OVERRIDES = {
    "response-cache-control": b"cache-control",
    "response-content-disposition": b"content-disposition",
    "response-content-encoding": b"content-encoding",
    "response-content-language": b"content-language",
    "response-content-type": b"content-type",
    "response-expires": b"expires",
}
_LOOK_AGAIN = 0.5
_HEALTH = "/_ministack/health"
_API = re.compile(r"/restapis/[^/]+/[^/]+/_user_request_/.*", re.DOTALL)
_OBJECT = re.compile(r"/[a-z0-9][a-z0-9.-]+/.+", re.DOTALL)
_RANGE = re.compile(rb"bytes=(\d*)-(\d*)")


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Serve one request, or the engine's start and stop."""
    if scope["type"] == "http" and not _is_allowed(scope):
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"Not for pages of other sites.\n"})
        return
    if scope["type"] == "http" and scope["method"] == "GET":
        query = parse_qs(scope["query_string"].decode("ascii"))
        if "versionId" in query:
            overrides = {name: query[key][0].encode("latin-1") for key, name in _OVERRIDES.items() if key in query}
            wanted = dict(scope["headers"]).get(b"range", b"")
            send = _VersionedRead(send, overrides, _RANGE.fullmatch(wanted))
    await engine(scope, receive, send)


def _is_allowed(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request may be what it seems.

    The engine trusts whoever knows its root key, which everybody does, and any page may read its answers. On AWS a page
    of another site reaches nothing but the API and what a URL was signed for, so here, too: otherwise any page that is
    open on this machine could deploy functions to it.
    """
    headers = dict(scope["headers"])
    name, _, _ = headers.get(b"host", b"").partition(b":")
    if name not in (b"127.0.0.1", b"localhost"):
        # A name of somebody else's that leads here (DNS rebinding).
        return False
    path = scope["path"]
    if path.startswith("/_ministack/") and path != _HEALTH:
        return False
    from_page = b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
    if not from_page or _API.fullmatch(path):
        return True
    query = parse_qs(scope["query_string"].decode("latin-1"))
    # The root key, in either version of the signature.
    by_root = query.get("X-Amz-Credential", [""])[0].startswith("test/") or "AWSAccessKeyId" in query
    return (
        scope["method"] in ("GET", "HEAD", "OPTIONS", "PUT")
        and _OBJECT.fullmatch(path) is not None
        and b"authorization" not in headers
        and not by_root
    )


class _VersionedRead:
    """Sends on the answer to a GET of a version, with the overrides applied and cut to the range."""

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


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM; state is saved on the way out.

    Arguments: the port, the parent's process id, the folder of the snapshots, the number of the one to go on from.
    """
    port, parent, folder, number = sys.argv[1:]
    threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    config = Config()
    # From now on requests wait, those of functions that are started before all is recovered too.
    listener = socket.create_server(("127.0.0.1", int(port)))
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.accesslog = "-"
    # The path alone: a query may be presigned.
    config.access_log_format = "request %(m)s %(U)s %(s)s %(L)s"
    asyncio.run(serve(Keeper(app, Path(folder), int(number)), config))


def _end_with(parent: int) -> None:
    """End this process, its state saved, when the one that started it is gone: killed, it could not say so."""
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
