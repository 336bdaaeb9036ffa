"""A large file through a connection that breaks, a page that is reloaded, a tab that dies, addresses that expire.

Each time it arrives as it is, and nothing is sent again that S3 has acknowledged. The stack is a deployed one whose
addresses work for five seconds. Here it is a small file in small parts; with ``BIG=yes`` one of a GiB as well.
"""

import contextlib
import hashlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Error, Page, ProxySettings

from tests.browser.conftest import EAGER, Complaints, Site
from tests.browser.memory import Memory
from tests.browser.proxy import Proxy
from tests.browser.service import until
from tests.stack import Stack

MIB = 2**20
AT_ONCE = 4
CUTS = 20
PATIENCE = 600_000

HTML = """<!doctype html>
<title>A large file</title>
<link rel="icon" href="logo.svg">
<input type="file" id="choose">
<script type="module">
  import { FilestoreClient } from './filestore-client/src/client.js';
  const client = new FilestoreClient('API_ROOT_URL', { multipart: true });
  choose.onchange = async () => {
    window.outcome = await client.upload(choose.files[0]).done.catch(({ message }) => ({ message }));
  };
</script>
"""
# The service plans parts of 16 MiB, and keeps to what its record says. S3 takes parts of 5 MiB.
SMALLER_PARTS = """const ask = window.fetch;
window.fetch = async (url, init) => {
  const answer = await ask(url, init);
  if (!url.endsWith('/file')) return answer;
  const plan = await answer.json();
  return Response.json({ ...plan, ...(await smallerParts(plan.id)) });
};"""


class Size(NamedTuple):
    """Bytes of the file and of its parts."""

    file: int
    part: int


SIZES = {"small": Size(48 * MIB - 7, 5 * MIB)} | ({"big": Size(2**30, 16 * MIB)} if os.environ.get("BIG") else {})


@pytest.fixture(scope="module", params=SIZES.values(), ids=SIZES)
def size(request: pytest.FixtureRequest) -> Size:
    chosen: Size = request.param
    return chosen


@pytest.fixture(scope="module")
def path(size: Size, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file in which no two MiB are the same."""
    path = tmp_path_factory.mktemp("large") / "film.mp4"
    block = random.Random(7).randbytes(MIB - 8)
    with path.open("wb") as file:
        for number in range(-(-size.file // MIB)):
            file.write(number.to_bytes(8) + block)
        file.truncate(size.file)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def proxy(hasty_stack: Stack) -> Iterator[Proxy]:
    proxy = Proxy(hasty_stack.aws_port)
    yield proxy
    proxy.stop()


@pytest.fixture
def context(browser: Browser, proxy: Proxy, site: Site, size: Size, hasty_stack: Stack) -> Iterator[BrowserContext]:
    """A browser that goes through the proxy to the stack."""
    server = ProxySettings(server=f"http://127.0.0.1:{proxy.port}", bypass=f"127.0.0.1:{site.port}")
    context = browser.new_context(proxy=server)
    context.add_init_script(EAGER)

    def smaller_parts(file_id: str) -> dict[str, int]:
        hasty_stack.client("dynamodb").update_item(
            TableName=hasty_stack.outputs["TableName"],
            Key={"id": {"S": file_id}},
            UpdateExpression="SET part_size = :size",
            ExpressionAttributeValues={":size": {"N": str(size.part)}},
        )
        return {"part_size": size.part, "part_count": -(-size.file // size.part)}

    context.expose_function("smallerParts", smaller_parts)
    context.add_init_script(SMALLER_PARTS)
    yield context
    context.close()


class Upload:
    """The page with the file, and what came of it."""

    def __init__(self, context: BrowserContext, complaints: Complaints, stack: Stack, proxy: Proxy, path: Path) -> None:
        self.context, self.stack, self.proxy, self.path = context, stack, proxy, path
        self._complaints = complaints
        # What Chromium itself prints of a request that fails.
        complaints.expect(r"net::ERR_|status of 403|blocked by CORS policy")

    def open(self, address: str) -> Page:
        """In a new tab."""
        page = self.context.new_page()
        self._complaints.watch(page)
        page.goto(address)
        return page

    def choose(self, page: Page) -> None:
        page.set_input_files("#choose", self.path)

    def until_held(self, page: Page) -> None:
        """Wait until no part goes on, and S3 has answered for those that it has."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.proxy.is_held.is_set():
            assert time.monotonic() < end
            # The page's own calls are answered meanwhile.
            page.wait_for_timeout(50)
        until(lambda: all(each.status for each in self.proxy.attempts if each.octets == each.size))
        assert page.evaluate("window.outcome") is None

    def arrives(self, page: Page, size: Size) -> list[Any]:
        """Wait until it is done and compare it. Returns the attempts that came to nothing."""
        page.wait_for_function("window.outcome", timeout=PATIENCE, polling=100)
        outcome = page.evaluate("outcome")
        assert "id" in outcome, outcome
        self._compare(outcome["id"])
        parts = -(-size.file // size.part)
        attempts = {
            number: [each for each in self.proxy.attempts if each.number == number] for number in range(1, parts + 1)
        }
        assert sum(map(len, attempts.values())) == len(self.proxy.attempts)
        # What S3 has acknowledged is never sent again.
        acknowledged = [[each.status == 200 for each in of_part] for of_part in attempts.values()]
        assert [of_part for of_part in acknowledged if of_part != [False] * (len(of_part) - 1) + [True]] == []
        assert sum(of_part[-1].octets for of_part in attempts.values()) == size.file
        return [each for of_part in attempts.values() for each in of_part[:-1]]

    def _compare(self, file_id: str) -> None:
        assert self.stack.files("PUT", [file_id]).json() == [file_id]
        details = self.stack.details(file_id)
        assert details
        assert (details["checksum"]["algorithm"], details["checksum"]["verified"]) == ("CRC64NVME", "declared")
        received = hashlib.sha256()
        with requests.get(details["url"], stream=True, timeout=120) as download:
            for chunk in download.iter_content(MIB):
                received.update(chunk)
        with self.path.open("rb") as original:
            assert received.digest() == hashlib.file_digest(original, "sha256").digest()
        assert self.stack.files("DELETE", [file_id]).json() == [file_id]


@pytest.fixture
def upload(context: BrowserContext, complaints: Complaints, hasty_stack: Stack, proxy: Proxy, path: Path) -> Upload:
    return Upload(context, complaints, hasty_stack, proxy, path)


@pytest.fixture
def address(site: Site, hasty_stack: Stack) -> str:
    return site.add("large.html", HTML.replace("API_ROOT_URL", hasty_stack.outputs["ApiRootUrl"]))


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[None]:
    """What was seen, for those who look (``pytest -s``)."""
    started = time.monotonic()
    yield
    again = sum(each.octets for each in proxy.attempts if each.status != 200)
    seconds, puts = time.monotonic() - started, len(proxy.attempts)
    told = f" {seconds:.1f} s, {proxy.octets} bytes in {puts} PUTs, {again} bytes in vain"
    request.config.get_terminal_writer().line(told)


def test_undisturbed(upload: Upload, proxy: Proxy, address: str, size: Size, browser: Browser) -> None:
    """The page holds no more of it than the parts that are under way."""
    proxy.begin()
    page = upload.open(address)
    memory = Memory(browser)
    upload.choose(page)
    assert upload.arrives(page, size) == []
    assert memory.grown() < 4 * size.part * AT_ONCE


def test_the_connection_is_cut_twenty_times(upload: Upload, proxy: Proxy, address: str, size: Size) -> None:
    proxy.begin(cuts=sorted(random.Random(13).sample(range(size.file), CUTS)))
    page = upload.open(address)
    upload.choose(page)
    again = upload.arrives(page, size)
    assert proxy.cuts == []
    assert CUTS <= len(again) <= CUTS * AT_ONCE


def test_the_page_is_reloaded(upload: Upload, proxy: Proxy, address: str, size: Size) -> None:
    proxy.begin(hold_at=size.file // 2)
    page = upload.open(address)
    upload.choose(page)
    upload.until_held(page)
    page.reload()
    proxy.release()
    upload.choose(page)
    assert len(upload.arrives(page, size)) <= AT_ONCE


def test_the_tab_dies(upload: Upload, proxy: Proxy, address: str, size: Size) -> None:
    """The lock goes with it, and the next tab has what the browser keeps."""
    proxy.begin(hold_at=size.file // 2)
    page = upload.open(address)
    upload.choose(page)
    upload.until_held(page)
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")
    proxy.release()
    page = upload.open(address)
    upload.choose(page)
    assert len(upload.arrives(page, size)) <= AT_ONCE


def test_addresses_expire_on_their_way(upload: Upload, proxy: Proxy, address: str, size: Size) -> None:
    """As where the computer sleeps."""
    proxy.begin(late=AT_ONCE)
    page = upload.open(address)
    upload.choose(page)
    again = upload.arrives(page, size)
    assert len(again) >= AT_ONCE
    assert {each.status for each in again} == {403}
