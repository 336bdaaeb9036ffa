"""The page of stored files, and the way back from it to the form."""

import re
from collections.abc import Callable
from pathlib import Path

import requests
from playwright.sync_api import Page, expect

from tests.browser.pages import FilesPage, Form
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack


def apply(form: Form, *paths: Path) -> list[str]:
    form.fill()
    form.pond.drop(*paths)
    form.pond.expect_uploaded(len(paths))
    return form.send()


def test_the_newest_come_first_with_all_that_is_known_of_them(
    form: Form, page: Page, stack: Stack, file: Callable[..., Path]
) -> None:
    (older,) = apply(form, file("older.pdf", PDF))
    page.get_by_role("button", name="Send another application").click()
    (newer,) = apply(form, file("newer.png", SUNSET))
    files = FilesPage(page).open(stack.outputs["WebUrl"])
    expect(files.rows.nth(0)).to_have_attribute("data-file-id", newer)
    expect(files.rows.nth(1)).to_have_attribute("data-file-id", older)
    expect(files.rows.nth(0)).to_contain_text(re.compile(r"newer\.png5\.24 KB · .*20\d\d.* · Ada Lovelace, Engineer"))
    image = files.rows.nth(0).locator("img")
    page.wait_for_function("(image) => image.naturalWidth === 1200", arg=image.element_handle())
    expect(files.rows.nth(1).locator(".thumbnail")).to_have_text("PDF")


def test_downloading_gives_the_file_and_deleting_removes_it(
    form: Form, page: Page, stack: Stack, file: Callable[..., Path]
) -> None:
    (file_id,) = apply(form, file("zeugnis.pdf", PDF))
    files = FilesPage(page).open(stack.outputs["WebUrl"])
    with page.expect_download() as download:
        files.action("zeugnis.pdf", "Download").click()
    assert Path(download.value.path()).read_bytes() == PDF
    files.delete("zeugnis.pdf")
    details = stack.details(file_id)
    assert details
    assert "deleted_at" in details
    assert stack.versions(file_id) == []
    page.reload()
    expect(page.locator("#stored")).not_to_have_attribute("aria-busy", "true")
    expect(files.row("zeugnis.pdf")).to_have_count(0)
    page.get_by_label("Show deleted ones").check()
    expect(files.row("zeugnis.pdf")).to_contain_text("Deleted ")
    expect(files.row("zeugnis.pdf").get_by_role("button")).to_have_count(0)


def test_fifty_are_shown_more_on_demand_and_all_of_them_are_deleted_at_once(
    page: Page, start_stack: Callable[..., Stack]
) -> None:
    """What came with a form is in the list, and what the key has stored otherwise."""
    stack = start_stack()
    url = stack.outputs["WebUrl"]
    ids = [stack.upload(name=f"{number}.txt")["id"] for number in range(50)]
    application = {"name": "Ada", "email": "ada@example.org", "position": "Engineer", "documents": ids}
    received = requests.post(
        f"{url}backend/applications", json=application, headers={"Origin": url.rstrip("/")}, timeout=60
    )
    assert received.status_code == 201
    newest = stack.store(name="by curl.txt")
    files = FilesPage(page).open(url)
    expect(files.rows).to_have_count(50)
    expect(files.rows.nth(0)).to_have_attribute("data-file-id", newest["id"])
    expect(files.rows.nth(0)).not_to_contain_text("Ada")
    expect(page.locator("#total")).to_have_text("50 files, and there are more")
    page.get_by_role("button", name="Load more").click()
    expect(files.rows).to_have_count(51)
    expect(page.get_by_role("button", name="Load more")).to_be_hidden()
    expect(page.locator("#total")).to_have_text("51 files")
    page.get_by_label("Sort by").select_option("Oldest first")
    expect(files.row("by curl.txt")).to_have_count(0)
    expect(files.rows).to_have_count(50)
    page.get_by_role("button", name="Load more").click()
    expect(files.rows.nth(50)).to_have_attribute("data-file-id", newest["id"])
    page.get_by_label("Select all that are shown").check()
    page.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_role("heading", name="Delete 51 files?")).to_be_visible()
    page.locator("#confirm-delete").click()
    expect(page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()
    assert stack.listed() == []
    assert stack.versions() == []


def test_what_is_not_sent_is_counted_down_and_then_gone(page: Page, stack: Stack, file: Callable[..., Path]) -> None:
    page.clock.install()
    form = Form(page).open(stack.outputs["WebUrl"])
    form.pond.drop(file("forgotten.pdf", PDF))
    form.pond.expect_uploaded(1)
    expect(page.locator("#countdown")).to_have_text(
        re.compile(r"Unless you send them, they are removed in 59:\d\d min\.")
    )
    FilesPage(page).open(stack.outputs["WebUrl"])
    expect(page.locator("#waiting-files")).to_have_text(re.compile(r"forgotten\.pdf125 bytes · removed in 59:\d\d min"))
    page.clock.fast_forward("58:00")
    expect(page.locator("#waiting-files")).to_have_text(re.compile(r"removed in [01]:\d\d min"))
    page.clock.fast_forward("03:00")
    expect(page.locator("#waiting")).to_be_hidden()
    form.open(stack.outputs["WebUrl"])
    expect(form.pond.items).to_have_count(0)


class TestChangingAnApplication:
    """FilePond's load: files that are stored already are shown through the back end's link."""

    def test_stored_files_are_shown_with_name_size_and_preview(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        name = '100% "Überblick".png'
        ids = apply(form, file(name, SUNSET), file("cv.pdf", PDF))
        FilesPage(page).open(stack.outputs["WebUrl"]).action(name, "Change").click()
        expect(page.get_by_role("heading", name="Change your application")).to_be_visible()
        expect(page.get_by_label("Your name")).to_have_value("Ada Lovelace")
        expect(form.pond.item("cv.pdf")).to_contain_text("125 bytes")
        expect(form.pond.item(name)).to_contain_text("5.24 KB")
        expect(form.pond.item(name).locator("canvas").first).to_be_visible()
        expect(form.status).to_have_text("2 files ready to send.")
        assert form.pond.ids() == ids

    def test_files_are_added_and_taken_away(
        self, form: Form, page: Page, stack: Stack, file: Callable[..., Path]
    ) -> None:
        kept, dropped = apply(form, file("kept-here.pdf", PDF), file("dropped-here.pdf", PDF))
        FilesPage(page).open(stack.outputs["WebUrl"]).action("kept-here.pdf", "Change").click()
        expect(form.status).to_have_text("2 files ready to send.")
        form.pond.remove("dropped-here.pdf")
        assert stack.versions(dropped), "nothing is deleted before the form is sent"
        form.pond.drop(file("added-here.txt", b"more"))
        expect(form.status).to_have_text("2 files ready to send.")
        first, added = form.send()
        assert first == kept
        assert stack.download(added) == b"more"
        assert stack.download(kept) == PDF
        assert stack.versions(dropped) == []
        files = FilesPage(page).open(stack.outputs["WebUrl"])
        expect(files.row("added-here.txt")).to_be_visible()
        expect(files.row("dropped-here.pdf")).to_have_count(0)
