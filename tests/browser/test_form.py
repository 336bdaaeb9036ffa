from collections.abc import Callable
from pathlib import Path

from tests.browser.pages import Form
from tests.stack import Stack


class TestDroppingAFile:
    def test_arrives_byte_for_byte_once_the_back_end_has_stored_it(
        self, form: Form, stack: Stack, file: Callable[..., Path]
    ) -> None:
        contents = bytes(range(256)) * 1000
        form.fill()
        form.pond.drop(file("report.pdf", contents))
        form.pond.expect_uploaded(1)
        (file_id,) = form.send()
        assert stack.files("PUT", [file_id]).json() == [file_id]
        assert stack.download(file_id) == contents
        details = stack.details(file_id)
        assert details
        assert (details["name"], details["size"]) == ("report.pdf", 256_000)
