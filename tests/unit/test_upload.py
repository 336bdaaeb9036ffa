"""POST /file."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support import call, counted_calls

pytestmark = pytest.mark.usefixtures("moto_aws")

Record = Callable[[str], dict[str, Any] | None]


class TestWithANameAlone:
    def test_answers_an_id_and_a_url_and_nothing_else(self) -> None:
        """The contract of 2019: clients written for it may look at nothing else."""
        reply = call("upload", {"name": "a.txt"})
        assert reply.status == 200
        assert reply.body.keys() == {"id", "url"}

    def test_signs_nothing_that_the_client_would_have_to_send(self) -> None:
        url = call("upload", {"name": "a.txt"}).body["url"]
        assert parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"] == ["host"]

    def test_guesses_the_type_from_the_name(self, record: Record) -> None:
        def type_of(name: str) -> str:
            item = record(call("upload", {"name": name}).body["id"])
            assert item
            return str(item["type"])

        assert type_of("a.PNG") == "image/png"
        assert type_of("a.tar.gz") == "application/octet-stream"
        assert type_of("data:text,a.pdf") == "application/pdf"
        assert type_of("README") == "application/octet-stream"


class TestWithMoreDeclared:
    def test_answers_what_the_client_needs_to_upload_and_to_undo(self) -> None:
        reply = call("upload", {"name": "a.txt", "size": 3, "type": "text/plain; charset=utf-8"})
        assert reply.body.keys() == {"id", "method", "url", "headers", "token", "expires_at"}
        assert reply.body["method"] == "PUT"
        assert reply.body["headers"] == {"Content-Type": "text/plain; charset=utf-8"}

    def test_signs_the_size_though_only_the_client_can_send_it(self) -> None:
        body = call("upload", {"name": "a.txt", "size": 3, "type": "text/plain"}).body
        assert parse_qs(urlsplit(body["url"]).query)["X-Amz-SignedHeaders"] == ["content-length;content-type;host"]

    def test_signs_a_checksum(self) -> None:
        digest = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
        body = call("upload", {"name": "a", "checksum": {"algorithm": "SHA256", "value": digest}}).body
        assert body["headers"] == {"x-amz-checksum-sha256": digest}
        assert parse_qs(urlsplit(body["url"]).query)["X-Amz-SignedHeaders"] == ["host;x-amz-checksum-sha256"]

    def test_keeps_only_the_hash_of_the_token(self, record: Record) -> None:
        """Who reads the table must not be able to take back uploads."""
        body = call("upload", {"name": "a.txt", "size": 3}).body
        item = record(body["id"])
        assert item
        assert item["token_hash"] == hashlib.sha256(body["token"].encode()).hexdigest()
        assert body["token"] not in str(item)

    def test_keeps_what_was_declared(self, record: Record) -> None:
        body = call("upload", {"name": "a.txt", "size": 3, "type": "text/x-a", "meta": {"form": "7"}}).body
        item = record(body["id"])
        assert item
        assert (item["name"], item["size"], item["type"]) == ("a.txt", "3", "text/x-a")
        assert item["meta"] == {"form": {"S": "7"}}
        assert "uploaded_at" not in item

    def test_takes_an_empty_file(self) -> None:
        assert call("upload", {"name": "a.txt", "size": 0}).status == 200


class TestNames:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("report.pdf", "report.pdf"),
            ("C:\\Users\\me\\report.pdf", "report.pdf"),
            ("/home/me/report.pdf", "report.pdf"),
            ('Überblick "final".pdf', 'Überblick "final".pdf'),
            ("日本語.txt", "日本語.txt"),
            ("100%.pdf", "100%.pdf"),
            ("👩‍👩‍👧.png", "👩‍👩‍👧.png"),
            ("x" * 255, "x" * 255),
            ("\ufdfa" * 255, "\ufdfa" * 255),
            ("😀" * 127, "😀" * 127),
            ("\uff0e\uff0e\uff0fpasswd", "\uff0e\uff0e\uff0fpasswd"),
            ("\u0646\u0627\u0645\u0647\u200c.pdf", "\u0646\u0627\u0645\u0647\u200c.pdf"),
            (".bashrc", ".bashrc"),
            ("CON", "CON"),
            ("a. ", "a. "),
        ],
    )
    def test_drops_the_directory_and_nothing_else(self, given: str, kept: str, record: Record) -> None:
        item = record(call("upload", {"name": given}).body["id"])
        assert item
        assert item["name"] == kept

    @pytest.mark.parametrize(
        "name",
        [
            *("", "/", "a/", "..", ".", "x" * 256, "a\r\nSet-Cookie: b", "a\x00b", "a\x7f", "\ud800", "\u2028"),
            *("\u202egpj.exe", "\u202aa", "a\u2066b", "a\u2069", "😀" * 192, 5, None, ["a"]),
        ],
    )
    def test_refuses_what_is_no_name(self, name: object) -> None:
        reply = call("upload", {"name": name})
        assert (reply.status, reply.body["code"]) == (400, "invalid_body")
        assert [error["path"] for error in reply.body["errors"]] == ["/name"]


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ({"size": -1}, "/size"),
        ({"size": "3"}, "/size"),
        ({"size": 1.5}, "/size"),
        ({"size": True}, "/size"),
        ({"size": None}, "/size"),
        ({"type": "text"}, "/type"),
        ({"type": "text/plain\r\nx: y"}, "/type"),
        ({"type": ""}, "/type"),
        ({"type": 7}, "/type"),
        ({"type": f"{'a' * 127}/{'b' * 120};{'c' * 8}"}, "/type"),
        ({"type": "application/x-www-form-urlencoded; charset=utf-8"}, "/type"),
        ({"checksum": "abc"}, "/checksum"),
        ({"checksum": {"algorithm": "SHA256"}}, "/checksum"),
        ({"checksum": {"algorithm": "MD5", "value": "1B2M2Y8AsgTpgAmY7PhCfg=="}}, "/checksum/algorithm"),
        ({"checksum": {"algorithm": ["SHA256"], "value": "AA=="}}, "/checksum/algorithm"),
        ({"checksum": {"algorithm": "CRC32", "value": "not base64!"}}, "/checksum/value"),
        ({"checksum": {"algorithm": "CRC32", "value": "AAAAAAAAAAA="}}, "/checksum/value"),
        ({"meta": []}, "/meta"),
        ({"meta": {str(number): "x" for number in range(51)}}, "/meta"),
        ({"meta": {"": "x"}}, "/meta"),
        ({"meta": {"k" * 65: "x"}}, "/meta"),
        ({"meta": {"k": "x" * 513}}, "/meta/k"),
        ({"meta": {"a/b~c": 1}}, "/meta/a~1b~0c"),
        ({"meta": {"k": "\ud800"}}, "/meta/k"),
        ({"meta": {str(number): "é" * 512 for number in range(2)}}, "/meta"),
        ({"meta": {str(number): "x" * 512 for number in range(4)}}, "/meta"),
        ({"multipart": "yes"}, "/multipart"),
        ({"multipart": None}, "/multipart"),
        ({"multipart": True}, "/size"),
        ({"nam": "x"}, "/nam"),
    ],
)
def test_says_what_is_wrong_in_a_body(extra: dict[str, Any], path: str) -> None:
    reply = call("upload", {"name": "a.txt", **extra})
    assert (reply.status, reply.body["code"]) == (400, "invalid_body")
    assert [error["path"] for error in reply.body["errors"]] == [path]


def test_says_everything_that_is_wrong_at_once() -> None:
    reply = call("upload", {"size": "x", "typ": "y"})
    assert {error["path"] for error in reply.body["errors"]} == {"/name", "/size", "/typ"}


def test_an_answer_stays_small_however_much_is_wrong() -> None:
    """Lambda answers at most 6 MB, and whatever is more ends in a 502."""
    reply = call("upload", {str(number) + "😀" * 600: 1 for number in range(30)})
    assert reply.status == 400
    assert len(reply.body["errors"]) == 20
    assert len(json.dumps(reply.body)) < 100_000


@pytest.mark.parametrize(
    "meta",
    [
        {"k": "x" * 512, "l": "x" * 512, "m": "x" * 512, "n": "x" * 508},
        {"k": "日" * 512, "l": "日" * 170},
        {f"{number:02}": "\x00" * 38 for number in range(50)},
    ],
)
def test_takes_as_much_meta_as_is_promised(meta: dict[str, str]) -> None:
    assert call("upload", {"name": "a", "meta": meta}).status == 200


def test_refuses_a_size_above_the_limit(configure: Callable[..., None]) -> None:
    configure(MAX_FILE_SIZE="10")
    assert call("upload", {"name": "a", "size": 10}).status == 200
    reply = call("upload", {"name": "a", "size": 11})
    assert (reply.status, reply.body["code"]) == (400, "file_too_large")
    assert "10" in reply.body["message"]


def test_ids_are_random_and_never_the_name() -> None:
    ids = {call("upload", {"name": "a.txt"}).body["id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(len(file_id) == 32 and set(file_id) <= set("0123456789abcdef") for file_id in ids)


def test_costs_one_call_of_aws() -> None:
    with counted_calls() as calls:
        call("upload", {"name": "a.txt", "size": 3, "type": "text/plain"})
    assert calls == {"PutItem": 1}


def test_the_record_waits_for_the_sweep_and_has_a_backstop(record: Record) -> None:
    body = call("upload", {"name": "a.txt"}).body
    item = record(body["id"])
    assert item
    assert item["sweep_shard"] == body["id"][0]
    assert int(item["sweep_at"]) - int(item["url_expires_at"]) == 60
    assert int(item["purge_at"]) > int(item["sweep_at"])
