import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from local import npm
from local import page as page_files
from tests.browser.pages import Form, Network, Pond
from tests.browser.service import Service
from tests.stack import Stack
from tests.support import ROOT

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # What keeps pages of other sites away from this machine has to be ours: other browsers do not ask the user.
    "--disable-features=LocalNetworkAccessChecks",
    # A name of somebody else's that leads to this machine.
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)

FORM = """<!doctype html>
<title>A form</title>
<link rel="icon" href="logo.svg">
<link rel="stylesheet" href="vendor/filepond/filepond.min.css">
<form><input type="file" name="documents" id="documents" multiple></form>
<script src="vendor/filepond/filepond.min.js"></script>
<script type="module">
  import { createServer, FilestoreUploader } from './uploader.js';
  Object.assign(window, { createServer, FilestoreUploader });
  const options = SCRIPT;
  window.pond = FilestoreUploader.setup('API_ROOT_URL/', '#documents', options);
</script>
"""
CLIENT = """<!doctype html>
<title>A page</title>
<link rel="icon" href="logo.svg">
<script type="module">
  import * as filestore from './filestore-client/src/client.js';
  window.filestore = filestore;
  window.said = [];
  window.steps = [];
  window.client = new filestore.FilestoreClient('API_ROOT_URL', OPTIONS);
  window.send = (file = new File(['contents'], 'a.txt', { type: 'text/plain' }), options = {}) => {
    const listeners = { onwait: (message) => said.push(message), onprogress: ({ loaded }) => steps.push(loaded) };
    window.upload = client.upload(file, { ...listeners, ...options });
    return upload.done;
  };
</script>
"""
EAGER = "const later = setTimeout; window.setTimeout = (act, time) => later(act, time < 25_000 ? 20 : time);"


@pytest.fixture(scope="package", autouse=True)
def packages() -> None:
    """What the tests need besides what the page loads."""
    npm.install(print, for_tests=True)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    executable = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if executable is None:
        pytest.fail("The tests of the page need Chromium. Install it, for example: apt install chromium", pytrace=False)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def hasty_stack(start_stack: Callable[..., Stack]) -> Stack:
    """One whose URLs work for five seconds."""
    return start_stack("--signed-url-expiration", "5")


class Complaints:
    """What a page prints as an error or a warning, and what it throws. None is expected unless a test says which."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._expected: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.seen.append(f"thrown: {error}"))

    def expect(self, pattern: str) -> None:
        """A failed request is something that Chromium itself prints, whatever the page makes of it."""
        self._expected.append(pattern)

    def unexpected(self) -> list[str]:
        return [text for text in self.seen if not any(re.search(pattern, text) for pattern in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.seen.append(f"{message.text} ({message.location.get('url')})")


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    complaints = Complaints()
    yield complaints
    assert complaints.unexpected() == []


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been anywhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    context.set_default_timeout(30_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, complaints: Complaints) -> Page:
    page = context.new_page()
    complaints.watch(page)
    return page


@pytest.fixture
def form(page: Page, stack: Stack) -> Form:
    """The form that ``make run`` serves, ready to be filled in."""
    return Form(page).open(stack.outputs["WebUrl"])


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Makes files to upload."""
    folder = tmp_path / "documents"

    def make(name: str, contents: bytes = b"contents") -> Path:
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_bytes(contents)
        return path

    return make


@pytest.fixture
def network(page: Page) -> Network:
    return Network(page)


class _Unlogged(WSGIRequestHandler):
    """What a hostile page names in its addresses is no leak of ours."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        del code, size


class Site:
    """A web site of somebody's own, on another origin than the page of ``make run``."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        app = flask.Flask(__name__, static_folder=None)
        files = page_files.files()

        @app.route("/redirect", methods=["GET", "POST"])
        def redirect() -> Any:
            return flask.redirect(flask.request.args["to"], 307)

        @app.get("/<path:path>")
        def serve(path: str) -> Any:
            if path in self.pages:
                return flask.Response(self.pages[path], mimetype="text/html")
            folder, _, name = path.partition("/")
            if folder == "vendor":
                package, _, name = name.partition("/")
                return flask.send_from_directory(ROOT / "static" / "node_modules" / package / "dist", name)
            if path not in files:
                flask.abort(404)
            return flask.send_from_directory(files[path].parent, files[path].name)

        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Unlogged)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def add(self, name: str, html: str) -> str:
        """Answers the page's address."""
        self.pages[name] = html
        return f"http://127.0.0.1:{self.port}/{name}"

    @property
    def port(self) -> int:
        return self._server.server_port

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


@pytest.fixture
def service() -> Iterator[Service]:
    """An API and a storage of the test's own."""
    service = Service()
    yield service
    service.stop()


@pytest.fixture
def open_field(page: Page, site: Site, service: Service) -> Callable[..., Pond]:
    """Opens a form with FilePond, these options in JavaScript, and a button, for the test's own service."""

    def open_(options: str = "{}", address: str = "field.html", html: str = FORM) -> Pond:
        name, mark, query = address.partition("?")
        html = html.replace("</form>", '<button id="send">Send</button></form>').replace("SCRIPT", options)
        page.goto(site.add(name, html.replace("API_ROOT_URL", service.url)) + mark + query)
        expect(page.locator(".filepond--root")).to_be_visible()
        return Pond(page)

    return open_


@pytest.fixture
def open_form(page: Page, site: Site, stack: Stack) -> Callable[..., Pond]:
    """Opens a page with FilePond and these options, in JavaScript."""

    def open_(options: str = "{}", name: str = "form.html") -> Pond:
        html = FORM.replace("SCRIPT", options).replace("API_ROOT_URL", stack.outputs["ApiRootUrl"])
        page.goto(site.add(name, html))
        expect(page.locator(".filepond--root")).to_be_visible()
        return Pond(page)

    return open_


@pytest.fixture
def open_client(page: Page, site: Site, service: Service) -> Callable[..., Page]:
    """Opens a page with a client and these options, in JavaScript; its pauses are short where it is eager."""

    def open_(options: str = "{}", url: str = "", *, eager: bool = True) -> Page:
        if eager:
            page.add_init_script(EAGER)
        html = CLIENT.replace("API_ROOT_URL", url or service.url).replace("OPTIONS", options)
        page.goto(site.add("client.html", html))
        return page

    return open_
