"""Half a gigabyte through the page in Chromium: whether it arrives, and whether the page stays responsive.

Prints the longest task that kept the page busy; fails where one took more than 200 ms or the file is not what it was.
"""

import hashlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

import requests
from playwright.sync_api import expect, sync_playwright

from local import npm
from tests.browser.conftest import FLAGS
from tests.browser.pages import Form
from tests.stack import Stack

SIZE = 500_000_000
LONGEST_TASK = 200

OBSERVE = """() => {
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ entryTypes: ['longtask'] });
}"""


def main() -> int:
    npm.install(print, for_tests=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.zip"
        block = bytes(range(256)) * 4096
        with path.open("wb") as file:
            for start in range(0, SIZE, len(block)):
                file.write(block[: SIZE - start])
        stack = Stack(Path(folder) / "state").start()
        try:
            return upload(stack, path)
        finally:
            stack.stop()


def upload(stack: Stack, path: Path) -> int:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        form = Form(page).open(stack.outputs["WebUrl"])
        form.fill()
        page.evaluate(OBSERVE)
        # One that is made here, so that a page that is never busy can be told from one that nobody watches.
        page.evaluate(
            f"() => {{ setTimeout(() => {{ const end = Date.now() + {LONGEST_TASK}; while (Date.now() < end); }}) }}"
        )
        page.wait_for_function("window.tasks.length > 0")
        page.evaluate("window.tasks.length = 0")
        started = time.monotonic()
        form.pond.drop(path)
        expect(page.locator('[data-filepond-item-state="processing-complete"]')).to_have_count(1, timeout=600_000)
        seconds = time.monotonic() - started
        # Entries are delivered when the page has nothing else to do.
        page.wait_for_timeout(1000)
        tasks: list[float] = page.evaluate("window.tasks")
        (file_id,) = form.send()
        browser.close()
    longest = max(tasks, default=0)
    print(f"{SIZE / 1e6:.0f} MB in {seconds:.1f} s; {len(tasks)} tasks of 50 ms and more, the longest {longest:.0f} ms")
    details = stack.details(file_id)
    with requests.get((details or {})["url"], stream=True, timeout=120) as download, path.open("rb") as original:
        received = hashlib.sha256()
        for chunk in download.iter_content(1024 * 1024):
            received.update(chunk)
        same = received.digest() == hashlib.file_digest(original, "sha256").digest()
    print("It arrived byte for byte." if same else "What arrived is not what was sent.")
    return 0 if same and longest <= LONGEST_TASK else 1


if __name__ == "__main__":
    sys.exit(main())
