"""The form in states that are hard to come by with a real service."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import EAGER, Complaints, Site
from tests.browser.pages import Form, Network
from tests.browser.service import Service, until
from tests.support import ROOT

REASON = "A name has at most 765 octets in UTF-8, and no characters that turn the direction of others."


@pytest.fixture
def form(page: Page, site: Site, service: Service) -> Form:
    """The page without a back end, for the test's own service."""
    return Form(page).open_alone(f"http://127.0.0.1:{site.port}/", service.url)


def test_offline_it_cannot_be_sent(form: Form, network: Network) -> None:
    form.choose(("cv.pdf", "application/pdf"))
    form.pond.expect_uploaded(1)
    expect(form.submit).to_be_enabled()
    network.offline()
    expect(form.submit).to_be_disabled()
    expect(form.status).to_have_text("You are offline. Send the form when the connection is back.")
    network.normal()
    expect(form.submit).to_be_enabled()
    expect(form.status).to_have_text("1 file ready to send.")


def test_accepts_types_as_systems_call_them(form: Form) -> None:
    form.choose(
        ("cv.zip", "application/x-zip-compressed"),
        ("slides.ppt", "application/vnd.ms-powerpoint"),
        ("photo.heic", ""),
    )
    form.pond.expect_uploaded(3)


def test_of_too_many_files_the_first_are_taken_and_the_rest_are_named(page: Page, form: Form, service: Service) -> None:
    service.open.clear()
    form.choose(*((f"{number}.txt", "text/plain") for number in range(102)))
    expect(page.locator("#left-out")).to_have_text("At most 100 files can be added. Left out: 100.txt, 101.txt")
    expect(page.locator("#left-out")).to_be_in_viewport()
    expect(form.pond.items).to_have_count(100)


@pytest.mark.parametrize("width", [390, 1280])
def test_long_reasons_cover_nothing(
    page: Page, form: Form, service: Service, complaints: Complaints, width: int
) -> None:
    complaints.expect("status of 400")
    page.set_viewport_size({"width": width, "height": 844})
    service.plan = lambda _: (400, json.dumps({"message": REASON, "code": "invalid_body"}))
    form.choose(
        ("certificates and samples of my work.pdf", "application/pdf"), ("setup.exe", "application/x-msdownload")
    )
    expect(page.locator("#failures p")).to_have_count(2)
    expect(form.submit).to_be_disabled()
    expect(page.locator("#failures")).to_contain_text(REASON)
    page.wait_for_function(
        """() => [...document.querySelectorAll('.filepond--item')].every((item) => {
          const box = (name) => item.querySelector(name).getBoundingClientRect();
          const [row, info, status] = ['.filepond--file', '.filepond--file-info', '.filepond--file-status'].map(box);
          const texts = [...item.querySelectorAll('.filepond--file-status *')].filter((text) => text.offsetWidth > 0);
          return info.right <= status.left - 4 && status.right <= row.right && texts.length > 0
            && texts.every((text) => text.getBoundingClientRect().left >= status.left - 1);
        })"""
    )


def test_where_text_runs_from_right_to_left_all_of_it_is_mirrored(page: Page, form: Form, service: Service) -> None:
    page.evaluate("document.documentElement.dir = 'rtl'")
    service.plan = lambda call: (400, '{"message": "No."}') if b"bad" in call.body else None
    form.choose(("report.pdf", "application/pdf"), ("setup.exe", "application/x-msdownload"))
    form.pond.page.wait_for_function("() => document.querySelectorAll('#failures p').length === 1")
    expect(form.pond.item("report.pdf")).to_have_attribute("data-filepond-item-state", "processing-complete")
    page.wait_for_function(
        """() => [...document.querySelectorAll('.filepond--item')].every((item) => {
          const box = (name) => item.querySelector(name).getBoundingClientRect();
          const row = box('.filepond--file');
          const name = box('.filepond--file-info-main');
          const status = box('.filepond--file-status-main');
          return row.right - name.right < 100 && status.left - row.left < 60 && status.right <= name.left - 4;
        })"""
    )
    button = '[data-filepond-item-state="processing-complete"] .filepond--action-revert-item-processing'
    left, row = (page.locator(selector).bounding_box() for selector in (button, ".filepond--item >> nth=0"))
    assert left
    assert row
    assert left["x"] - row["x"] < 20
    dot = page.evaluate("getComputedStyle(document.querySelector('.steps li'), '::before').right")
    assert dot == "4px"
    pictures = ROOT / "test-results" / "pages"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / "13-right-to-left.png", full_page=True)


def test_uploads_are_paused_and_resumed(page: Page, form: Form, service: Service) -> None:
    service.open.clear()
    form.choose(("cv.pdf", "application/pdf"), ("letter.pdf", "application/pdf"))
    until(lambda: len(service.made("PUT")) == 2)
    expect(page.locator("#countdown")).to_have_text(re.compile(r"2 bytes of 2 bytes.*\."))
    button = page.get_by_role("button", name="Pause")
    button.click()
    expect(form.status).to_have_text("Paused: 2 files not uploaded yet.")
    for name in ("cv.pdf", "letter.pdf"):
        expect(form.pond.item(name)).to_contain_text("Paused 100%")
    form.choose(("late.pdf", "application/pdf"))
    expect(form.status).to_have_text("Paused: 3 files not uploaded yet.")
    expect(form.pond.item("late.pdf")).to_contain_text("Paused")
    expect(page.locator("#countdown")).to_have_text("2 bytes of 3 bytes.")
    expect(form.submit).to_be_disabled()
    pictures = ROOT / "test-results" / "pages"
    pictures.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=pictures / "14-paused.png", full_page=True)
    service.open.set()
    assert len(service.made("POST")) == 2
    page.get_by_role("button", name="Resume").click()
    form.pond.expect_uploaded(3)
    expect(form.status).to_have_text("3 files ready to send.")
    expect(page.get_by_role("button", name="Pause")).to_be_hidden()
    assert len(service.made("POST")) == 3
    assert len(service.made("PUT")) == 5


def test_the_total_is_of_all_files_that_are_there(page: Page, form: Form, service: Service) -> None:
    """Those that wait for others are to be uploaded as well; those that were removed are not."""
    service.open.clear()
    form.choose(*((f"{number}.txt", "text/plain") for number in range(12)))
    expect(page.locator("#countdown")).to_have_text(re.compile(r"^5 bytes of 12 bytes\b"))
    page.evaluate("void FilePond.find(document.querySelector('.filepond--root')).removeFile(11)")
    expect(page.locator("#countdown")).to_have_text(re.compile(r"^5 bytes of 11 bytes\b"))
    service.open.set()
    form.pond.expect_uploaded(11)


def test_what_is_added_after_all_that_was_paused_is_gone_is_not_paused(form: Form, service: Service) -> None:
    service.open.clear()
    form.choose(("cv.pdf", "application/pdf"))
    until(lambda: len(service.made("PUT")) == 1)
    form.page.get_by_role("button", name="Pause").click()
    expect(form.pond.item("cv.pdf")).to_contain_text("Paused")
    form.page.get_by_role("button", name="Cancel cv.pdf").click()
    expect(form.pond.items).to_have_count(0)
    service.open.set()
    form.choose(("letter.pdf", "application/pdf"))
    form.pond.expect_uploaded(1)


def test_another_attempt_shows_that_it_is_one(page: Page, form: Form, service: Service, complaints: Complaints) -> None:
    """What failed before is no failure while it is tried again. Buttons say which file they are of."""
    complaints.expect("status of 500")
    page.add_init_script(EAGER)
    page.reload()
    service.plan = lambda call: (500, "") if call.method == "POST" else None
    form.choose(("cv.pdf", "application/pdf"))
    expect(page.locator("#failures")).to_have_text("cv.pdf: The service has a problem. Try again later.")
    expect(form.status).to_have_text("1 file could not be uploaded. Retry or remove to go on.")
    service.plan = lambda _: None
    service.open.clear()
    page.get_by_role("button", name="Retry cv.pdf").click()
    expect(form.status).to_have_text("Uploading 1 file …")
    expect(page.locator("#failures")).to_be_empty()
    expect(page.get_by_role("button", name="Cancel cv.pdf")).to_be_visible()
    service.open.set()
    form.pond.expect_uploaded(1)
    expect(page.get_by_role("button", name="Remove cv.pdf")).to_be_visible()
