"""What an operator does once to a stack that had files before it had a list."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from ops import fill_list, records
from ops.target import Target
from tests.support import Clock, call, invoke, put, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Finish = Callable[[dict[str, Any]], str]


def walk(**options: Any) -> records.Walk:
    table = wiring.settings().table_name
    options = {"rate": 1000, "sleep": lambda _: None, **options}
    return records.Walk(Target({"TableName": table}, lambda _: aws.dynamodb()), **options)


def filled(**options: Any) -> tuple[int, int]:
    """How many records were looked at and changed."""
    filling = walk(**options)
    fill_list.fill(filling)
    return filling.looked_at, filling.changed


def forget(file_id: str) -> None:
    """Make the record as an earlier release left it."""
    aws.dynamodb().update_item(
        TableName=wiring.settings().table_name,
        Key={"id": {"S": file_id}},
        UpdateExpression="REMOVE list_shard, list_place",
    )


def listed(**query: str) -> list[str]:
    return sorted(file["id"] for file in call("list", query=query).body["files"])


def test_lists_what_was_stored_before(finish: Finish) -> None:
    old = sorted(finish({"name": "a"}) for _ in range(3))
    for file_id in old:
        forget(file_id)
    assert listed() == []
    assert filled() == (3, 3)
    assert listed() == old


def test_gives_each_the_place_that_it_has_when_it_is_stored_now(
    finish: Finish, record: Callable[[str], dict[str, Any] | None]
) -> None:
    file_id = finish({"name": "a"})
    stored = record(file_id)
    forget(file_id)
    filled()
    assert record(file_id) == stored
    assert {"list_shard", "list_place"} <= (stored or {}).keys()


def test_changes_nothing_the_second_time(finish: Finish) -> None:
    forget(finish({"name": "a"}))
    assert filled() == (1, 1)
    assert filled() == (1, 0)


def test_leaves_alone_what_is_not_stored(uploaded: dict[str, Any], record: Callable[[str], Any]) -> None:
    before = record(uploaded["id"])
    call("upload", {"name": "a"})
    assert filled() == (2, 0)
    assert record(uploaded["id"]) == before


def test_lists_deleted_files_as_deleted(finish: Finish) -> None:
    file_id = finish({"name": "a"})
    forget(file_id)
    call("delete", [file_id])
    assert filled() == (1, 1)
    assert listed() == []
    assert listed(deleted="yes") == [file_id]


def test_lists_what_was_stored_on_load(configure: Callable[..., None]) -> None:
    configure(STORE_ON_LOAD="True")
    upload = call("upload", {"name": "a"}).body
    invoke("uploaded", upload_event(put(upload["url"], b"contents")))
    forget(upload["id"])
    assert filled() == (1, 1)
    assert listed() == [upload["id"]]


def test_loses_against_whatever_changed_a_record_meanwhile(finish: Finish, monkeypatch: pytest.MonkeyPatch) -> None:
    """TTL or an operator may drop it between the read and the write, which must not bring it back."""
    file_id = finish({"name": "a"})
    forget(file_id)
    read = aws.dynamodb().scan

    def drop(**parameters: Any) -> Any:
        found = read(**parameters)
        aws.dynamodb().delete_item(TableName=wiring.settings().table_name, Key={"id": {"S": file_id}})
        return found

    monkeypatch.setattr(aws.dynamodb(), "scan", drop)
    assert filled() == (1, 0)
    assert call("info", [file_id], query={"problems": "yes"}).body["problems"][file_id]["code"] == "unknown"


class TestManyRecords:
    @pytest.fixture
    def old(self, finish: Finish, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setattr(records, "_PAGE", 2)
        there = [finish({"name": "a"}) for _ in range(5)]
        for file_id in there:
            forget(file_id)
        return there

    def test_are_told_of_page_by_page_and_gone_on_with_from_there(
        self, old: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        filled()
        lines = capsys.readouterr().err.splitlines()
        assert lines[0].startswith("2 records looked at, 2 changed; to go on from here: AFTER=")
        assert lines[-1].endswith("5 changed")
        for file_id in old:
            forget(file_id)
        after = lines[0].rpartition("=")[2]
        assert filled(after=after) == (3, 3)
        assert len(listed()) == 3

    def test_are_written_no_faster_than_asked_for(self, old: list[str]) -> None:
        """In seconds of a clock that nothing but its pauses moves."""
        clock = Clock(0)
        assert filled(rate=1, sleep=clock.advance, monotonic=clock) == (5, 5)
        assert clock() == len(old)


@pytest.mark.parametrize("rate", ["0", "-1", "1.5", "x", ""])
def test_a_rate_that_is_none_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        records.parser("").parse_args(["--rate", rate])
    assert "a whole number, 1 or more" in capsys.readouterr().err
