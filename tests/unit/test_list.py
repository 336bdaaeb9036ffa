"""GET /files."""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from filestore import api, wiring
from filestore.storage import aws
from filestore.storage.repository import FileRepository
from tests.support import Clock, Reply, call, counted_calls, get, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")


def page(**query: str) -> Reply:
    return call("list", query=query)


def pages(**query: str) -> Iterator[list[dict[str, Any]]]:
    """The files of each page, to the last one."""
    while True:
        reply = page(**query)
        assert reply.status == 200
        assert reply.body.keys() == {"files", "next"}
        yield reply.body["files"]
        if reply.body["next"] is None:
            return
        query["cursor"] = reply.body["next"]


def ids(**query: str) -> list[str]:
    return [file["id"] for files in pages(**query) for file in files]


@pytest.fixture
def file_in() -> Callable[..., str]:
    """Puts the record of a stored file into the table, as the functions leave it; its id begins with ``shard``."""
    number = 0

    def write(stored_at: str, shard: str = "0", **more: dict[str, Any]) -> str:
        nonlocal number
        number += 1
        file_id = f"{shard}{number:031x}"
        item = {
            "id": {"S": file_id},
            "name": {"S": "a.txt"},
            "type": {"S": "text/plain"},
            "created_at": {"S": stored_at},
            "uploaded_at": {"S": stored_at},
            "stored_at": {"S": stored_at},
            "url_expires_at": {"N": "1"},
            "version_id": {"S": "v"},
            "list_shard": {"S": shard},
            "list_place": {"S": f"{stored_at}#{file_id}"},
        }
        aws.dynamodb().put_item(TableName=wiring.settings().table_name, Item=item | more)
        return file_id

    return write


@pytest.fixture
def ten(file_in: Callable[..., str]) -> list[str]:
    """Ten files in as many shards, the oldest first; the middle ones stored at the same moment."""
    moments = [0, 1, 2, 5, 5, 5, 5, 7, 8, 9]
    return [file_in(f"2026-01-01T00:00:0{at}.000Z", f"{15 - n:x}") for n, at in enumerate(moments)]


DELETED = {"deleted_at": {"S": "2026-01-02T00:00:00.000Z"}, "deletion": {"S": "requested"}}


def test_lists_a_stored_file_with_the_details_that_it_is_described_with(stored: dict[str, Any]) -> None:
    reply = page()
    assert (reply.status, reply.body["next"]) == (200, None)
    (listed,) = reply.body["files"]
    (described,) = call("info", [stored["id"]]).body
    assert get(listed["url"]) == b"contents"
    assert {**listed, "url": ""} == {**described, "url": ""}


def test_lists_what_was_stored_before_its_event_came(requested: dict[str, Any]) -> None:
    put(requested["url"], b"contents", requested["headers"])
    call("store", [requested["id"]])
    assert ids() == [requested["id"]]


def test_lists_what_was_stored_on_load(configure: Callable[..., None]) -> None:
    configure(STORE_ON_LOAD="True")
    upload = call("upload", {"name": "a"}).body
    invoke("uploaded", upload_event(put(upload["url"], b"contents")))
    assert ids() == [upload["id"]]


def test_lists_neither_pending_nor_uploaded_files(uploaded: dict[str, Any]) -> None:
    call("upload", {"name": "a"})
    assert ids(deleted="yes") == []
    call("delete", [uploaded["id"]])
    assert ids(deleted="yes") == [], "it was never stored"


def test_lists_a_deleted_file_where_that_is_asked_for_and_without_a_url(stored: dict[str, Any]) -> None:
    call("delete", [stored["id"]])
    assert ids() == []
    (listed,) = page(deleted="yes").body["files"]
    assert listed["id"] == stored["id"]
    assert "deleted_at" in listed
    assert "url" not in listed


def test_believes_the_record_and_not_the_index(stored: dict[str, Any]) -> None:
    """The index lags: it may still name a file that is deleted, or whose record is gone."""
    with mock.patch.object(FileRepository, "get", return_value=({}, set())):
        assert ids() == []
    assert ids() == [stored["id"]]


@pytest.mark.parametrize("limit", ["1", "3", "10"])
class TestOrder:
    def test_is_the_newest_first(self, ten: list[str], limit: str) -> None:
        listed = [(file["stored_at"], file["id"]) for files in pages(limit=limit) for file in files]
        assert listed == sorted(listed, reverse=True)
        assert sorted(file_id for _, file_id in listed) == sorted(ten)

    def test_is_the_oldest_first_where_that_is_asked_for(self, ten: list[str], limit: str) -> None:
        oldest_first = ids(limit=limit, order="asc")
        assert oldest_first == ids(limit=limit, order="desc")[::-1]
        assert sorted(oldest_first) == sorted(ten)


class TestPages:
    def test_have_at_most_as_many_files_as_asked_for(self, ten: list[str]) -> None:
        assert [len(files) for files in pages(limit="4")] == [4, 4, 2]
        assert len(ten) == 10

    def test_that_have_nothing_to_show_are_not_the_last(self, file_in: Callable[..., str]) -> None:
        """Deleted files keep their places."""
        oldest = file_in("2026-01-01T00:00:00.000Z")
        for second in range(1, 10):
            file_in(f"2026-01-01T00:00:0{second}.000Z", **DELETED)
        assert ids(limit="2") == [oldest]
        assert len(ids(limit="2", deleted="yes")) == 10

    def test_are_shorter_where_one_shard_has_most_of_the_files_and_leave_nothing_out(
        self, file_in: Callable[..., str]
    ) -> None:
        """Each shard is asked for its share and a little more, once."""
        there = [file_in(f"2026-01-01T00:00:{n:02}.000Z", "7") for n in range(59)] + [
            file_in("2026-01-01T00:00:20.500Z", "8")
        ]
        with counted_calls() as calls:
            first = page(limit="40", order="asc").body
        assert (len(first["files"]), calls) == (13, {"Query": 16, "BatchGetItem": 1})
        listed = ids(limit="40", order="asc")
        assert (len(listed), set(listed)) == (60, set(there))
        assert ids(limit="40") == listed[::-1]

    def test_go_on_where_they_were_whatever_is_stored_and_deleted_meanwhile(
        self, ten: list[str], file_in: Callable[..., str]
    ) -> None:
        first = page(limit="5").body
        seen = [file["id"] for file in first["files"]]
        newer = file_in("2026-01-01T00:00:09.500Z", "3")
        older = file_in("2026-01-01T00:00:00.500Z", "3")
        call("delete", [seen[-1], ten[1]])
        rest = ids(limit="5", cursor=first["next"])
        assert newer not in rest
        assert older in rest
        assert sorted(seen + rest) == sorted({*ten, older} - {ten[1]})

    def test_cost_the_same_calls_in_a_full_table(self, file_in: Callable[..., str]) -> None:
        def calls() -> dict[str, int]:
            with counted_calls() as counted:
                page(limit="10")
            return dict(counted)

        for number in range(12):
            file_in(f"2026-01-01T00:00:{number:02}.000Z", f"{number % 16:x}")
        few = calls()
        for number in range(12, 60):
            file_in(f"2026-01-01T00:00:{number:02}.000Z", f"{number % 16:x}")
        assert few == calls() == {"Query": 16, "BatchGetItem": 1}

    def test_of_an_empty_list_ask_no_shard_twice_and_read_nothing(self) -> None:
        with counted_calls() as calls:
            assert page().body == {"files": [], "next": None}
        assert calls == {"Query": 16}


class TestFullAnswers:
    """Lambda lets 6 MB through, and records of older releases may be large."""

    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_leave_the_rest_to_the_next_page(self, ten: list[str], monkeypatch: pytest.MonkeyPatch, order: str) -> None:
        whole = ids(order=order)
        monkeypatch.setattr(api, "fitting", lambda details: min(3, len(details)))
        assert [len(files) for files in pages(order=order)] == [3, 3, 3, 1]
        assert ids(order=order) == whole
        assert sorted(whole) == sorted(ten)

    def test_are_cut_before_lambda_refuses_them(self, file_in: Callable[..., str]) -> None:
        meta = {"M": {str(number): {"S": '"' * 300} for number in range(300)}}
        there = {file_in(f"2026-01-01T00:00:{n:02}.000Z", f"{n % 16:x}", meta=meta) for n in range(24)}
        sizes = [len(files) for files in pages(limit="1000")]
        assert len(sizes) > 1
        assert sum(sizes) == 24
        assert set(ids()) == there


FORGED = (b'{"id": "1"}', b"2026-01-01T00:00:00.000Z#0'" + b"0" * 43)


def base64_of(forged: bytes) -> str:
    return base64.urlsafe_b64encode(forged).decode()


class TestCursors:
    @pytest.fixture
    def cursor(self, ten: list[str]) -> str:
        assert len(ten) == 10
        return str(page(limit="2").body["next"])

    def test_are_opaque_and_safe_in_a_url(self, cursor: str) -> None:
        assert cursor.replace("-", "").replace("_", "").isalnum()
        assert len(cursor) < 100

    @pytest.mark.parametrize("other", [{"order": "asc"}, {"deleted": "yes"}, {"order": "asc", "deleted": "yes"}])
    def test_of_another_query_are_refused(self, cursor: str, other: dict[str, str]) -> None:
        reply = page(cursor=cursor, **other)
        assert (reply.status, reply.body["code"]) == (400, "invalid_cursor")
        assert [error["path"] for error in reply.body["errors"]] == ["cursor"]

    def test_take_another_limit(self, cursor: str) -> None:
        assert len(page(cursor=cursor, limit="8").body["files"]) == 8

    def test_say_desc_as_they_say_nothing(self, cursor: str) -> None:
        assert page(cursor=cursor, order="desc", deleted="no").status == 200

    @pytest.mark.parametrize("change", range(8))
    def test_that_were_changed_are_refused(self, cursor: str, change: int) -> None:
        at = change * 11
        changed = cursor[:at] + ("A" if cursor[at] != "A" else "B") + cursor[at + 1 :]
        reply = page(cursor=changed)
        assert (reply.status, reply.body["code"]) == (400, "invalid_cursor")

    @pytest.mark.parametrize(
        "garbage",
        ["", "x", "null", "é", "\ud800", "\x00", "====", "A" * 92, "x" * 9000, *map(base64_of, FORGED)],
    )
    def test_that_are_none_are_refused(self, garbage: str) -> None:
        with counted_calls() as calls:
            reply = page(cursor=garbage)
        assert (reply.status, reply.body["code"]) == (400, "invalid_cursor")
        assert calls == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "1001", "-1", "1.5", "", " 1", "١", "1e2", "x", "9" * 9000)),  # noqa: RUF001
        *(("order", value) for value in ("", "ASC", "newest", "asc,desc")),
        ("deleted", "maybe"),
    ],
)
def test_a_value_that_a_parameter_does_not_take_is_refused_by_its_name(name: str, value: str) -> None:
    reply = page(**{name: value})
    assert (reply.status, reply.body["code"]) == (400, "invalid_request")
    assert [error["path"] for error in reply.body["errors"]] == [name]


def test_has_a_hundred_files_a_page_where_nothing_is_said(file_in: Callable[..., str]) -> None:
    for number in range(101):
        file_in(f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z", f"{number % 16:x}")
    assert [len(files) for files in pages()] == [100, 1]


def test_a_record_that_could_not_be_read_is_not_taken_for_none(
    stored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileRepository, "get", lambda _, found: ({}, set(found)))
    reply = page()
    assert (reply.status, reply.body["code"]) == (503, "try_again")
    assert stored["id"] not in str(reply.body)


def test_files_of_one_moment_are_each_listed_once(clock: Clock, finish: Callable[[dict[str, Any]], str]) -> None:
    """A batch is stored at one moment, and so may two be."""
    del clock
    there = {finish({"name": str(number)}) for number in range(5)}
    assert len({file["stored_at"] for files in pages() for file in files}) == 1
    for order in ("asc", "desc"):
        listed = ids(limit="2", order=order)
        assert (len(listed), set(listed)) == (5, there)


def test_its_sample_event_asks_for_a_page() -> None:
    assert invoke("list", sample_event("list"))["statusCode"] == 200
