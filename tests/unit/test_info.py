"""POST /files."""

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, payload, sample_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

CHECKSUM = {"algorithm": "SHA256", "value": "0bKln76n4gB3r5+Rsn6V6GUGGycL4D/1Oas7c1h4gug="}


class Keep(Protocol):
    def __call__(
        self, count: int, *, like: str, name: str | None = None, meta: dict[str, str] | None = None
    ) -> list[str]:
        """Ids of so many records like that of a file."""


@pytest.fixture
def keep() -> Keep:
    """Writes records as a release wrote them, which need not be this one."""

    def write(count: int, *, like: str, name: str | None = None, meta: dict[str, str] | None = None) -> list[str]:
        table = wiring.settings().table_name
        item: dict[str, Any] = aws.dynamodb().get_item(TableName=table, Key={"id": {"S": like}})["Item"]
        if name is not None:
            item["name"] = {"S": name}
        if meta is not None:
            item["meta"] = {"M": {key: {"S": text} for key, text in meta.items()}}
        ids = [f"{number:032x}" for number in range(count)]
        for start in range(0, count, 25):
            batch: Any = [{"PutRequest": {"Item": item | {"id": {"S": each}}}} for each in ids[start : start + 25]]
            aws.dynamodb().batch_write_item(RequestItems={table: batch})
        return ids

    return write


def test_describes_a_stored_file(stored: dict[str, Any]) -> None:
    (described,) = call("info", [stored["id"]]).body
    assert get(described.pop("url")) == b"contents"
    assert {described.pop(name)[-1] for name in ("created_at", "uploaded_at", "stored_at")} == {"Z"}
    assert described == {"id": stored["id"], "name": "report.pdf", "type": "application/pdf", "size": 8}


def test_shows_meta_and_checksum_as_they_were_given(finish: Callable[[dict[str, Any]], str]) -> None:
    declared = {"meta": {"form": "7"}, "checksum": {"algorithm": "CRC32", "value": "tPoRdw=="}}
    (described,) = call("info", [finish({"name": "a", **declared})]).body
    assert described["meta"] == declared["meta"]
    assert described["checksum"] == {"algorithm": "CRC32", "value": "tPoRdw==", "verified": "declared"}


def test_shows_no_checksum_of_what_has_not_arrived() -> None:
    """S3 has verified nothing yet: it would be the uploader's word."""
    checksum = {"algorithm": "CRC32", "value": "tPoRdw=="}
    file_id = call("upload", {"name": "a", "checksum": checksum}).body["id"]
    (described,) = call("info", [file_id], query={"nonstored": "yes"}).body
    assert "checksum" not in described


def test_shows_only_stored_files_unless_asked(stored: dict[str, Any]) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    gone = call("upload", {"name": "a"}).body["id"]
    call("delete", [gone])
    ids = [gone, pending, stored["id"], UNKNOWN_ID]

    def shown(**query: str) -> list[str]:
        return [file["id"] for file in call("info", ids, query=query).body]

    assert shown() == [stored["id"]]
    assert shown(nonstored="yes") == [pending, stored["id"]]
    assert shown(deleted="yes") == [gone, stored["id"]]
    assert shown(deleted="yes", nonstored="yes") == [gone, pending, stored["id"]]
    assert shown(nonstored="no") == [stored["id"]]


def test_a_deleted_file_is_described_without_a_link(stored: dict[str, Any]) -> None:
    call("delete", [stored["id"]])
    (described,) = call("info", [stored["id"]], query={"deleted": "yes"}).body
    assert "deleted_at" in described
    assert "url" not in described


class TestDeletedFilesThatWereNeverStored:
    """Clients of 2019 ask for them with ``?deleted=yes`` alone, whatever it was that deleted them."""

    def keys(self, file_id: str) -> set[str]:
        (described,) = call("info", [file_id], query={"deleted": "yes"}).body
        return set(described)

    def test_one_that_was_uploaded_has_a_size(self, uploaded: dict[str, Any]) -> None:
        call("delete", [uploaded["id"]])
        assert self.keys(uploaded["id"]) == {"id", "name", "type", "size", "created_at", "uploaded_at", "deleted_at"}

    def test_one_that_was_not_has_none(self) -> None:
        file_id = call("upload", {"name": "a"}).body["id"]
        call("delete", [file_id])
        assert self.keys(file_id) == {"id", "name", "type", "created_at", "deleted_at"}

    def test_one_that_was_taken_back(self) -> None:
        upload = call("upload", {"name": "a", "type": "text/plain"}).body
        call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]})
        assert self.keys(upload["id"]) == {"id", "name", "type", "created_at", "deleted_at"}

    def test_one_that_has_expired(self, uploaded: dict[str, Any], clock: Clock) -> None:
        clock.advance(7 * 24 * 3600)
        invoke("sweep", sample_event("sweep"))
        assert self.keys(uploaded["id"]) == {"id", "name", "type", "size", "created_at", "uploaded_at", "deleted_at"}


def test_an_upload_that_is_not_stored_has_no_link(uploaded: dict[str, Any]) -> None:
    (described,) = call("info", [uploaded["id"]], query={"nonstored": "yes"}).body
    assert "uploaded_at" in described
    assert "url" not in described


def test_says_why_a_file_is_left_out(uploaded: dict[str, Any]) -> None:
    pending = call("upload", {"name": "a"}).body["id"]
    body = call("info", [uploaded["id"], pending, UNKNOWN_ID], query={"problems": "yes"}).body
    assert body["result"] == []
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        uploaded["id"]: "not_stored",
        pending: "not_uploaded",
        UNKNOWN_ID: "unknown",
    }


def test_an_upload_that_was_deleted_unstored_is_left_out_as_such(uploaded: dict[str, Any]) -> None:
    call("delete", [uploaded["id"]])

    def problem(**query: str) -> str:
        body = call("info", [uploaded["id"]], query={"problems": "yes", **query}).body
        return str(body["problems"][uploaded["id"]]["code"])

    assert problem() == "deleted"
    assert problem(nonstored="yes") == "deleted"
    assert call("info", [uploaded["id"]], query={"problems": "yes", "deleted": "yes"}).body["problems"] == {}


@pytest.mark.parametrize("name", ['Überblick "final".pdf', "日本語.txt", "100%.pdf", "a;b=c.txt", "x" * 255])
def test_a_download_is_saved_under_the_files_own_name(name: str, finish: Callable[[dict[str, Any]], str]) -> None:
    file_id = finish({"name": name})
    with urllib.request.urlopen(call("info", [file_id]).body[0]["url"]) as response:
        assert unquote(response.headers["Content-Disposition"].split("filename*=UTF-8''")[1]) == name


class TestTheAnswersSize:
    """Lambda answers at most 6 MB, the body escaped once more; a byte more is a 502 for all of them."""

    # In ASCII JSON, escaped again, four octets of an emoji are 14, and one octet of a control character is 7.
    NAMES = ("😀" * 191, "\ufdfa" * 255, '"' * 255)
    META = ({f"{number:02}": "\x00" * 38 for number in range(50)}, {str(number): '"' * 511 for number in range(4)})

    @pytest.mark.parametrize("name", NAMES, ids=["emoji", "ligatures", "quotes"])
    @pytest.mark.parametrize("meta", META, ids=["control characters", "quotes"])
    def test_the_worst_hundred_files_that_can_be_asked_for_fit(
        self, name: str, meta: dict[str, str], finish: Callable[[dict[str, Any]], str], keep: Keep
    ) -> None:
        body = {"name": name, "type": "a" * 127 + "/b; " + '"' * 118, "meta": meta, "checksum": CHECKSUM}
        file_id = finish(body)
        ids = keep(100, like=file_id)
        event = sample_event("info") | {"body": json.dumps(ids)}
        answer = invoke("info", event)
        assert len(json.loads(answer["body"])) == 100
        # The token of a role's credentials is in every URL on AWS, and not here.
        assert payload(answer) + 100 * 2_100 <= 6_291_556

    def test_of_records_of_older_releases_is_as_much_as_fits(self, stored: dict[str, Any], keep: Keep) -> None:
        """They have up to 32 KB of meta, in which every octet may be two in the end."""
        ids = keep(100, like=stored["id"], name="😀" * 255, meta={f"{number:02}": '"' * 320 for number in range(50)})
        seen: list[str] = []
        while missing := [file_id for file_id in ids if file_id not in seen]:
            body = call("info", missing, query={"problems": "yes"}).body
            shown = [file["id"] for file in body["result"]]
            assert shown == missing[: len(shown)]
            assert list(body["problems"]) == missing[len(shown) :]
            assert {problem["code"] for problem in body["problems"].values()} <= {"try_again"}
            seen += shown
        assert 80 < len(call("info", ids, query={"problems": "yes"}).body["result"]) < 100

    def test_without_problems_nothing_is_left_out_silently(self, stored: dict[str, Any], keep: Keep) -> None:
        ids = keep(100, like=stored["id"], meta={f"{number:02}": '"' * 320 for number in range(50)})
        reply = call("info", ids)
        assert (reply.status, reply.body["code"]) == (400, "too_many_ids")
        (fitting,) = re.findall(r"ask for (\d+) of these ids", reply.body["message"])
        assert 80 < int(fitting) < 100
        assert len(call("info", ids[: int(fitting)]).body) == int(fitting)

    @pytest.mark.parametrize("operation", ["store", "info", "delete"])
    def test_of_a_hundred_problems_fits(self, operation: str) -> None:
        ids = ["😀" * 125 + f"{number:03}" for number in range(100)]
        body = call(operation, ids, query={"problems": "yes"}).body
        assert list(body["problems"]) == ids


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (100, 1)])
def test_costs_one_call_of_aws_for_100_files(count: int, expected: int) -> None:
    ids = [call("upload", {"name": "a"}).body["id"] for _ in range(count)]
    with counted_calls() as calls:
        assert len(call("info", ids, query={"nonstored": "yes"}).body) == count
    assert calls == {"BatchGetItem": expected}
