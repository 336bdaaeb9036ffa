"""An API and a storage that do as a test says, where the real ones cannot be brought to it or would take too long."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import flask
from werkzeug.serving import WSGIRequestHandler, make_server

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "*",
    "Access-Control-Max-Age": "600",
}


class Call(NamedTuple):
    """A request as it came, preflights aside."""

    method: str
    path: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """``plan`` takes a call and returns a status and a body where it is not to go well, else None.

    While ``reading`` is cleared no contents are taken; while ``open`` is cleared they are, and nothing is answered.
    ``most`` is how many requests with a method there were at once.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.preflights: list[str] = []
        self.most: Counter[str] = Counter()
        self.plan: Callable[[Call], tuple[int, str] | None] = lambda _: None
        self.reading = threading.Event()
        self.open = threading.Event()
        self.reading.set()
        self.open.set()
        app = flask.Flask(__name__, static_folder=None)
        here: Counter[str] = Counter()
        one_at_a_time = threading.Lock()

        @app.route("/<path:path>", methods=["DELETE", "GET", "OPTIONS", "POST", "PUT"])
        def take(path: str) -> flask.Response:
            request = flask.request
            if request.method == "OPTIONS":
                self.preflights.append(path)
                return flask.Response("", 204, CORS)
            with one_at_a_time:
                here[request.method] += 1
                self.most[request.method] = max(self.most[request.method], here[request.method])
            if request.method == "PUT":
                self.reading.wait(60)
            call = Call(request.method, path, request.get_data())
            self.calls.append(call)
            if request.method == "PUT":
                self.open.wait(60)
            status, body = self.plan(call) or self.go_well(call)
            with one_at_a_time:
                here[request.method] -= 1
            return flask.Response(body, status, CORS)

        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
        self.url = f"http://127.0.0.1:{self._server.server_port}/api"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def go_well(self, call: Call) -> tuple[int, str]:
        """Status and body where nothing goes wrong."""
        if call.method != "POST":
            return (204 if call.method == "DELETE" else 200), ""
        file_id = f"id-{len([each for each in self.calls if each.method == 'POST'])}-{call.json['name'][:20]}"
        return 200, json.dumps(
            {
                "id": file_id,
                "method": "PUT",
                "url": f"{self.url.removesuffix('/api')}/bucket/{file_id}",
                "headers": {},
                "token": f"token of {file_id}",
            }
        )

    def made(self, method: str) -> list[Call]:
        """The calls with this method so far."""
        return [call for call in self.calls if call.method == method]

    def stop(self) -> None:
        self.reading.set()
        self.open.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        del type, message, args


def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
