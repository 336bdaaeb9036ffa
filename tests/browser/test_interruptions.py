"""A large file through a connection that breaks, a page that is reloaded, a tab that dies, addresses that expire.

Each time it arrives as it is, and nothing is sent again that S3 has acknowledged. The stack is a deployed one whose
addresses work for five seconds. Here it is a small file in small parts; with ``BIG=yes`` one of a GiB as well.
"""

import base64
import hashlib
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from awscrt import checksums
from playwright.sync_api import Browser

from tests.browser.conftest import EAGER, Site
from tests.browser.memory import Memory
from tests.browser.proxy import Attempt, Proxy
from tests.browser.service import until
from tests.browser.tab import Tab, Tabs
from tests.stack import Stack

MIB = 2**20
AT_ONCE = 4
CUTS = 20
PATIENCE = 600

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
CHANGE_PLAN = """const ask = window.fetch;
window.fetch = async (url, init) => {
  const answer = await ask(url, init);
  if (!url.endsWith('/file')) return answer;
  const plan = await answer.json();
  const change = await new Promise((resolve) => { window.begun = { id: plan.id, resolve }; });
  return Response.json({ ...plan, ...change });
};"""


class Size(NamedTuple):
    """Bytes of the file and of its parts."""

    file: int
    part: int


SIZES = {"small": Size(48 * MIB - 7, 5 * MIB)} | ({"big": Size(2**30, 16 * MIB)} if os.environ.get("BIG") else {})


@pytest.fixture(scope="module", params=list(SIZES.values()), ids=list(SIZES))
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
def tabs(browser: Browser, proxy: Proxy, site: Site) -> Iterator[Tabs]:
    """A browser that goes through the proxy to the stack."""
    tabs = Tabs(browser, f"http://127.0.0.1:{proxy.port}", f"127.0.0.1:{site.port}", EAGER + CHANGE_PLAN)
    yield tabs
    tabs.close()


class Upload:
    """The page with the file, and what came of it."""

    def __init__(self, tabs: Tabs, stack: Stack, proxy: Proxy, path: Path, size: Size, address: str) -> None:
        self.stack, self.proxy, self.path, self.size = stack, proxy, path, size
        self._tabs, self._address = tabs, address

    def open(self) -> Tab:
        """In a new tab."""
        return self._tabs.open(self._address)

    def begin(self, tab: Tab) -> None:
        """Choose the file, and have it go up in parts of this size."""
        tab.choose("#choose", self.path)
        file_id = tab.wait_for("window.begun?.id")
        self.stack.client("dynamodb").update_item(
            TableName=self.stack.outputs["TableName"],
            Key={"id": {"S": file_id}},
            UpdateExpression="SET part_size = :size",
            ExpressionAttributeValues={":size": {"N": str(self.size.part)}},
        )
        plan = {"part_size": self.size.part, "part_count": -(-self.size.file // self.size.part)}
        tab.evaluate(f"begun.resolve({json.dumps(plan)})")

    def go_on(self, tab: Tab) -> None:
        """Choose the same file again. It is not begun anew: a page that does waits for ever."""
        tab.choose("#choose", self.path)

    def until_held(self, tab: Tab) -> None:
        """Wait until no part goes on, and S3 has answered for those that it has."""
        assert self.proxy.is_held.wait(PATIENCE)
        until(lambda: all(each.status for each in self.proxy.attempts if each.octets == each.size))
        assert tab.evaluate("window.outcome") is None

    def arrives(self, tab: Tab) -> list[Attempt]:
        """Wait until it is done and compare it. Returns the attempts that came to nothing."""
        outcome = tab.wait_for("window.outcome", PATIENCE)
        assert "id" in outcome, outcome
        self._compare(outcome["id"])
        parts = -(-self.size.file // self.size.part)
        attempts = {
            number: [each for each in self.proxy.attempts if each.number == number] for number in range(1, parts + 1)
        }
        assert sum(map(len, attempts.values())) == len(self.proxy.attempts)
        # What S3 has acknowledged is never sent again.
        acknowledged = [[each.status == 200 for each in of_part] for of_part in attempts.values()]
        assert [of_part for of_part in acknowledged if of_part != [False] * (len(of_part) - 1) + [True]] == []
        assert sum(of_part[-1].octets for of_part in attempts.values()) == self.size.file
        return [each for of_part in attempts.values() for each in of_part[:-1]]

    def _compare(self, file_id: str) -> None:
        assert self.stack.files("PUT", [file_id]).json() == [file_id]
        details = self.stack.details(file_id)
        assert details
        received = hashlib.sha256()
        with requests.get(details["url"], stream=True, timeout=120) as download:
            for chunk in download.iter_content(MIB):
                received.update(chunk)
        with self.path.open("rb") as original:
            assert received.digest() == hashlib.file_digest(original, "sha256").digest()
        # One that S3 was longer at than the function had has none.
        receipt = {"algorithm": "CRC64NVME", "value": _crc64nvme(self.path), "verified": "declared"}
        assert details.get("checksum", receipt) == receipt
        assert self.stack.files("DELETE", [file_id]).json() == [file_id]


def _crc64nvme(path: Path) -> str:
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(MIB):
            value = checksums.crc64nvme(chunk, value)
    return base64.b64encode(value.to_bytes(8)).decode()


@pytest.fixture
def upload(tabs: Tabs, hasty_stack: Stack, proxy: Proxy, path: Path, size: Size, site: Site) -> Upload:
    address = site.add("large.html", HTML.replace("API_ROOT_URL", hasty_stack.outputs["ApiRootUrl"]))
    return Upload(tabs, hasty_stack, proxy, path, size, address)


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest, proxy: Proxy) -> Iterator[None]:
    """What was seen, for those who look (``pytest -s``)."""
    started = time.monotonic()
    yield
    again = sum(each.octets for each in proxy.attempts if each.status != 200)
    seconds, puts = time.monotonic() - started, len(proxy.attempts)
    told = f" {seconds:.1f} s, {proxy.octets} bytes in {puts} PUTs, {again} bytes in vain"
    request.config.get_terminal_writer().line(told)


def test_undisturbed(upload: Upload, proxy: Proxy, browser: Browser) -> None:
    """The page holds no more of it than the parts that are under way."""
    proxy.begin()
    tab = upload.open()
    memory = Memory(browser)
    upload.begin(tab)
    assert upload.arrives(tab) == []
    grown = memory.grown()
    sys.stderr.write(f"grown {grown / MIB:.0f} MiB\n")


def test_the_connection_is_cut_twenty_times(upload: Upload, proxy: Proxy, size: Size) -> None:
    proxy.begin(cuts=sorted(random.Random(13).sample(range(size.file), CUTS)))
    tab = upload.open()
    upload.begin(tab)
    again = upload.arrives(tab)
    assert proxy.cuts == []
    assert CUTS <= len(again) <= CUTS * AT_ONCE


def test_the_page_is_reloaded(upload: Upload, proxy: Proxy, size: Size) -> None:
    proxy.begin(hold_at=size.file // 2)
    tab = upload.open()
    upload.begin(tab)
    upload.until_held(tab)
    tab.reload()
    proxy.release()
    upload.go_on(tab)
    assert len(upload.arrives(tab)) <= AT_ONCE


def test_the_tab_dies(upload: Upload, proxy: Proxy, size: Size) -> None:
    """The lock goes with it, and the next tab has what the browser keeps."""
    proxy.begin(hold_at=size.file // 2)
    tab = upload.open()
    upload.begin(tab)
    upload.until_held(tab)
    tab.crash()
    proxy.release()
    tab = upload.open()
    upload.go_on(tab)
    assert len(upload.arrives(tab)) <= AT_ONCE


def test_addresses_expire_on_their_way(upload: Upload, proxy: Proxy) -> None:
    """As where the computer sleeps."""
    proxy.begin(late=AT_ONCE)
    tab = upload.open()
    upload.begin(tab)
    again = upload.arrives(tab)
    assert len(again) >= AT_ONCE
    assert {each.status for each in again} == {403}
