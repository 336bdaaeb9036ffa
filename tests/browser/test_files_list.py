"""The page of stored files: search, order, selection, deleting, languages; its back end does as a test says."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.pages import FilesPage, Network
from tests.browser.stored import StoredFiles, stored_file

TRY_AGAIN = {"code": "try_again", "message": "It cannot be done now."}


@pytest.fixture
def url(site: Site) -> str:
    return f"http://127.0.0.1:{site.port}/"


def names(page: Page) -> list[str]:
    found: list[str] = page.locator("#stored .file-name").all_text_contents()
    return found


def test_it_is_searched_and_sorted_as_far_as_it_is_loaded(page: Page, url: str) -> None:
    """What the API orders comes from the API; names and sizes are those of what is loaded."""
    backend = StoredFiles(page, stored_file(0, "Überblick.pdf", size=10), *(stored_file(n) for n in range(1, 52)))
    files = FilesPage(page).open(url)
    total = page.locator("#total")
    expect(total).to_have_text("50 files, and there are more")
    page.get_by_label("Search by name").fill("uber")
    expect(total).to_have_text("1 of 50 files, and there are more to load")
    assert names(page) == ["Überblick.pdf"]
    page.get_by_label("Search by name").fill("nothing like it")
    expect(page.get_by_role("heading", name="No file has that in its name")).to_be_visible()
    expect(page.get_by_text("Only what is loaded is searched.")).to_be_visible()
    page.get_by_role("button", name="Clear the search").click()
    expect(page.get_by_label("Search by name")).to_be_focused()
    expect(files.rows).to_have_count(50)
    more = page.get_by_role("button", name="Load more")
    more.focus()
    page.keyboard.press("Enter")
    expect(total).to_have_text("52 files")
    expect(page.locator("#announcement")).to_have_text("2 more files are shown.")
    expect(files.row("document 50.pdf").get_by_role("checkbox")).to_be_focused()
    for order, first in (("Largest first", "document 51.pdf"), ("Smallest first", "Überblick.pdf")):
        page.get_by_label("Sort by").select_option(order)
        assert names(page)[0] == first
    page.get_by_label("Sort by").select_option("Name")
    assert names(page)[:3] == ["document 1.pdf", "document 2.pdf", "document 3.pdf"]
    assert [query["order"] for query in backend.queries] == ["desc", "desc"]
    page.get_by_label("Sort by").select_option("Oldest first")
    expect(files.rows.nth(0)).to_contain_text("document 51.pdf")
    assert backend.queries[2:] == [{"order": "asc"}]


def test_what_is_selected_is_deleted_and_what_cannot_be_stays_with_the_reason(page: Page, url: str) -> None:
    backend = StoredFiles(page, *(stored_file(number) for number in range(9)))
    backend.problems = {f"{2:032}": TRY_AGAIN}
    files = FilesPage(page).open(url)
    expect(files.rows).to_have_count(9)
    for number in (1, 2, 4):
        files.row(f"document {number}.pdf").get_by_role("checkbox", name=f"Select document {number}.pdf").check()
    expect(page.locator("#selected")).to_have_text("3 files selected")
    assert page.get_by_label("Select all that are shown").evaluate("(box) => box.indeterminate")
    page.get_by_role("button", name="Delete selected").click()
    dialog = page.get_by_role("dialog", name="Delete 3 files?")
    expect(dialog).to_contain_text("document 1.pdf")
    expect(dialog.get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Delete selected")).to_be_focused()
    assert backend.deletions == []
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Delete").click()
    expect(files.rows).to_have_count(7)
    assert backend.deletions == [[f"{number:032}" for number in (1, 2, 4)]]
    left = files.row("document 2.pdf")
    expect(left).to_contain_text("Not deleted: It cannot be done right now. Try again in a moment.")
    expect(left.get_by_role("checkbox")).to_be_checked()
    expect(left.get_by_role("checkbox")).to_be_focused()
    expect(page.locator("#announcement")).to_have_text(
        "2 files are deleted. 1 file could not be deleted; the reason is beside it."
    )

    # What a search hides is not deleted with the rest.
    page.get_by_label("Select all that are shown").check()
    page.get_by_label("Search by name").fill("document 5")
    expect(page.locator("#selected")).to_have_text("1 file selected")
    page.get_by_label("Search by name").fill("")
    expect(page.locator("#selected")).to_have_text("1 file selected")

    # One after the other with the keyboard alone, to the last.
    backend.problems = {}
    for name, following in (("document 0.pdf", "document 2.pdf"), ("document 8.pdf", "document 7.pdf")):
        files.row(name).get_by_role("button", name=f"Delete {name}").focus()
        for key in ("Enter", "Shift+Tab", "Enter"):
            page.keyboard.press(key)
        expect(files.row(name)).to_have_count(0)
        expect(page.locator("#announcement")).to_have_text(f"{name} is deleted.")
        expect(page.get_by_role("button", name=f"Delete {following}")).to_be_focused()


def test_deleted_ones_are_shown_on_wish(page: Page, url: str) -> None:
    gone = stored_file(1, deleted_at="2026-11-28T13:00:00.000Z", application_id=None, applicant=None, position=None)
    backend = StoredFiles(page, stored_file(0), gone)
    files = FilesPage(page).open(url)
    expect(files.rows).to_have_count(1)
    page.get_by_label("Show deleted ones").check()
    expect(files.row("document 1.pdf")).to_contain_text(re.compile(r"Deleted .*2026"))
    expect(files.row("document 1.pdf").get_by_role("checkbox")).to_have_count(0)
    files.row("document 0.pdf").get_by_role("checkbox").check()
    page.get_by_role("button", name="Delete selected").click()
    page.locator("#confirm-delete").click()
    expect(files.row("document 0.pdf")).to_contain_text("Deleted ")
    expect(page.locator("#selection")).to_be_hidden()
    assert [query.get("deleted") for query in backend.queries] == [None, "yes"]


def test_a_page_without_files_is_not_taken_for_the_last(page: Page, url: str) -> None:
    gone = [stored_file(number, deleted_at="2026-11-28T13:00:00.000Z") for number in range(50)]
    StoredFiles(page, *gone, stored_file(50))
    files = FilesPage(page).open(url)
    expect(files.rows).to_have_count(1)
    files.delete("document 50.pdf")
    expect(page.get_by_role("heading", name="Nothing stored yet")).to_be_visible()


def test_what_goes_wrong_is_said_and_can_be_tried_again(
    page: Page, url: str, network: Network, complaints: Complaints
) -> None:
    complaints.expect("status of 502")
    backend = StoredFiles(page, *(stored_file(number) for number in range(60)))
    backend.error = (502, {"code": "key_refused", "message": "Filestore does not accept the key."})
    files = FilesPage(page).open(url)
    expect(page.get_by_role("alert")).to_contain_text("The service does not accept the API key of the back end.")
    backend.error = None
    page.get_by_role("button", name="Try again").click()
    expect(files.rows).to_have_count(50)
    backend.error = (502, {"code": "unreachable", "message": "The files cannot be reached."})
    more = page.get_by_role("button", name="Load more")
    more.click()
    expect(page.locator("#more-failure")).to_have_text("The files cannot be reached right now. Try again in a moment.")
    expect(files.rows).to_have_count(50)
    files.row("document 0.pdf").get_by_role("button", name="Delete").click()
    page.locator("#confirm-delete").click()
    expect(files.row("document 0.pdf")).to_contain_text("Not deleted: The files cannot be reached right now.")
    network.offline()
    expect(page.locator("#offline")).to_have_text(re.compile("^You are offline."))
    expect(more).to_be_disabled()
    network.normal()
    expect(page.locator("#offline")).to_be_hidden()
    backend.error = None
    more.click()
    expect(files.rows).to_have_count(60)
    expect(page.locator("#more-failure")).to_be_hidden()


@pytest.mark.parametrize(
    ("languages", "query", "tag", "words"),
    [
        ("de-AT", "", "de-AT", ["Gespeicherte Dateien", "1,46 MB", "04.11.2026", "3 Dateien", "Löschen"]),
        ("pt-BR", "?lang=fr", "fr", ["Fichiers enregistrés", "1,46 Mo", "4 nov. 2026", "3 fichiers", "Supprimer"]),
        ("pt-BR", "?lang=xx%00", "en", ["Stored files", "1.46 MB", "Nov 4, 2026", "3 files", "Delete"]),
    ],
)
def test_it_is_in_the_language_of_the_browser_or_the_address(
    browser: Browser, url: str, complaints: Complaints, languages: str, query: str, tag: str, words: list[str]
) -> None:
    context = browser.new_context(locale=languages)
    page = context.new_page()
    complaints.watch(page)
    date = "2026-11-04T12:00:00.000Z"
    StoredFiles(page, stored_file(1, size=1_531_000, stored_at=date), stored_file(2), stored_file(3))
    page.goto(f"{url}files.html{query}")
    expect(FilesPage(page).rows).to_have_count(3)
    text = page.locator("main").inner_text()
    assert [word for word in words if word not in text] == []
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == [tag, "ltr"]
    href = page.locator(".pages a").first.get_attribute("href")
    assert href == ("index.html?lang=fr" if query == "?lang=fr" else href)
    context.close()
