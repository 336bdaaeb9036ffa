"""The name under which a download is saved."""

from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filestore.domain.disposition import attachment

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=255)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("report.pdf", "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf"),
        (
            'Überblick "final".pdf',
            "attachment; filename=\"Uberblick _final_.pdf\"; filename*=UTF-8''%C3%9Cberblick%20%22final%22.pdf",
        ),
        ("日本語.txt", "attachment; filename=\"___.txt\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E8%AA%9E.txt"),
        ("100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf"),
        ("a'b(c).txt", "attachment; filename=\"a'b(c).txt\"; filename*=UTF-8''a%27b%28c%29.txt"),
    ],
)
def test_is_plain_for_old_clients_and_exact_for_all_others(name: str, header: str) -> None:
    assert attachment(name) == header


@given(PRINTABLE)
def test_every_name_survives(name: str) -> None:
    exact = attachment(name).split("filename*=UTF-8''")[1]
    assert unquote(exact) == name


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_name_can_add_a_header_or_leave_its_quotes(name: str) -> None:
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    message = Message()
    message["Content-Disposition"] = header
    assert message.keys() == ["Content-Disposition"]
