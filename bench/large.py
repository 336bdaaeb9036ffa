"""A large file in a browser: in one PUT and in parts through filestore-client, beside a plain PUT of the same bytes."""

import shutil
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.load import Api
from bench.page import FLAGS
from bench.report import spread, table

GIB = 2**30
PRICED = 10 * GIB
GOAL = 0.9
"""Of the throughput of a plain PUT, from 256 MiB on."""

_MIB = 2**20
_HTML = """<!doctype html>
<title>A large file</title>
<link rel="icon" href="logo.svg">
<input type="file" id="choose">
<script type="module">
  import { FilestoreClient } from './filestore-client/src/client.js';
  const root = 'API_ROOT_URL';
  const json = { 'Content-Type': 'application/json' };
  const clientOf = (options) => new FilestoreClient(root, { restoreAs: false, ...options });
  const send = async (file, options) => (await clientOf(options).upload(file).done).id;
  const ways = {
    plain: async (file, { id, url }) => {
      await new Promise((resolve, reject) => {
        const xhr = new XMLHttpRequest();
        xhr.onload = () => (xhr.status === 200 ? resolve() : reject(new Error(xhr.responseText)));
        xhr.onerror = () => reject(new Error('It was not taken.'));
        xhr.open('PUT', url);
        xhr.send(file);
      });
      return id;
    },
    single: (file) => send(file, {}),
    parts: (file) => send(file, { multipart: true }),
  };
  window.measure = async (way) => {
    const body = JSON.stringify({ name: 'plain' });
    const asked = await (await fetch(`${root}/file`, { method: 'POST', headers: json, body })).json();
    const before = performance.now();
    const id = await ways[way](choose.files[0], asked);
    return { seconds: (performance.now() - before) / 1000, id };
  };
</script>
"""
_WAYS = ("plain", "single", "parts")


def measure(outputs: dict[str, Any], sizes: Sequence[int], rounds: int) -> dict[int, dict[str, list[float]]]:
    """MB/s by size in MiB and by way, in turn; {} without Chromium. The stack takes what wants to in one PUT."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        return {}
    measured: dict[int, dict[str, list[float]]] = {size: {way: [] for way in _WAYS} for size in sizes}
    api = Api(outputs)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for size, rates in measured.items():
            path = Path(folder) / "film.mp4"
            path.write_bytes(bytes(range(256)) * (size * _MIB // 256))
            # The first requests wait for processes of the emulator's.
            _once(browser, outputs, api, path, "parts")
            for _ in range(rounds):
                for way in _WAYS:
                    rates[way].append(size * _MIB / 1e6 / _once(browser, outputs, api, path, way))
        browser.close()
    api.close()
    return measured


def planned(outputs: dict[str, Any], size: int) -> int:
    """How many parts the service plans for a file of so many bytes."""
    api = Api(outputs)
    status, upload = api("POST", "/file", {"name": "a.bin", "size": size, "multipart": True})
    if status != 200:
        raise RuntimeError(f"POST /file was answered with {status}")
    api("DELETE", f"/file/{upload['id']}", None, **{"x-upload-token": upload["token"]})
    api.close()
    return int(upload["part_count"])


def show(measured: dict[int, dict[str, list[float]]]) -> str:
    """A table."""
    if not measured:
        return "Chromium is not there, so pages were not measured."
    rows = [
        [
            f"{size} MiB",
            *(spread(rates[way]) for way in _WAYS),
            *(f"{statistics.median(rates[way]) / statistics.median(rates['plain']):.2f}" for way in _WAYS[1:]),
        ]
        for size, rates in measured.items()
    ]
    head = ["MB/s", "plain PUT", "client, one PUT", "client, in parts", "one PUT / plain", "parts / plain"]
    return table(head, rows)


def _once(browser: Browser, outputs: dict[str, Any], api: Api, path: Path, way: str) -> float:
    """Seconds of one upload, in a page of its own. The file is deleted again."""
    context = browser.new_context()
    page = context.new_page()
    html = _HTML.replace("API_ROOT_URL", outputs["ApiRootUrl"])
    page.route("**/large-file.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{outputs['WebUrl']}large-file.html")
    page.unroute_all()
    page.set_input_files("#choose", path)
    answer: dict[str, Any] = page.evaluate("way => measure(way)", way)
    context.close()
    api("DELETE", "/files", [answer["id"]])
    return float(answer["seconds"])
