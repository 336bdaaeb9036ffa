"""The running local stack under load: requests per second and latency of each route, and throughput of contents."""

import contextlib
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.report import spread, table
from local.loopback import free_port
from local.stack import Stack

_UNLIMITED = {
    **dict.fromkeys(("UsagePlanRateLimit", "UsagePlanBurstLimit", "PublicRateLimit", "PublicBurstLimit"), "1000000"),
    "MaxFileSize": "53687091200000",
    # What comes in parts says so.
    "MultipartThreshold": "5368709120",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One route under so many clients."""

    route: str
    clients: int
    rate: float
    latencies: list[float]
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """The same bytes up and down through presigned URLs, and bare; MB/s."""

    size: int
    presigned_put: list[float]
    bare_put: list[float]
    presigned_get: list[float]
    bare_get: list[float]


class Api:
    """The API, as one client with a connection of its own."""

    def __init__(self, outputs: dict[str, Any]) -> None:
        root = urlsplit(outputs["ApiRootUrl"])
        self._path = root.path
        self._key = outputs["ApiKey"]
        self._connection = http.client.HTTPConnection(root.netloc, timeout=60)

    def __call__(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
        """Status and body of one request."""
        self._connection.request(
            method,
            self._path + path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": "application/json", "x-api-key": self._key, **headers},
        )
        answer = self._connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextmanager
def running_stack() -> Iterator[dict[str, Any]]:
    """A stack as ``make run`` has it, without throttles and other limits; its outputs."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(
            port=free_port(), aws_port=free_port(), state=Path(folder), parameters=_UNLIMITED, say=lambda _: None
        )
        try:
            stack.start()
            yield stack.outputs
        finally:
            stack.stop()


def routes(outputs: dict[str, Any], counts: Sequence[int], seconds: float) -> Iterator[Load]:
    """Every route with each number of clients, for so many seconds after every client's first request.

    The emulator starts a process for every request that comes while the others are busy, and the first requests wait.
    """
    api = Api(outputs)
    _, upload = api("POST", "/file", {"name": "a.txt"})
    _put(upload["url"], b"contents")
    api("PUT", "/files", [upload["id"]])
    # Uploads for the routes that end one, made by the route that begins one.
    begun: list[tuple[str, str]] = []

    def begin(api: Api) -> int:
        status, body = api("POST", "/file", {"name": "a.txt", "size": 8})
        begun.append((body["id"], body["token"]))
        return status

    def undo(api: Api) -> int:
        file_id, token = begun.pop()
        return api("DELETE", f"/file/{file_id}", None, **{"x-upload-token": token})[0]

    steps: list[tuple[str, Callable[[Api], int]]] = [
        ("POST /file", begin),
        ("DELETE /file/{id}", undo),
        ("PUT /files", lambda api: api("PUT", "/files", [upload["id"]])[0]),
        ("POST /files", lambda api: api("POST", "/files", [upload["id"]])[0]),
        ("DELETE /files", lambda api: api("DELETE", "/files", [begun.pop()[0]])[0]),
    ]
    for clients in counts:
        for route, step in steps:
            while len(begun) < 2 * clients:
                begin(api)
            # Two routes use up what this one begins.
            yield _run(outputs, (route, step), clients, seconds * 3 if step is begin else seconds)
    api.close()


def _run(outputs: dict[str, Any], route: tuple[str, Callable[[Api], int]], clients: int, seconds: float) -> Load:
    name, step = route
    latencies: list[float] = []
    failures: list[int] = []
    warm = threading.Barrier(clients)
    began: list[float] = []

    def work() -> None:
        api = Api(outputs)
        step(api)
        warm.wait()
        started = time.perf_counter()
        began.append(started)
        # Where what the route ends has run out, it has been measured.
        with contextlib.suppress(IndexError):
            while (before := time.perf_counter()) - started < seconds:
                status = step(api)
                latencies.append(time.perf_counter() - before)
                if status >= http.client.BAD_REQUEST:
                    failures.append(status)
        api.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - min(began)
    return Load(route=name, clients=clients, rate=len(latencies) / elapsed, latencies=latencies, failures=len(failures))


def throughput(outputs: dict[str, Any], s3: Any, size: int, rounds: int) -> Throughput:
    """Send and fetch so many bytes, in turn through the service's URLs and bare."""
    contents = bytes(range(256)) * (size // 256)
    s3.create_bucket(Bucket="bare")
    api = Api(outputs)
    rates: dict[str, list[float]] = {"presigned_put": [], "bare_put": [], "presigned_get": [], "bare_get": []}

    def timed(kind: str, transfer: Callable[[], object]) -> None:
        before = time.perf_counter()
        transfer()
        rates[kind].append(size / 1e6 / (time.perf_counter() - before))

    def bare(method: str) -> str:
        return str(s3.generate_presigned_url(method, Params={"Bucket": "bare", "Key": "object"}))

    for _ in range(rounds):
        _, upload = api("POST", "/file", {"name": "a.bin"})
        timed("presigned_put", partial(_put, upload["url"], contents))
        timed("bare_put", lambda: _put(bare("put_object"), contents))
        api("PUT", "/files", [upload["id"]])
        _, (described,) = api("POST", "/files", [upload["id"]])
        timed("presigned_get", partial(_transfer, "GET", described["url"]))
        timed("bare_get", lambda: _transfer("GET", bare("get_object")))
    api.close()
    return Throughput(size=size, **rates)


def show_routes(measured: list[Load]) -> str:
    """A table."""
    head = ["route", "clients", "requests/s", "p50 ms", "p99 ms", "requests", "failed"]
    rows = [
        [
            each.route,
            each.clients,
            f"{each.rate:.0f}",
            *(f"{value * 1e3:.0f}" for value in _percentiles(each.latencies)),
            len(each.latencies),
            each.failures,
        ]
        for each in measured
    ]
    return table(head, rows)


def show_throughput(measured: Throughput) -> str:
    """A table."""
    rows = [
        [name, spread(presigned), spread(bare), f"{statistics.median(presigned) / statistics.median(bare):.2f}"]
        for name, presigned, bare in (
            ("upload", measured.presigned_put, measured.bare_put),
            ("download", measured.presigned_get, measured.bare_get),
        )
    ]
    return table([f"{measured.size / 1e6:.0f} MB", "Filestore's URL, MB/s", "bare, MB/s", "ratio"], rows)


def _percentiles(latencies: list[float]) -> tuple[float, float]:
    ordered = sorted(latencies) or [0.0]
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def _put(url: str, contents: bytes) -> None:
    _transfer("PUT", url, contents)


def _transfer(method: str, url: str, contents: bytes | None = None) -> None:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    connection.request(method, f"{parts.path}?{parts.query}", body=contents)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{method} was answered with {answer.status}")
