"""A large file in a browser: in one PUT and in parts through filestore-client, beside the same bytes without it.

Without it there is no checksum: a plain PUT, and parts of the same sizes. Without a line between them the browser and
the emulator share this machine's processors, and putting parts together takes the emulator as long as taking them.
"""

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
"""Of the throughput of a plain PUT, from 256 MiB on, where there is a line."""
_JUDGED = 256

LINE = 50_000_000
"""Bytes a second, both ways."""

_MIB = 2**20
_HTML = """<!doctype html>
<title>A large file</title>
<link rel="icon" href="logo.svg">
<input type="file" id="choose">
<script type="module">
  import { FilestoreClient } from './filestore-client/src/client.js';
  const root = 'API_ROOT_URL';
  const clientOf = (options) => new FilestoreClient(root, { restoreAs: false, ...options });
  const send = async (file, options) => (await clientOf(options).upload(file).done).id;
  const put = (url, contents) =>
    new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.onload = () => (xhr.status === 200 ? resolve() : reject(new Error(xhr.responseText)));
      xhr.onerror = () => reject(new Error('It was not taken.'));
      xhr.open('PUT', url);
      xhr.send(contents);
    });
  const ask = async (path, json, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token && { 'x-upload-token': token }) };
    return (await fetch(`${root}${path}`, { method: 'POST', headers, body: JSON.stringify(json) })).json();
  };
  const ways = {
    plain: async (file) => {
      const { id, url } = await ask('/file', { name: 'plain' });
      await put(url, file);
      return id;
    },
    bare: async (file) => {
      const wanted = { name: 'bare', size: file.size, multipart: true };
      const { id, token, part_size, part_count } = await ask('/file', wanted);
      const numbers = Array.from({ length: part_count }, (_, index) => ({ part_number: index + 1 }));
      const { parts } = await ask(`/file/${id}/parts`, { parts: numbers }, token);
      const work = async () => {
        for (let part = parts.shift(); part; part = parts.shift()) {
          await put(part.url, file.slice((part.part_number - 1) * part_size, part.part_number * part_size));
        }
      };
      await Promise.all([work(), work(), work(), work()]);
      return (await ask(`/file/${id}/complete`, {}, token)).id;
    },
    single: (file) => send(file, {}),
    parts: (file) => send(file, { multipart: true }),
  };
  window.measure = async (way) => {
    const before = performance.now();
    const id = await ways[way](choose.files[0]);
    return { seconds: (performance.now() - before) / 1000, id };
  };
</script>
"""
_WAYS = ("plain", "single", "bare", "parts")


Measured = dict[tuple[int, bool], dict[str, list[float]]]
"""MB/s by size in MiB and whether there was a line, and by way."""


def measure(outputs: dict[str, Any], sizes: Sequence[int], rounds: int) -> Measured:
    """Each way in turn; {} without Chromium. The stack takes what wants to in one PUT."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        return {}
    measured: Measured = {(size, has_line): {way: [] for way in _WAYS} for has_line in (False, True) for size in sizes}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for (size, has_line), rates in measured.items():
            path = Path(folder) / "film.mp4"
            path.write_bytes(bytes(range(256)) * (size * _MIB // 256))
            # The first requests wait for processes of the emulator's.
            _once(browser, outputs, path, "parts", has_line=False)
            for _ in range(rounds):
                for way in _WAYS:
                    rates[way].append(size * _MIB / 1e6 / _once(browser, outputs, path, way, has_line=has_line))
        browser.close()
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


def show(measured: Measured) -> str:
    """A table."""
    if not measured:
        return "Chromium is not there, so pages were not measured."
    rows = [
        [
            f"{size} MiB{f', {8 * LINE // 1_000_000} Mbit/s' if has_line else ''}",
            *(spread(rates[way]) for way in _WAYS),
            *(
                f"{statistics.median(rates[way]) / statistics.median(rates[beside]):.2f}"
                for way, beside in (("single", "plain"), ("parts", "plain"), ("parts", "bare"))
            ),
        ]
        for (size, has_line), rates in measured.items()
    ]
    head = ["MB/s", "plain PUT", "client, one PUT", "plain parts", "client, in parts"]
    ratios = ["one PUT / plain PUT", "parts / plain PUT", "parts / plain parts"]
    return "\n\n".join([table([*head, *ratios], rows), *judge(measured)])


def judge(measured: Measured) -> list[str]:
    """Whether the goal is met; nothing where no file was so large."""
    return [
        f"The goal for parts, {GOAL} of a plain PUT where there is a line, is {'met' if ratio >= GOAL else 'missed'}"
        f" with {size} MiB: {ratio:.2f}."
        for (size, has_line), rates in measured.items()
        if has_line and size >= _JUDGED
        for ratio in [statistics.median(rates["parts"]) / statistics.median(rates["plain"])]
    ]


def _once(browser: Browser, outputs: dict[str, Any], path: Path, way: str, *, has_line: bool) -> float:
    """Seconds of one upload, in a page of its own. The file is deleted again."""
    context = browser.new_context()
    page = context.new_page()
    html = _HTML.replace("API_ROOT_URL", outputs["ApiRootUrl"])
    page.route("**/large-file.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{outputs['WebUrl']}large-file.html")
    page.unroute_all()
    page.set_input_files("#choose", path)
    if has_line:
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        line = {"offline": False, "latency": 0, "downloadThroughput": LINE, "uploadThroughput": LINE}
        devtools.send("Network.emulateNetworkConditions", line)
    answer: dict[str, Any] = page.evaluate("way => measure(way)", way)
    context.close()
    # A connection that was idle for so long would be closed by then.
    api = Api(outputs)
    api("DELETE", "/files", [answer["id"]])
    api.close()
    return float(answer["seconds"])
