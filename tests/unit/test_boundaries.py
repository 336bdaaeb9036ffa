"""Whatever has a limit is tried at the limit, and one beside it on either side."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import (
    UNKNOWN_ID,
    call,
    counted_calls,
    status_of,
)

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


def paths(extra: dict[str, Any]) -> list[str]:
    """What is wrong in a body with this in it."""
    reply = call("upload", {"name": "a.txt", **extra})
    assert reply.status in (200, 400)
    return [error["path"] for error in reply.body.get("errors", [])]


@pytest.mark.usefixtures("moto_aws")
class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://www.example.com.evil.example",
            "https://www.example.community",
            "https://www.example.co",
            "https://evil-www.example.com",
            "https://evil.www.example.com",
            "https://example.com",
            "http://www.example.com",
            "https://www.example.com:443",
            "https://www.example.com:8443",
            "https://shop.example",
            "https://shop.example:844",
            "https://shop.example:84430",
            "HTTPS://www.example.com",
            "https://WWW.example.com",
            "https://www.example.com/",
            "https://www.example.com, https://shop.example:8443",
            " https://www.example.com",
            "https://www.example.com@evil.example",
            "www.example.com",
            "https",
            "null",
            "*",
            "",
        ],
    )
    def test_that_look_alike_are_refused(
        self, configure: Callable[..., None], record_count: Callable[[], int], origin: str
    ) -> None:
        """A browser sends the origin letter by letter as the standard writes it: nothing else is the same."""
        configure(ALLOWED_ORIGINS="https://www.example.com, https://shop.example:8443")
        reply = call("upload", {"name": "a"}, headers={"Origin": origin})
        assert (reply.status, reply.body["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in reply.headers
        assert record_count() == 0

    @pytest.mark.parametrize("origin", ["https://www.example.com", "https://shop.example:8443"])
    def test_that_are_listed_are_served(self, configure: Callable[..., None], origin: str) -> None:
        configure(ALLOWED_ORIGINS="https://www.example.com, https://shop.example:8443")
        reply = call("upload", {"name": "a"}, headers={"Origin": origin})
        assert reply.status == 200
        assert reply.headers["Access-Control-Allow-Origin"] == origin

    def test_are_not_matched_by_a_star_within(self, configure: Callable[..., None]) -> None:
        configure(ALLOWED_ORIGINS="https://*.example.com")
        assert call("upload", {"name": "a"}, headers={"Origin": "https://www.example.com"}).status == 403


@pytest.mark.usefixtures("moto_aws")
class TestIds:
    @pytest.mark.parametrize(("length", "status"), [(1, 200), (127, 200), (128, 200), (129, 400), (256, 400)])
    def test_have_up_to_128_characters(self, length: int, status: int) -> None:
        assert call("info", ["x" * length]).status == status

    @pytest.mark.parametrize("count", [99, 100, 101])
    def test_that_are_wrong_are_told_a_hundred_at_a_time(self, count: int) -> None:
        errors = call("info", [""] * count).body["errors"]
        assert [error["path"] for error in errors] == [f"/{number}" for number in range(min(count, 100))]

    @pytest.mark.parametrize(("characters", "status"), [(262143, 200), (262144, 200), (262145, 400)])
    def test_come_in_a_body_of_up_to_262144_characters(self, characters: int, status: int) -> None:
        body = '["no id"]'
        assert call("info", raw=body + " " * (characters - len(body))).status == status

    @pytest.mark.parametrize("character", ["\x00", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "\ud800"])
    def test_have_no_control_characters_and_no_half_ones(self, character: str) -> None:
        assert call("info", [f"a{character}b"]).status == 400

    @pytest.mark.parametrize("character", [" ", "~", "\xa0", "\u2027", "\u202a", "\ud7ff", "\ue000", "😀"])
    def test_may_have_what_lies_beside_those(self, character: str) -> None:
        assert call("info", [f"a{character}b"]).body == []


@pytest.mark.usefixtures("moto_aws")
class TestSizes:
    @pytest.mark.parametrize(("size", "status"), [(0, 200), (1, 200), (9, 200), (10, 200), (11, 400), (2**70, 400)])
    def test_go_up_to_the_limit(self, configure: Callable[..., None], size: int, status: int) -> None:
        configure(MAX_FILE_SIZE="10")
        assert call("upload", {"name": "a", "size": size}).status == status

    @pytest.mark.parametrize("size", [0, 1])
    def test_are_signed_that_of_an_empty_file_too(self, size: int, record: Record) -> None:
        """Otherwise whoever declares nothing at all uploads 5 GiB."""
        upload = call("upload", {"name": "a", "size": size}).body
        assert parse_qs(urlsplit(upload["url"]).query)["X-Amz-SignedHeaders"] == ["content-length;host"]
        assert (record(upload["id"]) or {})["size"] == str(size)


@pytest.mark.usefixtures("emulator_aws")
def test_a_size_of_zero_lets_nothing_but_an_empty_file_in() -> None:
    upload = call("upload", {"name": "a", "size": 0}).body
    assert status_of("PUT", upload["url"], b"x") == 403
    assert status_of("PUT", upload["url"], b"") == 200


@pytest.mark.usefixtures("moto_aws")
class TestWhatIsDeclared:
    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("x", []),
            ("x" * 254, []),
            ("x" * 255, []),
            ("x" * 256, ["/name"]),
            ("folder/" * 50 + "x" * 255, []),
            ("folder/" * 50 + "x" * 256, ["/name"]),
            ("...", []),
            (".a", []),
            ("a ", []),
        ],
    )
    def test_a_name_has_1_to_255_characters(self, name: str, wrong: list[str]) -> None:
        assert paths({"name": name}) == wrong

    @pytest.mark.parametrize(("algorithm", "octets"), [("SHA256", 32), ("CRC32", 4), ("CRC64NVME", 8)])
    @pytest.mark.parametrize("more", [-4, -1, 0, 1, 4])
    def test_a_checksum_is_as_long_as_its_algorithm_makes_it(self, algorithm: str, octets: int, more: int) -> None:
        """S3 would refuse the upload itself, long after the form has said that all is well."""
        digest = base64.b64encode(b"\xfb" * (octets + more)).decode()
        wrong = paths({"checksum": {"algorithm": algorithm, "value": digest}})
        assert wrong == ([] if more == 0 else ["/checksum/value"])

    @pytest.mark.parametrize(
        "digest", ["-_-_-w==", "+/+/+w", "+/+/+w=", "+/+/+w===", " +/+/+w==", "+/+/\n+w==", "", "é" * 8]
    )
    def test_a_checksum_is_in_base64_as_s3_takes_it(self, digest: str) -> None:
        assert paths({"checksum": {"algorithm": "CRC32", "value": "+/+/+w=="}}) == []
        assert paths({"checksum": {"algorithm": "CRC32", "value": digest}}) == ["/checksum/value"]

    @pytest.mark.parametrize(
        ("extra", "wrong"),
        [
            ({"checksum": {"algorithm": "SHA256", "value": None}}, ["/checksum/value"]),
            ({"checksum": {"algorithm": "sha256", "value": "x"}}, ["/checksum/algorithm"]),
            ({"checksum": {"algorithm": "CRC32", "value": "+/+/+w==", "more": 1}}, ["/checksum"]),
            ({"checksum": {}}, ["/checksum"]),
            ({"checksum": None}, ["/checksum"]),
        ],
    )
    def test_a_checksum_has_an_algorithm_and_a_value(self, extra: dict[str, Any], wrong: list[str]) -> None:
        assert paths(extra) == wrong

    @pytest.mark.parametrize(
        ("media_type", "wrong"),
        [
            ("a/b", []),
            ("a" * 127 + "/" + "b" * 127, []),
            ("a" * 128 + "/b", ["/type"]),
            ("a/" + "b" * 128, ["/type"]),
            ("/b", ["/type"]),
            ("a/", ["/type"]),
            ("a/b;c", []),
            ("a/b ; c", []),
            ("a/b  ;c", ["/type"]),
            ("a/b;" + "c" * 120, []),
            ("a/b;" + "c" * 121, ["/type"]),
            ("a/b;", ["/type"]),
            ("a/b;\x1f", ["/type"]),
            ("a/b;\x7f", ["/type"]),
            ("a/b; é", ["/type"]),
            ("a/b; ~", []),
            ("application/x-www-form-urlencoded", ["/type"]),
            ("application/x-www-form", []),
        ],
    )
    def test_a_type_is_one_that_a_header_can_hold(self, media_type: str, wrong: list[str]) -> None:
        assert paths({"type": media_type}) == wrong

    @pytest.mark.parametrize(
        ("meta", "wrong"),
        [
            ({}, []),
            ({"k": ""}, []),
            ({"k" * 64: "x"}, []),
            ({"k" * 65: "x"}, ["/meta"]),
            ({"k": "x" * 512}, []),
            ({"k": "x" * 513}, ["/meta/k"]),
            ({"k": "a\nb"}, []),
            ({"a\nb": "x"}, ["/meta"]),
            ({"a\ud800": "x"}, ["/meta"]),
            ({"k": None}, ["/meta/k"]),
            ({str(number): "x" for number in range(50)}, []),
            ({str(number): "x" for number in range(51)}, ["/meta"]),
            (None, ["/meta"]),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_meta_has_up_to_50_pairs_of_up_to_64_and_512_characters(self, meta: Any, wrong: list[str]) -> None:
        assert paths({"meta": meta}) == wrong

    @pytest.mark.parametrize(("octets", "wrong"), [(2047, []), (2048, []), (2049, ["/meta"])])
    def test_meta_has_up_to_2048_octets_of_keys_and_values_in_utf_8(self, octets: int, wrong: list[str]) -> None:
        meta = {"é": "é" * 512, "b": "x" * 512}
        meta["c"] = "x" * (octets - sum(len(f"{key}{value}".encode()) for key, value in meta.items()) - 1)
        assert sum(len(f"{key}{value}".encode()) for key, value in meta.items()) == octets
        assert paths({"meta": meta}) == wrong

    @pytest.mark.parametrize(("octets", "wrong"), [(764, []), (765, []), (766, ["/name"])])
    def test_a_name_has_up_to_765_octets_in_utf_8(self, octets: int, wrong: list[str]) -> None:
        """As many as 255 characters in UTF-16 can have: each is at most three, and one of two is at most four."""
        name = "😀" * 171 + "x" * (octets - 4 * 171)
        assert (len(name) <= 255, len(name.encode())) == (True, octets)
        assert paths({"name": name}) == wrong

    @pytest.mark.parametrize(("length", "wrong"), [(254, []), (255, []), (256, ["/type"])])
    def test_a_type_has_up_to_255_characters(self, length: int, wrong: list[str]) -> None:
        essence = f"{'x' * 127}/{'y' * 100}"
        declared = f"{essence}; {'z' * (length - len(essence) - 2)}"
        assert len(declared) == length
        assert paths({"type": declared}) == wrong

    @pytest.mark.parametrize("count", [19, 20, 21])
    def test_twenty_faults_are_told_at_once(self, count: int) -> None:
        assert paths({f"x{number}": 1 for number in range(count)}) == [
            f"/x{number}" for number in range(min(count, 20))
        ]


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("file_id", ["0" * 31, "0" * 33, "0" * 31 + "g", "0" * 31 + "A", UNKNOWN_ID + "\n"])
def test_what_is_nearly_an_id_is_unknown(file_id: str) -> None:
    with counted_calls() as calls:
        assert call("undo", file_id=file_id, headers={"x-upload-token": "x"}).body["code"] == "unknown"
    assert calls == {}
