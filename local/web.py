"""Serves the page: its files as they are, the packages that it uses, what it has to know, and the demo's back end."""

import threading
from collections.abc import Callable, Collection
from http import HTTPStatus
from pathlib import Path

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

from local import page
from local.applications import Applications
from local.backend import blueprint
from local.loopback import hosts


class Web:
    """The page's server, on 127.0.0.1. ``on_request`` is called with the method, path and status of each request."""

    def __init__(
        self,
        port: int,
        *,
        config: str,
        contract: str,
        policy: str,
        applications: Applications,
        on_request: Callable[[str, str, int], None],
    ) -> None:
        app = _app(config, contract, policy, hosts(port))
        app.register_blueprint(blueprint(applications))

        @app.after_request
        def report(response: flask.Response) -> flask.Response:
            on_request(flask.request.method, flask.request.path, response.status_code)
            return response

        self.url = f"http://127.0.0.1:{port}/"
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Silent)
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


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        del type, message, args


def _app(config: str, contract: str, policy: str, own_hosts: Collection[str]) -> flask.Flask:
    app = flask.Flask(__name__, static_folder=None)

    @app.before_request
    def refuse_other_sites() -> None:
        """A page of another site may lead here, and no more. The back end looks at the origin as well."""
        request = flask.request
        # A name that somebody points at 127.0.0.1 must not make this server a part of their site.
        if request.headers.get("Host", "").lower() not in own_hosts:
            flask.abort(HTTPStatus.BAD_REQUEST)
        from_elsewhere = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
        is_followed_link = request.method == "GET" and request.headers.get("Sec-Fetch-Dest") == "document"
        if from_elsewhere and not is_followed_link:
            flask.abort(HTTPStatus.FORBIDDEN)

    @app.get("/config.json")
    def read_config() -> flask.Response:
        return flask.Response(config, mimetype="application/json")

    @app.get("/openapi.json")
    def read_contract() -> flask.Response:
        """swagger.yaml as clients and their generators read it."""
        return flask.Response(contract, mimetype="application/json")

    @app.get(f"/{page.VENDOR}/<package>/<path:name>")
    def vendor(package: str, name: str) -> flask.Response:
        if package not in page.packages() or Path(name).suffix not in (".css", ".js"):
            flask.abort(404)
        return _file(page.vendor_file(package, ""), name)

    @app.get("/")
    @app.get("/<path:name>")
    def file(name: str = "index.html") -> flask.Response:
        path = page.files().get(name)
        if path is None:
            flask.abort(404)
        return _file(path.parent, path.name)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> tuple[str, int, dict[str, str]]:
        return f"{error.code} {error.name}\n", error.code or 500, {"Content-Type": "text/plain; charset=utf-8"}

    @app.after_request
    def protect(response: flask.Response) -> flask.Response:
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        own = page.reference_policy() if flask.request.path == f"/{page.REFERENCE}" else policy
        response.headers["Content-Security-Policy"] = f"{own}; frame-ancestors 'none'"
        return response

    return app


def _file(folder: Path, name: str) -> flask.Response:
    kind = page.TYPES.get(Path(name).suffix)
    return flask.send_from_directory(folder, name, mimetype=kind.split(";")[0] if kind else None, conditional=False)
