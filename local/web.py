"""Serves the page: static/web as it is, the packages that it uses, and the API's address."""

import json
import mimetypes
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from local.emulator import ROOT

_PAGE = ROOT / "static" / "web"
_PACKAGES = ROOT / "static" / "node_modules"
# Those of the machine's own tables may differ, and a browser runs no module of another type.
_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}


class Web:
    """The page's server, on 127.0.0.1. ``on_request`` is called with the method, path and status of each request."""

    def __init__(self, port: int, api_root_url: str, on_request: Callable[[str, str, int], None]) -> None:
        config = json.dumps({"apiRootUrl": api_root_url}).encode()

        class Handler(_Handler):
            def config(self) -> bytes:
                return config

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                del size
                on_request(self.command, urlsplit(self.path).path, int(code))

        self.url = f"http://127.0.0.1:{port}/"
        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Serve until stopped."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def config(self) -> bytes:
        raise NotImplementedError

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        del format, args

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        file = _file(path)
        if path == "/config.json":
            status, kind, body = HTTPStatus.OK, "application/json", self.config()
        elif file is not None:
            status, kind, body = HTTPStatus.OK, _type(file), file.read_bytes()
        else:
            status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", b"There is no such page.\n"
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _file(path: str) -> Path | None:
    """The file that a path stands for, if it is one of those that are served."""
    match PurePosixPath(path).parts:
        case ("/",):
            root, relative = _PAGE, "index.html"
        case ("/", "vendor", package, *rest):
            root, relative = _PACKAGES / package / "dist", "/".join(rest)
        case ("/", *rest):
            root, relative = _PAGE, "/".join(rest)
        case _:
            return None
    if "\0" in path:
        return None
    file = (root / relative).resolve()
    served = (_PAGE.resolve(), _PACKAGES.resolve())
    return file if file.is_file() and any(file.is_relative_to(folder) for folder in served) else None


def _type(file: Path) -> str:
    return _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
