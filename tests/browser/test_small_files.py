"""Thirty small files: what they take is counted. How long they take beside Uppy is in ``make bench``."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.pages import Pond
from tests.browser.service import Service, until

FILES = "Array.from({ length: 30 }, (_, at) => new File(['x'.repeat(1000)], `${at}.txt`, { type: 'text/plain' }))"
EMPTY = "(count) => Array.from({ length: count }, () => new File([], 'empty.txt', { type: 'text/plain' }))"
TURNING = "document.getAnimations().filter(({ effect }) => effect.target.closest('.filepond--root')).length"
SEND = f"window.sent = Promise.all({FILES}.map((file) => client.upload(file).done)).then((all) => all.length)"
DRAWN = """() => {
  window.drawn = 0;
  window.drawnWhen = {};
  const [read] = window.__framePainter.readers;
  window.__framePainter.readers[0] = () => { window.drawn += 1; read(); };
  for (const event of ['addfile', 'processfilestart']) {
    document.addEventListener(`FilePond:${event}`, () => { window.drawnWhen[event] ??= window.drawn; });
  }
}"""


def assert_one_of_each(service: Service) -> None:
    """For each file a request, a preflight of S3 and a PUT. The API's preflight is kept, once one is answered."""
    assert len(service.made("POST")) == 30
    assert len(service.calls) == 60
    of_the_api = [path for path in service.preflights if path == "api/file"]
    of_s3 = sorted(path for path in service.preflights if path != "api/file")
    assert 1 <= len(of_the_api) <= 8
    assert of_s3 == sorted(call.path for call in service.made("PUT"))
    assert len(set(of_s3)) == 30


def test_go_eight_at_once_five_of_them_to_the_storage(open_client: Callable[..., Page], service: Service) -> None:
    page = open_client()
    service.open.clear()
    page.evaluate(f"() => {{ {SEND}; }}")
    until(lambda: (len(service.made("POST")), len(service.made("PUT"))) == (8, 5))
    service.open.set()
    assert page.evaluate("sent") == 30
    assert service.most["PUT"] == 5
    assert_one_of_each(service)


def test_take_no_more_on_filepond_and_do_not_wait_for_what_it_draws(
    page: Page, open_field: Callable[..., Pond], service: Service
) -> None:
    """It draws some eighty times before nothing moves any more, and until then asks for no upload."""
    pond = open_field()
    page.evaluate(DRAWN)
    page.evaluate(f"void pond.addFiles({FILES})")
    pond.expect_uploaded(30)
    assert_one_of_each(service)
    drawn = page.evaluate("drawnWhen")
    assert drawn["processfilestart"] - drawn["addfile"] < 40
    assert len(set(pond.ids())) == 30


def test_turn_no_wheels_that_nobody_watches(page: Page, open_field: Callable[..., Pond], service: Service) -> None:
    """FilePond turns one where there is no progress, as of empty files; of thirty every frame would be drawn."""
    pond = open_field()
    service.open.clear()
    page.evaluate(f"void pond.addFiles(({EMPTY})(3))")
    page.wait_for_function(f"{TURNING} > 0")
    page.evaluate(f"void pond.addFiles(({EMPTY})(27))")
    page.wait_for_function("document.querySelectorAll('[data-filepond-item-state*=busy]').length === 30")
    page.wait_for_function(f"{TURNING} === 0")
    service.open.set()
    pond.expect_uploaded(30)
