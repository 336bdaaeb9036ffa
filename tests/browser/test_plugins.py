"""What FilePond's options and its plugins bring along, in every form that they take."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import FORM
from tests.browser.pages import Pond
from tests.browser.pictures import PDF, SUNSET
from tests.browser.service import Service, until

IDS = "() => new FormData(document.forms[0]).getAll('documents')"
HEIC = "async (file, type) => type || (file.name.endsWith('.heic') ? 'image/heic' : '')"


def with_plugin(package: str, name: str) -> str:
    script = f'<script src="vendor/{package}/{package}.js"></script>'
    register = f"<script>FilePond.registerPlugin({name})</script>"
    return FORM.replace('<script type="module">', f'{script}{register}<script type="module">')


def file(name: str, contents: bytes, kind: str) -> Any:
    return {"name": name, "mimeType": kind, "buffer": contents}


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "refusal"),
        [
            ("maxFileSize: null, acceptedFileTypes: null", None),
            ("maxFileSize: '10MB', acceptedFileTypes: 'image/png, text/plain'", None),
            ("maxFileSize: '1.5 KB', acceptedFileTypes: ['.TXT']", None),
            ("maxFileSize: '7'", "Too large: a file may have up to 7 bytes."),
            ("maxFileSize: '0.007KB'", "Too large: a file may have up to 7 bytes."),
            ("acceptedFileTypes: 'image/png, .pdf'", "Files of this type are not accepted."),
        ],
    )
    def test_of_every_form_are_understood(
        self, page: Page, open_field: Callable[..., Pond], options: str, refusal: str | None
    ) -> None:
        pond = open_field(f"{{ {options} }}")
        page.locator(".filepond--browser").set_input_files(file("a.txt", b"contents", "text/plain"))
        if refusal is None:
            pond.expect_uploaded(1)
        else:
            expect(pond.item("a.txt")).to_contain_text(refusal)

    def test_a_type_that_only_the_page_can_tell_is_accepted_and_declared(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        options = f"{{ acceptedFileTypes: ['image/heic'], fileValidateTypeDetectType: {HEIC} }}"
        package, plugin = "filepond-plugin-file-validate-type", "FilePondPluginFileValidateType"
        pond = open_field(options, html=with_plugin(package, plugin))
        page.evaluate("() => void window.pond.addFile(new File(['x'], 'a.heic'))")
        pond.expect_uploaded(1)
        assert service.made("POST")[0].json == {"name": "a.heic", "size": 1, "type": "image/heic"}


class TestPreviews:
    def test_a_restored_pdf_has_none_and_no_error(self, page: Page, open_field: Callable[..., Pond]) -> None:
        """Its contents are at the storage alone."""
        html = with_plugin("filepond-plugin-pdf-preview", "FilePondPluginPdfPreview")
        pond = open_field(html=html)
        page.locator(".filepond--browser").set_input_files(file("a.pdf", PDF, "application/pdf"))
        pond.expect_uploaded(1)
        expect(page.locator(".filepond--pdf-preview-wrapper")).to_have_count(1)
        page.reload()
        pond.expect_uploaded(1)
        expect(page.locator(".filepond--pdf-preview-wrapper")).to_have_count(0)
        expect(pond.item("a.pdf")).to_contain_text(f"{len(PDF)} bytes")


class TestVariants:
    OPTIONS = """{ imageTransformVariants: {
      thumb_: (transforms) => ({ ...transforms, resize: { size: { width: 64, height: 64 } } }),
      medium_: (transforms) => ({ ...transforms, resize: { size: { width: 256, height: 256 } } }),
    } }"""

    @pytest.fixture
    def pond(self, page: Page, open_field: Callable[..., Pond]) -> Pond:
        html = with_plugin("filepond-plugin-image-transform", "FilePondPluginImageTransform")
        pond = open_field(self.OPTIONS, html=html)
        page.locator(".filepond--browser").set_input_files(file("sunset.png", SUNSET, "image/png"))
        pond.expect_uploaded(1)
        return pond

    def test_are_an_upload_each_and_all_ids_are_sent(self, page: Page, pond: Pond, service: Service) -> None:
        ids = page.evaluate(IDS)
        names = {json.loads(call.body)["name"] for call in service.made("POST")}
        assert names == {"sunset.png", "thumb_sunset.png", "medium_sunset.png"}
        assert sorted(ids) == sorted(call.path.removeprefix("bucket/") for call in service.made("PUT"))
        assert ids[0].endswith("-sunset.png")
        page.reload()
        pond.expect_uploaded(1)
        assert page.evaluate(IDS) == ids

    def test_are_taken_back_together(self, page: Page, pond: Pond, service: Service) -> None:
        ids = page.evaluate(IDS)
        pond.undo("sunset.png")
        until(lambda: len(service.made("DELETE")) == 3)
        assert sorted(call.path.removeprefix("api/file/") for call in service.made("DELETE")) == sorted(ids)
        page.reload()
        expect(page.locator(".filepond--root")).to_be_visible()
        expect(pond.items).to_have_count(0)


class TestTransforming:
    def test_takes_back_what_was_removed_midway(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        """What is uploaded is another file than the one that was added."""
        html = with_plugin("filepond-plugin-image-transform", "FilePondPluginImageTransform")
        pond = open_field("{ imageTransformOutputMimeType: 'image/jpeg' }", html=html)
        service.open.clear()
        page.locator(".filepond--browser").set_input_files(file("sunset.png", SUNSET, "image/png"))
        until(lambda: len(service.made("PUT")) == 1)
        page.evaluate("() => void window.pond.removeFile(window.pond.getFiles()[0].id)")
        expect(pond.items).to_have_count(0)
        service.open.set()
        until(lambda: len(service.made("DELETE")) == 1)
        assert json.loads(service.made("POST")[0].body)["type"] == "image/jpeg"


class TestGoingAhead:
    def test_what_is_said_of_a_file_after_it_is_added_goes_along(
        self, page: Page, open_field: Callable[..., Pond], service: Service
    ) -> None:
        """The upload begins before FilePond asks for it: what had begun otherwise is taken back."""
        pond = open_field()
        say = "document.addEventListener('FilePond:addfile', ({ detail }) => detail.file.setMetadata('kind', 'cv'))"
        page.evaluate(f"() => {{ {say}; }}")
        page.locator(".filepond--browser").set_input_files(file("a.bin", b"contents", ""))
        pond.expect_uploaded(1)
        (file_id,) = page.evaluate(IDS)
        told = {f"id-{number}-a.bin": call.json.get("meta") for number, call in enumerate(service.made("POST"), 1)}
        assert told == {"id-1-a.bin": None, "id-2-a.bin": {"kind": "cv"}}
        assert file_id == "id-2-a.bin"
        until(lambda: [call.path for call in service.made("DELETE")] == ["api/file/id-1-a.bin"])
