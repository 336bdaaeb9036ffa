"""Small files in Chromium: Filestore's client, alone and with FilePond, beside Uppy, alone and with its Dashboard.

Uppy has its own plugin for S3.
"""

import shutil
import statistics
import subprocess
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.report import spread, table
from local import npm
from local.emulator import ROOT

FILES = 30
SIZE = 1000

_STATIC = ROOT / "static"
_HTML = """<!doctype html>
<title>Small files</title>
<link rel="icon" href="logo.svg">
<link rel="stylesheet" href="vendor/filepond/filepond.min.css">
<style>STYLE</style>
<input type="file" multiple>
<div id="dashboard"></div>
<script src="vendor/filepond/filepond.min.js"></script>
<script>UPPY</script>
<script type="module">
  import { FilestoreClient } from './filestore-client/src/client.js';
  import { FilestoreUploader } from './uploader.js';
  const url = 'API_ROOT_URL';
  const make = (_, at) => new File([new Uint8Array(SIZE)], `${at}.txt`, { type: 'text/plain' });
  const files = Array.from({ length: FILES }, make);
  const client = new FilestoreClient(url, { restoreAs: false });
  const pond = FilestoreUploader.setup(url, 'input', { restoreAs: false });
  const ways = {
    client: () => Promise.all(files.map((file) => client.upload(file).done)),
    filepond: () => new Promise((resolve) => {
      let done = 0;
      pond.on('processfile', () => { done += 1; if (done === files.length) resolve(); });
      pond.addFiles(files);
    }),
    uppy: () => uploadWithUppy(url, files),
    dashboard: () => uploadWithUppy(url, files, '#dashboard'),
  };
  window.measure = async (way) => {
    const before = performance.now();
    await ways[way]();
    return (performance.now() - before) / 1000;
  };
</script>
"""
_UPPY = """
import AwsS3 from '@uppy/aws-s3';
import Uppy from '@uppy/core';
import Dashboard from '@uppy/dashboard';
window.uploadWithUppy = async (url, files, target) => {
  const uppy = new Uppy();
  if (target) uppy.use(Dashboard, { inline: true, target });
  uppy.use(AwsS3, {
    shouldUseMultipart: false,
    generateObjectKey: ({ name }) => name,
    signRequest: async ({ key, contentType }) => {
      const body = JSON.stringify({ name: key, type: contentType });
      const json = { 'Content-Type': 'application/json' };
      const answer = await fetch(`${url}/file`, { method: 'POST', headers: json, body });
      const { id, url: put, headers } = await answer.json();
      return { key: id, url: put, headers };
    },
  });
  uppy.addFiles(files.map((data) => ({ name: data.name, type: data.type, data })));
  const { successful } = await uppy.upload();
  if (successful.length !== files.length) throw new Error('Not all were uploaded.');
};
"""
# The page's address is made up, and Chromium would ask whether it may call this machine.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-features=LocalNetworkAccessChecks"]
_WAYS = {
    "client": "filestore-client",
    "uppy": "Uppy with @uppy/aws-s3",
    "filepond": "FilePond with filestore-client",
    "dashboard": "Uppy's Dashboard with @uppy/aws-s3",
}
_BESIDE = {"client": "uppy", "uppy": "uppy", "filepond": "dashboard", "dashboard": "dashboard"}


def measure(outputs: dict[str, Any], rounds: int) -> dict[str, tuple[list[float], int]]:
    """Seconds of each round, in a page of its own each, and the requests of the last; {} without Chromium."""
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        return {}
    npm.install(print, for_tests=True)
    html = _HTML.replace("FILES", str(FILES)).replace("SIZE", str(SIZE))
    packages = _STATIC / "node_modules/@uppy"
    style = "".join((packages / name / "dist/style.min.css").read_text() for name in ("core", "dashboard"))
    html = html.replace("STYLE", style).replace("UPPY", _bundle()).replace("API_ROOT_URL", outputs["ApiRootUrl"])
    measured: dict[str, tuple[list[float], int]] = {way: ([], 0) for way in _WAYS}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        # The first requests wait for processes of the emulator's, and the first page of each kind for the browser.
        for way in measured:
            _once(browser, outputs["WebUrl"], html, way)
        for _ in range(rounds):
            for way, (seconds, _) in measured.items():
                took, requests = _once(browser, outputs["WebUrl"], html, way)
                measured[way] = ([*seconds, took], requests)
        browser.close()
    return measured


def show(measured: dict[str, tuple[list[float], int]]) -> str:
    """A table."""
    if not measured:
        return "Chromium is not there, so pages were not measured."
    median = {way: statistics.median(seconds) for way, (seconds, _) in measured.items()}
    rows = [
        [_WAYS[way], spread(seconds, 2), f"{median[way] / median[_BESIDE[way]]:.2f}", requests]
        for way, (seconds, requests) in measured.items()
    ]
    return table([f"{FILES} files of {SIZE} bytes", "s", "of Uppy's", "requests"], rows)


def _once(browser: Browser, web_url: str, html: str, way: str) -> tuple[float, int]:
    context = browser.new_context()
    page = context.new_page()
    page.route("**/small-files.html", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{web_url}small-files.html")
    page.wait_for_function("typeof measure === 'function'")
    # As long as a route is there, Playwright answers preflights itself.
    page.unroute("**/small-files.html")
    requests: list[str] = []
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.requestWillBeSent", lambda sent: requests.append(sent["request"]["method"]))
    seconds: float = page.evaluate("way => measure(way)", way)
    context.close()
    return seconds, len(requests)


def _bundle() -> str:
    """Uppy as a script."""
    command = [str(_STATIC / "node_modules/.bin/esbuild"), "--bundle", "--minify", "--format=iife", "--log-level=error"]
    finished = subprocess.run(command, cwd=_STATIC, input=_UPPY, capture_output=True, text=True, check=True)
    return finished.stdout.replace("</script", "<\\/script")
