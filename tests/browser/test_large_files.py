"""A file in parts on the deployed stack, in FilePond: the page is reloaded when all but one have arrived."""

import hashlib
import random
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, Response, expect

from tests.browser.pages import Pond
from tests.stack import Stack

MIB = 2**20
PART = re.compile(r"partNumber=(\d+)&")


def test_goes_on_after_a_reload_and_is_the_same(
    page: Page, open_form: Callable[..., Pond], stack: Stack, file: Callable[..., Path]
) -> None:
    contents = random.Random(7).randbytes(40 * MIB)
    path = file("film.mp4", contents)
    arrived: list[int] = []

    def note(response: Response) -> None:
        found = PART.search(response.url)
        if found and response.request.method == "PUT" and response.ok:
            arrived.append(int(found[1]))

    page.on("response", note)
    # It is never answered, as where a connection swallows it.
    page.route(re.compile("partNumber=3&"), lambda route: None)  # noqa: ARG005 - Playwright hands it over
    pond = open_form("{ multipart: true }")
    page.locator(".filepond--browser").set_input_files(path)
    while len(arrived) < 2:
        page.wait_for_timeout(50)
    page.reload()
    expect(pond.item("film.mp4")).to_contain_text(
        "The upload was interrupted. Add the same file again, and it goes on."
    )
    page.unroute(re.compile("partNumber=3&"))

    page.locator(".filepond--browser").set_input_files(path)
    pond.expect_uploaded(1)
    assert sorted(arrived) == [1, 2, 3]
    ids = pond.ids()
    assert stack.files("PUT", ids).json() == ids
    assert hashlib.sha256(stack.download(ids[0])).digest() == hashlib.sha256(contents).digest()
    details = stack.details(ids[0])
    assert details
    assert (details["size"], details["type"]) == (40 * MIB, "video/mp4")
    assert (details["checksum"]["algorithm"], details["checksum"]["verified"]) == ("CRC64NVME", "declared")
    # What the browser kept to go on is forgotten.
    kept = """() => new Promise((resolve) => {
      const opening = indexedDB.open('filestore');
      opening.onsuccess = () => {
        const counting = opening.result.transaction('uploads').objectStore('uploads').count();
        counting.onsuccess = () => { opening.result.close(); resolve(counting.result); };
      };
    })"""
    assert page.evaluate(kept) == 0
