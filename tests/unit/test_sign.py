"""POST /file/{id}/parts."""

import urllib.error
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.parts import MIB, begin, complete, crc64nvme, put, send, sign
from tests.support import UNKNOWN_ID, Clock, call, counted_calls

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
DAY = 24 * 3600


@pytest.fixture
def upload() -> dict[str, Any]:
    """Of two parts, the second of one byte."""
    return begin(16 * MIB + 1)


def test_signs_size_and_checksum_of_each_part(upload: dict[str, Any]) -> None:
    checksum = crc64nvme(b"x")
    reply = sign(upload, [{"part_number": 2, "checksum": checksum}, {"part_number": 1}])
    assert reply.status == 200
    declared, bare = reply.body["parts"]
    assert (declared["part_number"], declared["headers"]) == (2, {"x-amz-checksum-crc64nvme": checksum})
    assert (bare["part_number"], bare["headers"]) == (1, {})
    query = parse_qs(urlsplit(declared["url"]).query)
    assert query["X-Amz-SignedHeaders"] == ["content-length;host;x-amz-checksum-crc64nvme"]
    assert (query["partNumber"], query["X-Amz-Expires"]) == (["2"], ["3600"])
    assert urlsplit(declared["url"]).path.endswith(f"/{upload['id']}")
    assert put(declared, b"x")


@pytest.mark.parametrize("contents", [b"", b"xx", b"y"], ids=["shorter", "longer", "others"])
def test_s3_takes_nothing_else_for_a_part(upload: dict[str, Any], contents: bytes) -> None:
    (part,) = sign(upload, [{"part_number": 2, "checksum": crc64nvme(b"x")}]).body["parts"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        put(part, contents)
    assert refused.value.code in (400, 403)


def test_makes_one_call_of_dynamodb(upload: dict[str, Any]) -> None:
    with counted_calls() as calls:
        sign(upload, [{"part_number": 1}, {"part_number": 2}])
    assert calls == {"BatchExecuteStatement": 1}


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ([], "/parts"),
        (None, "/parts"),
        ({}, "/parts"),
        ([{"part_number": 1}] * 101, "/parts"),
        ([{"part_number": 1}, {"part_number": 1}], "/parts"),
        ([1], "/parts/0"),
        ([{}], "/parts/0"),
        ([{"part_number": 0}], "/parts/0"),
        ([{"part_number": True}], "/parts/0"),
        ([{"part_number": "1"}], "/parts/0"),
        ([{"part_number": 10_001}], "/parts/0"),
        ([{"part_number": 1, "size": 1}], "/parts/0"),
        ([{"part_number": 1}, {"part_number": 2, "checksum": "AAAA"}], "/parts/1"),
        ([{"part_number": 1, "checksum": None}], "/parts/0"),
        ([{"part_number": 2}, {"part_number": 3}], "/parts/1/part_number"),
    ],
)
def test_says_where_a_list_is_wrong(upload: dict[str, Any], parts: object, path: str) -> None:
    reply = sign(upload, parts)
    assert (reply.status, reply.body["code"]) == (400, "invalid_body")
    assert [error["path"] for error in reply.body["errors"]] == [path]


@pytest.mark.parametrize("raw", ["", "[]", "{", '{"parts": [{"part_number": 1}], "id": "x"}'])
def test_a_body_is_needed(upload: dict[str, Any], raw: str) -> None:
    reply = call("sign", raw=raw, file_id=upload["id"], headers={"x-upload-token": upload["token"]})
    assert (reply.status, reply.body["code"]) == (400, "invalid_body")


class TestIsRefused:
    WANTED = ({"part_number": 1},)

    def refusal(self, upload: dict[str, Any], token: str | None = None) -> tuple[int, str]:
        reply = sign(upload, self.WANTED, token)
        return reply.status, reply.body["code"]

    def test_without_the_token_of_this_upload(self, upload: dict[str, Any]) -> None:
        another = begin(1)
        assert self.refusal(upload, another["token"]) == (403, "invalid_token")
        assert self.refusal(upload, "") == (403, "invalid_token")
        assert self.refusal(upload, "\ud800") == (403, "invalid_token")

    def test_where_there_is_no_such_upload(self, upload: dict[str, Any]) -> None:
        assert self.refusal({**upload, "id": UNKNOWN_ID}) == (404, "unknown")
        assert self.refusal({**upload, "id": "../x"}) == (404, "unknown")

    def test_where_the_upload_is_one_put(self, requested: dict[str, Any]) -> None:
        assert self.refusal(requested) == (409, "not_in_parts")

    def test_where_the_upload_is_complete(self) -> None:
        upload = begin(8)
        send(upload, b"contents")
        assert complete(upload).status == 200
        assert self.refusal(upload) == (409, "already_uploaded")

    def test_where_the_upload_was_taken_back(self, upload: dict[str, Any]) -> None:
        call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]})
        assert self.refusal(upload) == (409, "upload_ended")

    def test_where_the_upload_was_begun_too_long_ago(self, upload: dict[str, Any], clock: Clock) -> None:
        """The bucket's lifecycle rule drops after a week what did not end; no URL outlives that."""
        for _ in range(6):
            assert sign(upload, self.WANTED).status == 200
            clock.advance(DAY)
        assert self.refusal(upload) == (409, "upload_ended")


class TestTheLease:
    def test_moves_on_with_every_call(self, upload: dict[str, Any], clock: Clock, record: Record) -> None:
        before = record(upload["id"]) or {}
        clock.advance(1800)
        sign(upload, [{"part_number": 1}])
        after = record(upload["id"]) or {}
        assert {name for name in after if after[name] != before[name]} == {"url_expires_at", "sweep_at"}
        assert int(after["url_expires_at"]) - int(before["url_expires_at"]) == 1800
        assert int(after["sweep_at"]) - int(after["url_expires_at"]) == 60

    def test_is_not_shortened_by_a_call_that_is_late(
        self, upload: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        sign(upload, [{"part_number": 1}])
        before = record(upload["id"])
        clock.advance(-30)
        assert sign(upload, [{"part_number": 1}]).status == 200
        assert record(upload["id"]) == before

    def test_is_never_given_to_another(self, upload: dict[str, Any], clock: Clock, record: Record) -> None:
        before = record(upload["id"])
        clock.advance(1800)
        sign(upload, [{"part_number": 1}], "x")
        assert record(upload["id"]) == before

    def test_has_urls_of_a_day_at_most(
        self, upload: dict[str, Any], configure: Callable[..., None], record: Record
    ) -> None:
        """However long URLs work otherwise."""
        configure(SIGNED_URL_EXPIRATION="604800")
        (part,) = sign(upload, [{"part_number": 1}]).body["parts"]
        assert parse_qs(urlsplit(part["url"]).query)["X-Amz-Expires"] == ["86400"]
        assert record(upload["id"])
