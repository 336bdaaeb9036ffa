"""What Chromium makes of a file that a stranger uploaded with every header and name that may come along."""

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page

from tests.stack import Stack
from tests.strangers import BOMB, SENT_ALONG

SENT = {**SENT_ALONG, "Content-Type": "text/html; charset=evil"}


def download_url(stack: Stack, name: str, contents: bytes) -> str:
    upload = stack.post_file({"name": name}).json()
    requests.put(upload["url"], data=contents, headers=SENT, timeout=60).raise_for_status()
    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]
    (details,) = stack.files("POST", [upload["id"]]).json()
    assert details["name"] == name
    return str(details["url"])


@pytest.mark.parametrize("contents", [b"<script>document.title = 'ran'</script>", BOMB], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("cv.pdf", "cv.pdf"),
        ("\uff0e\uff0e\uff0f\uff0e\uff0e\uff0fpasswd", "___\uff0e\uff0e_passwd"),
        ("\u2025\uff0f.bashrc", "__.bashrc"),
        ("\ufdfa" * 255, "\ufdfa" * 200),
    ],
    ids=["ordinary", "dots and slashes", "leading dots", "long"],
)
def test_is_the_bytes_that_were_put_under_a_harmless_name(
    page: Page, stack: Stack, contents: bytes, name: str, saved_as: str
) -> None:
    """An encoding that is not theirs has it cancel the download, or unpack a bomb."""
    url = download_url(stack, name, contents)
    page.goto(stack.outputs["WebUrl"])
    with page.expect_download() as download:
        page.evaluate("url => { location.href = url }", url)
    assert download.value.failure() is None
    assert Path(download.value.path()).read_bytes() == contents
    assert download.value.suggested_filename == saved_as


def test_a_page_that_fetches_it_gets_the_bytes_and_no_cache_keeps_them(page: Page, stack: Stack) -> None:
    """As the uploader does for the previews of stored files. The type is what was sent: none was declared."""
    url = download_url(stack, "cv.pdf", BOMB)
    page.goto(stack.outputs["WebUrl"])
    got = page.evaluate(
        """async url => {
          const answer = await fetch(url);
          const size = (await answer.arrayBuffer()).byteLength;
          return [size, answer.headers.get('cache-control'), answer.headers.get('content-type')];
        }""",
        url,
    )
    assert got == [len(BOMB), "no-store", "text/html"]
