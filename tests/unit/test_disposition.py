"""The name under which a download is saved."""

import re
import unicodedata
from email.message import Message
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filestore.domain.disposition import attachment

# Characters that names in the real world have, of any script; what is refused or replaced has its own tests.
HARMLESS = st.text(
    st.characters(categories=["L", "M", "N", "Sc"], exclude_characters="\ufeff"), min_size=1, max_size=80
)
HOSTILE = st.text(
    st.sampled_from(
        './\\ :"%;\x00\r\n\x7f\u202e\u2066\u200b\u200d\ufeff．／＼‥…℀℁\u0301nulCONcom1é日😀\ufdfa\ud800',
    ),
    max_size=300,
)


def names(header: str) -> tuple[str, str]:
    """The plain and the exact name of a header."""
    found = re.fullmatch(r"attachment; filename=\"([^\"]*)\"; filename\*=UTF-8''(\S+)", header)
    assert found
    return found[1], unquote(found[2], errors="strict")


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


@pytest.mark.parametrize(
    "name",
    [
        "x" * 255,
        "日" * 200,
        "👩‍👩‍👧.png",
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿.png",
        "نامه\u200cها.pdf",
        "\u05d3\u05d5\u05d7\u200f (1).pdf",
        "re\u0301sume\u0301.pdf",
        "What is this? A: b <c>.txt",
        "To be continued….txt",
        "archive.tar.gz",
        "~$lock.docx",
        "constitution.pdf",
        "½ № ﬁ.txt",
    ],
)
def test_a_name_of_the_real_world_survives(name: str) -> None:
    """With joiners of emoji and of Persian, and with marks of Hebrew."""
    assert names(attachment(name))[1] == name


@settings(deadline=None)
@given(HARMLESS)
def test_letters_and_digits_of_any_script_survive(name: str) -> None:
    assert names(attachment(f"a{name}.txt"))[1] == f"a{name}.txt"


@pytest.mark.parametrize(
    ("name", "plain", "exact"),
    [
        ("../../etc/passwd", "___.._etc_passwd", "___.._etc_passwd"),
        ("．．／．．／etc／passwd", "______etc_passwd", "___．．_etc_passwd"),
        ("‥／x.sh", "__x.sh", "__x.sh"),
        ("℀", "_", "_"),
        ("＼＼server＼share", "__server_share", "__server_share"),
        ("\u202egpj.exe", "_gpj.exe", "_gpj.exe"),
        ("\u2067gpj.exe\u2069", "_gpj.exe_", "_gpj.exe_"),
        ("invoice.e\u200bxe", "invoice.e_xe", "invoice.e_xe"),
        ("invoice.pdf\u3164\u3164.exe", "invoice.pdf__.exe", "invoice.pdf__.exe"),
        ("\ufeffa.txt", "_a.txt", "_a.txt"),
        (".bashrc", "_bashrc", "_bashrc"),
        ("\u0301.bashrc", "_bashrc", "\u0301.bashrc"),
        ("\u200d.bashrc", "__bashrc", "__bashrc"),
        ("...", "___", "___"),
        ("evil.exe. .", "evil.exe___", "evil.exe___"),
        ("CON", "_CON", "_CON"),
        ("nul.tar.gz", "_nul.tar.gz", "_nul.tar.gz"),
        ("com¹.txt", "_com1.txt", "_com¹.txt"),
        ("ＣＯＮ.txt", "_CON.txt", "ＣＯＮ.txt"),
        ("a\r\nSet-Cookie: b", "a__Set-Cookie_ b", "a__Set-Cookie: b"),
        ("\ud800", "_", "_"),
        ("\u0301", "_", "\u0301"),
    ],
)
def test_what_could_harm_who_saves_the_file_is_replaced(name: str, plain: str, exact: str) -> None:
    """In both: programs read the first, browsers prefer the second. Replaced, so that nothing that was apart joins."""
    assert names(attachment(name)) == (plain, exact)


@settings(deadline=None)
@given(st.text() | HOSTILE | st.text(st.characters(codec="utf-8"), max_size=300))
@example("\ufdfa" * 255)
@example("; " * 127 + "日" * 200)
def test_no_name_can_add_a_header_leave_its_quotes_or_go_elsewhere(name: str) -> None:
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    message = Message()
    message["Content-Disposition"] = header
    assert message.keys() == ["Content-Disposition"]
    for saved in names(header):
        folded = unicodedata.normalize("NFKC", saved)
        assert saved
        assert not re.search(r"[/\\]", folded)
        assert not re.match(r"\.|\s", folded)
        assert not re.search(r"[. ]$", saved)
        assert not re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", saved, re.DOTALL)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00-\x1f]", saved)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("日" * 255 + ".pdf", "日" * 198 + ".pdf"),
        ("\ufdfa" * 255, "\ufdfa" * 200),
        ("😀" * 255, "😀" * 150),
        ("日" * 100 + "." + "日" * 154, "日" * 100 + "." + "日" * 99),
    ],
    ids=lambda name: f"{len(name.encode())} octets",
)
def test_a_name_costs_no_more_than_s3_takes(name: str, kept: str) -> None:
    """S3 takes 8192 bytes of request line and headers, and each octet may be five of them; the ending stays."""
    header = attachment(name)
    assert names(header)[1] == kept
    assert len(quote(header)) <= 3_800


@settings(deadline=None)
@given(st.text(st.sampled_from(" ;日é😀a\u202e."), min_size=255, max_size=255))
def test_no_name_costs_more_than_s3_takes(name: str) -> None:
    assert len(quote(attachment(name))) <= 3_800


@pytest.mark.parametrize(("ending", "is_kept"), [(19, True), (20, True), (21, False)])
def test_a_name_that_is_cut_keeps_an_ending_of_up_to_20_characters(ending: int, is_kept: bool) -> None:
    tail = "." + "e" * ending
    assert attachment("x" * 700 + tail).endswith(f"x{tail}") is is_kept


def test_a_name_that_is_cut_keeps_its_last_ending() -> None:
    assert attachment("a." + "x" * 700 + ".pdf").endswith("x.pdf")
