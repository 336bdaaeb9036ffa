"""A page as they were written in 2019: FilePond, a name for an id and an address, the file to the address."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Site
from tests.browser.pages import Pond
from tests.browser.pictures import PDF
from tests.stack import Stack

PAGE = """<!doctype html>
<title>A form of 2019</title>
<link rel="icon" href="logo.svg">
<link rel="stylesheet" href="vendor/filepond/filepond.min.css">
<form action="https://example.org/apply" method="post">
  <input type="file" name="documents" multiple>
  <button>Send</button>
</form>
<script src="vendor/filepond/filepond.min.js"></script>
<script>
  function upload(field, file, metadata, load, error, progress, abort) {
    var ask = new XMLHttpRequest(), put = new XMLHttpRequest();
    ask.open('POST', 'API_ROOT_URL/file');
    ask.setRequestHeader('Content-Type', 'application/json');
    HEADERS.forEach(function (header) { ask.setRequestHeader(header[0], header[1]); });
    ask.onload = function () {
      if (ask.status !== 200) { error('refused'); return; }
      var answer = JSON.parse(ask.responseText);
      window.answers = (window.answers || []).concat([Object.keys(answer).sort().join()]);
      put.open('PUT', answer.url);
      put.upload.onprogress = function (sent) { progress(sent.lengthComputable, sent.loaded, sent.total); };
      put.onload = function () { if (put.status === 200) { load(answer.id); } else { error('not taken'); } };
      put.onerror = function () { error('not sent'); };
      put.send(file);
    };
    ask.onerror = function () { error('not asked'); };
    ask.send(JSON.stringify({ name: file.name }));
    return { abort: function () { ask.abort(); put.abort(); abort(); } };
  }
  FilePond.setOptions({ server: { process: upload, revert: null } });
  FilePond.create(document.querySelector('input[type=file]'));
</script>
"""


@pytest.mark.parametrize("with_key", [False, True])
def test_uploads_and_submits_ids_that_the_back_end_stores(
    page: Page, site: Site, stack: Stack, file: Callable[..., Path], with_key: bool
) -> None:
    """Some pages sent their key along although none was needed: the browser asks whether it may."""
    headers = f"[['x-api-key', '{stack.outputs['ApiKey']}']]" if with_key else "[]"
    html = PAGE.replace("API_ROOT_URL", stack.outputs["ApiRootUrl"]).replace("HEADERS", headers)
    submitted: list[str] = []

    def receive(route: Route) -> None:
        submitted.append(route.request.post_data or "")
        route.fulfill(body="ok")

    page.route("https://example.org/apply", receive)
    page.goto(site.add("2019.html", html))
    expect(page.locator(".filepond--root")).to_be_visible()
    pond = Pond(page)
    pond.drop(file("letter.pdf", PDF), file("notes.txt", b"notes"))
    pond.expect_uploaded(2)
    ids = pond.ids()
    assert page.evaluate("answers") == ["id,url", "id,url"]

    page.get_by_role("button", name="Send").click()
    page.wait_for_url("https://example.org/apply")
    assert parse_qs(submitted[0]) == {"documents": ids}

    assert stack.files("PUT", ids).json() == ids
    assert sorted(stack.download(file_id) for file_id in ids) == sorted([PDF, b"notes"])


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def test_the_type_that_the_browser_knows_is_the_file_s(
    page: Page, site: Site, stack: Stack, file: Callable[..., Path]
) -> None:
    html = PAGE.replace("API_ROOT_URL", stack.outputs["ApiRootUrl"]).replace("HEADERS", "[]")
    page.goto(site.add("2019-type.html", html))
    expect(page.locator(".filepond--root")).to_be_visible()
    pond = Pond(page)
    path = file("letter.docx", b"contents")
    # What the system's table of types says differs from machine to machine, so the file is made in the page.
    page.evaluate(
        "([name, type]) => FilePond.find(document.querySelector('.filepond--root'))"
        ".addFile(new File(['contents'], name, { type }))",
        [path.name, WORD],
    )
    pond.expect_uploaded(1)
    (file_id,) = pond.ids()
    assert stack.files("PUT", [file_id]).json() == [file_id]
    assert (stack.details(file_id) or {})["type"] == WORD
