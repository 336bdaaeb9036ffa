"""What an operator does when a key is rotated, and when KeyIsolation is switched on or off."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from ops import fill_list, hand_over, records
from ops.target import Target
from tests.support import call, put

OLD, NEW, OTHER = "key1111111", "key2222222", "key3333333"


@pytest.fixture(autouse=True)
def isolated(emulator_aws: None, configure: Callable[..., None]) -> None:
    del emulator_aws
    configure(KEY_ISOLATION="True")


def walk() -> records.Walk:
    table = wiring.settings().table_name
    return records.Walk(Target({"TableName": table}, lambda _: aws.dynamodb()), rate=1000, sleep=lambda _: None)


def handed_over(giver: str | None, taker: str | None) -> int:
    walked = walk()
    hand_over.hand_over(walked, giver=giver, taker=taker)
    return walked.changed


def stored_by(key_id: str) -> str:
    upload = call("upload", {"name": "a.txt", "type": "text/plain"}).body
    put(upload["url"], b"contents", upload["headers"])
    assert call("store", [upload["id"]], key_id=key_id).body == [upload["id"]]
    return str(upload["id"])


def known_to(key_id: str, file_id: str) -> bool:
    """What the list says, and what the details say, which is the same."""
    listed = file_id in [file["id"] for file in call("list", query={"deleted": "yes"}, key_id=key_id).body["files"]]
    described = call("info", [file_id], query={"deleted": "yes"}, key_id=key_id).body != []
    assert listed == described
    return listed


def test_gives_the_new_key_every_file_of_the_old_one_and_of_no_other(
    record: Callable[[str], dict[str, Any] | None],
) -> None:
    mine, gone, others = stored_by(OLD), stored_by(OLD), stored_by(OTHER)
    call("delete", [gone], key_id=OLD)
    before = record(mine) or {}
    assert handed_over(OLD, NEW) == 2
    for file_id in (mine, gone):
        assert (known_to(OLD, file_id), known_to(NEW, file_id)) == (False, True)
    assert (known_to(NEW, others), known_to(OTHER, others)) == (False, True)
    assert record(mine) == before | {"owner": NEW, "list_shard": f"{NEW}#{mine[0]}"}
    assert call("delete", [mine], key_id=OLD).body == []
    assert call("delete", [mine], key_id=NEW).body == [mine]


def test_changes_nothing_the_second_time() -> None:
    stored_by(OLD)
    assert (handed_over(OLD, NEW), handed_over(OLD, NEW)) == (1, 0)


def test_leaves_uploads_that_nobody_stored_to_everybody(uploaded: dict[str, Any]) -> None:
    assert handed_over(None, NEW) == 0
    assert call("store", [uploaded["id"]], key_id=OLD).body == [uploaded["id"]]


def test_gives_the_files_of_before_to_a_key(configure: Callable[..., None]) -> None:
    """Where KeyIsolation is switched on, they are nobody's, listed or not."""
    configure(KEY_ISOLATION="False")
    listed, unlisted = stored_by(OLD), stored_by(OLD)
    aws.dynamodb().update_item(
        TableName=wiring.settings().table_name,
        Key={"id": {"S": unlisted}},
        UpdateExpression="REMOVE list_shard, list_place",
    )
    configure(KEY_ISOLATION="True")
    assert not known_to(OLD, listed)
    assert handed_over(None, OLD) == 2
    assert known_to(OLD, listed)
    assert known_to(OLD, unlisted)


def test_gives_files_back_to_all_keys_where_it_is_switched_off(configure: Callable[..., None]) -> None:
    file_id = stored_by(OLD)
    configure(KEY_ISOLATION="False")
    assert [file["id"] for file in call("info", [file_id], key_id=OTHER).body] == [file_id]
    assert call("list", key_id=OTHER).body["files"] == []
    assert handed_over(OLD, None) == 1
    assert known_to(OTHER, file_id)


def test_what_the_list_lacked_gets_the_place_that_its_owner_has(record: Callable[[str], Any]) -> None:
    file_id = stored_by(OLD)
    before = record(file_id)
    aws.dynamodb().update_item(
        TableName=wiring.settings().table_name,
        Key={"id": {"S": file_id}},
        UpdateExpression="REMOVE list_shard, list_place",
    )
    filling = walk()
    fill_list.fill(filling)
    assert filling.changed == 1
    assert record(file_id) == before


def test_a_file_that_was_given_away_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = stored_by(OLD)
    scan = aws.dynamodb().scan

    def later(**parameters: Any) -> Any:
        found = scan(**parameters)
        monkeypatch.setattr(aws.dynamodb(), "scan", scan)
        assert handed_over(OLD, OTHER) == 1
        return found

    monkeypatch.setattr(aws.dynamodb(), "scan", later)
    assert handed_over(OLD, NEW) == 0
    assert known_to(OTHER, file_id)
