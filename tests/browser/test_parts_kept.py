"""How far a page reads ahead in a large file, and what the browser keeps of an upload until it is done."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Complaints
from tests.browser.parts import CONTENTS, DONE, SEND, SEND_ANOTHER, PartsService
from tests.browser.service import Call, until

COUNT_READ = """
delete window.Worker;
window.ahead = 0;
window.most = 0;
window.copies = 0;
const read = Blob.prototype.arrayBuffer;
Blob.prototype.arrayBuffer = function () {
  window.ahead += this.size;
  window.most = Math.max(window.most, window.ahead);
  return read.call(this);
};
window.XMLHttpRequest = class extends XMLHttpRequest {
  constructor() {
    super();
    // Before the client hears of it, and goes on to the next.
    this.addEventListener('load', () => { if (this.status === 200) window.ahead -= this.size; });
  }
  send(contents) {
    this.size = contents.size;
    if (!(contents instanceof Blob)) window.copies += 1;
    super.send(contents);
  }
};"""
OPEN = """const opening = indexedDB.open('filestore', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('uploads');
  opening.onsuccess = () => {
    const work = opening.result.transaction('uploads', 'readwrite');
    const store = work.objectStore('uploads');"""
KEEP = f"""(ages) => new Promise((resolve) => {{
  {OPEN}
    ages.forEach((age, index) => {{
      const key = `file ${{index}}`;
      store.put({{ id: String(index), token: 'token', key, at: Date.now() - age }}, key);
    }});
    work.oncomplete = () => {{ opening.result.close(); resolve(); }};
  }};
}})"""
KEPT = f"""() => new Promise((resolve) => {{
  {OPEN}
    const reading = store.getAll();
    work.oncomplete = () => {{ opening.result.close(); resolve(reading.result); }};
  }};
}})"""
DAY = 24 * 3600 * 1000


@pytest.fixture
def service() -> Iterator[PartsService]:
    service = PartsService()
    yield service
    service.stop()


@pytest.fixture
def open_client(open_client: Callable[..., Page]) -> Callable[..., Page]:
    """A client that brings small files in parts, too."""
    return lambda options="": open_client(f"{{ multipart: true, {options} }}")


def test_a_page_reads_six_parts_of_all_its_files_at_most_before_they_have_arrived(
    page: Page, open_client: Callable[..., Page], service: PartsService
) -> None:
    """Five on their way, and the next. One that waits has no address yet: that would expire meanwhile.

    What is sent is the file itself, of which the page has no copy.
    """
    page.add_init_script(COUNT_READ)
    service.open.clear()
    open_client().evaluate(SEND)
    page.evaluate("() => { window.first = upload; }")
    page.evaluate(SEND_ANOTHER)
    until(lambda: len(service.sent()) == 5)
    page.wait_for_function("ahead === 6000")
    asked = [part for call in service.made("POST") if call.path.endswith("/parts") for part in call.json["parts"]]
    assert len(asked) == 5
    service.open.set()
    page.evaluate("() => first.done")
    page.evaluate(DONE)
    assert len(service.sent()) == 20
    assert page.evaluate("[most, ahead, copies]") == [6000, 0, 0]


class TestTheAnswerIsLost:
    """The page goes away when S3 has put the parts together, before it is told."""

    @pytest.fixture
    def unaware(
        self, page: Page, open_client: Callable[..., Page], service: PartsService, complaints: Complaints
    ) -> Iterator[Page]:
        complaints.expect("status of 409")
        gone = threading.Event()

        def plan(call: Call) -> tuple[int, str] | None:
            if not call.path.endswith("/complete") or gone.is_set():
                return None
            answer = service.go_well(call)
            gone.wait(60)
            return answer

        service.plan = plan
        open_client().evaluate(SEND)
        until(lambda: "large-1" in service.complete)
        page.reload()
        page.wait_for_function("typeof send === 'function'")
        gone.set()
        service.calls.clear()
        yield page
        gone.set()

    def test_the_same_file_is_the_one_that_was_uploaded(self, unaware: Page, service: PartsService) -> None:
        unaware.evaluate(SEND)
        assert unaware.evaluate(DONE) == "large-1"
        assert [(call.method, call.path) for call in service.calls] == [
            ("GET", "api/file/large-1/parts"),
            ("POST", "api/file/large-1/complete"),
        ]
        assert unaware.evaluate(KEPT) == []

    def test_another_one_is_uploaded(self, unaware: Page, service: PartsService) -> None:
        unaware.evaluate(SEND_ANOTHER)
        assert unaware.evaluate(DONE) == "large-2"
        assert service.complete == {"large-1": CONTENTS, "large-2": CONTENTS[:9] + b"\x07" + CONTENTS[10:]}


class TestTheBrowserForgets:
    def test_what_is_older_than_a_week_and_all_but_a_hundred(
        self, page: Page, open_client: Callable[..., Page], service: PartsService
    ) -> None:
        """S3 has dropped it by then, and nobody comes back for it."""
        page = open_client()
        page.evaluate(KEEP, [8 * DAY, *(number * 1000 for number in range(1, 121)), 7 * DAY + 60_000])
        service.open.clear()
        page.evaluate(SEND)
        until(lambda: len(service.sent()) == 4)
        kept: list[dict[str, Any]] = page.evaluate(KEPT)
        assert {entry["id"] for entry in kept} == {"large-1", *map(str, range(1, 100))}
        service.open.set()
        page.evaluate(DONE)
        assert "large-1" not in {entry["id"] for entry in page.evaluate(KEPT)}

    def test_what_was_taken_back(self, page: Page, open_client: Callable[..., Page], service: PartsService) -> None:
        service.open.clear()
        open_client().evaluate(SEND)
        until(lambda: len(service.sent()) == 4)
        assert [entry["id"] for entry in page.evaluate(KEPT)] == ["large-1"]
        page.evaluate("upload.abort()")
        until(lambda: len(service.made("DELETE")) == 1)
        service.open.set()
        assert page.evaluate(KEPT) == []
