"""Rules of the domain, asked directly: at edges that a request reaches seldom, or only after an update of the stack."""

import hashlib
import re

import pytest

from filestore.domain.file import File
from filestore.domain.idempotency import RequestKey
from filestore.domain.media_type import shown_as
from filestore.domain.multipart import BACKSTOP, lease_ends_at

CREATED_AT = 1_700_000_000
FILE = File("5f0c8b0e6a7d4c1f9b2e3d4a5c6b7f80", "cv.pdf", "application/pdf", "2023-11-14T22:13:20Z", CREATED_AT + 3600)


class TestAKeyThatComesAgain:
    """Its upload is found by what follows from it, so that has to be the same after any update of the stack."""

    KEY = RequestKey("tenant", "order-17", '{"name":"cv.pdf"}')

    def test_leads_to_the_id_that_it_has_always_led_to(self) -> None:
        named = b"file\0tenant\0order-17"
        assert self.KEY.file_id == hashlib.sha256(named).hexdigest()[:32] == "3fd4f996de05376e30131b43889180fc"

    def test_leads_to_the_token_that_it_has_always_led_to(self) -> None:
        assert self.KEY.token("0f1e2d") == "Q6kdQX-f_bZo_Jp3BuMn-sFtCpjT9xoL_w230Y1ucsE"

    def test_has_a_token_that_fits_in_a_header(self) -> None:
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", self.KEY.token(str(salt))) for salt in range(100))

    def test_has_one_whatever_the_body_is(self) -> None:
        """JSON may hold half of a surrogate pair, which has no UTF-8."""
        tokens = {self.KEY._replace(body=body).token("0f") for body in ('"\ud800"', '"\udfff"', '""')}
        assert len(tokens) == 3


def test_nothing_of_an_upload_in_parts_is_left_to_be_aborted_once_it_is_a_version() -> None:
    begun = FILE._replace(upload_id="upload", part_size=5)
    assert FILE.unfinished_upload is None
    assert begun.unfinished_upload == (FILE.id, "upload")
    assert begun._replace(version_id="version").unfinished_upload is None


def test_the_lifecycle_rule_for_parts_ends_no_upload_that_is_one_put() -> None:
    """A URL may live for seven days, and an upload that began with it a while longer."""
    late = FILE._replace(url_expires_at=CREATED_AT + BACKSTOP)
    assert lease_ends_at(late, 600) == CREATED_AT + BACKSTOP + 600
    assert lease_ends_at(late, 0) == CREATED_AT + BACKSTOP + 60
    assert lease_ends_at(late._replace(upload_id="upload"), 600) == CREATED_AT + BACKSTOP


@pytest.mark.parametrize(
    ("media_type", "shown"),
    [
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("text/plain; format=flowed", "text/plain"),
        ("image/png; charset=utf-8", "image/png"),
        ("application/pdf;charset=latin1", "application/pdf"),
    ],
)
def test_a_text_alone_is_shown_in_its_charset(media_type: str, shown: str) -> None:
    assert shown_as(media_type) == shown
