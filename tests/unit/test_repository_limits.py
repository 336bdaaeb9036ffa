"""DynamoDB takes so many at a time and answers in parts: nothing is lost at a limit, in a part or in a refusal."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.stub import Stubber

from filestore.domain.file import Deletion, File
from filestore.domain.outcome import Applied, Refused, Throttled
from filestore.errors import StorageError, TryAgainError
from filestore.storage.due import DueFiles
from filestore.storage.repository import FileRepository
from tests.stubs import WHOLE_CALLS, client, ids

THROTTLED = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
# Literal: a list taken from the source would follow it wherever it goes, and a lost code would fail no test.
NOT_FOR_GOOD = [
    "InternalServerError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "ThrottlingError",
    "TransactionConflict",
]
FOR_GOOD = ["AccessDenied", "ItemCollectionSizeLimitExceeded", "ResourceNotFound", "ValidationError", "DuplicateItem"]


def item(file_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": {"S": file_id},
        **{name: {"S": "x"} for name in ("name", "type", "created_at")},
        "url_expires_at": {"N": "1"},
        **more,
    }


class Table:
    """A table that answers as it was told to."""

    def __init__(self) -> None:
        self.stub = Stubber(client("dynamodb"))
        self.asked: list[list[str]] = []
        self.files = FileRepository(client("dynamodb"), "files", sleep=lambda _: None)
        self.due = DueFiles(client("dynamodb"), "files", sleep=lambda _: None)

    def hear(self, params: dict[str, Any], **_: object) -> None:
        if "Statements" in params:
            self.asked.append([statement["Parameters"][-1]["S"] for statement in params["Statements"]])
        else:
            self.asked.append([key["id"]["S"] for key in params["RequestItems"]["files"]["Keys"]])

    def answers(self, *responses: dict[str, Any]) -> None:
        self.stub.add_response("batch_execute_statement", {"Responses": list(responses)})

    def reads(self, found: Sequence[str], unread: Sequence[str] = ()) -> None:
        answer: dict[str, Any] = {"Responses": {"files": [item(file_id) for file_id in found]}}
        if unread:
            answer["UnprocessedKeys"] = {"files": {"Keys": [{"id": {"S": file_id}} for file_id in unread]}}
        self.stub.add_response("batch_get_item", answer)


@pytest.fixture
def table() -> Iterator[Table]:
    table = Table()
    events = client("dynamodb").meta.events
    for operation in ("BatchExecuteStatement", "BatchGetItem"):
        events.register_first(f"before-parameter-build.dynamodb.{operation}", table.hear)
    with table.stub:
        yield table
    for operation in ("BatchExecuteStatement", "BatchGetItem"):
        events.unregister(f"before-parameter-build.dynamodb.{operation}", table.hear)


class TestChangingRecords:
    @pytest.mark.parametrize(("count", "calls"), [(24, [24]), (25, [25]), (26, [25, 1]), (50, [25, 25])])
    def test_takes_25_a_call_and_leaves_none_out(self, table: Table, count: int, calls: list[int]) -> None:
        for size in calls:
            table.answers(*[{}] * size)
        assert table.files.store(ids(count), stored_at="now") == dict.fromkeys(ids(count), Applied(None))
        assert [len(each) for each in table.asked] == calls
        assert [file_id for each in table.asked for file_id in each] == ids(count)

    def test_asks_for_nothing_where_there_is_nothing(self, table: Table) -> None:
        assert table.files.store([], stored_at="now") == {}
        assert table.files.store(["no id"], stored_at="now") == {"no id": Refused(None)}

    @pytest.mark.parametrize("throttled", [0, 1, 2], ids=["first", "second", "last"])
    @pytest.mark.parametrize("whole", [True, False], ids=["call", "statements"])
    def test_says_of_every_change_that_was_throttled_that_it_was(
        self, table: Table, throttled: int, whole: bool
    ) -> None:
        """Of three calls one never comes through: its 25 are told as such, the others as done."""
        for number in range(3):
            for _ in range(5 if number == throttled else 1):
                if number == throttled and whole:
                    table.stub.add_client_error("batch_execute_statement", "ThrottlingException")
                else:
                    table.answers(*[THROTTLED if number == throttled else {}] * 25)
        attempts = table.files.store(ids(75), stored_at="now")
        batch = ids(75)[25 * throttled : 25 * (throttled + 1)]
        assert [file_id for file_id, attempt in attempts.items() if attempt == Throttled()] == batch
        assert [file_id for file_id, attempt in attempts.items() if attempt == Applied(None)] == [
            file_id for file_id in ids(75) if file_id not in batch
        ]
        table.stub.assert_no_pending_responses()

    def test_repeats_what_was_throttled_and_nothing_else(self, table: Table) -> None:
        table.answers(THROTTLED, {}, THROTTLED, {})
        table.answers({}, THROTTLED)
        table.answers({})
        assert set(table.files.store(ids(4), stored_at="now").values()) == {Applied(None)}
        assert table.asked == [ids(4), [ids(4)[0], ids(4)[2]], [ids(4)[2]]]

    @pytest.mark.parametrize("code", NOT_FOR_GOOD)
    def test_tries_again_what_another_try_may_clear(self, table: Table, code: str) -> None:
        table.answers({"Error": {"Code": code, "Message": ""}})
        table.answers({})
        assert table.files.store(ids(1), stored_at="now") == {ids(1)[0]: Applied(None)}

    @pytest.mark.parametrize("code", FOR_GOOD)
    def test_takes_no_other_error_for_a_condition_that_did_not_hold(self, table: Table, code: str) -> None:
        """An upload whose record is not there is deleted: AccessDenied must not look like that."""
        table.answers({"Error": {"Code": code, "Message": "why"}})
        with pytest.raises(StorageError, match=f"{code}.*: why"):
            table.files.store(ids(1), stored_at="now")

    def test_tells_the_file_as_it_is_where_the_condition_did_not_hold(self, table: Table) -> None:
        record = item(ids(1)[0], deleted_at={"S": "then"}, deletion={"S": "expired"}, size={"N": "7"})
        error: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Message": "no", "Item": record}
        table.answers({"Error": error})
        attempt = table.files.store(ids(1), stored_at="now")[ids(1)[0]]
        expected = File(ids(1)[0], "x", "x", "x", 1, size=7, deleted_at="then", deletion=Deletion.EXPIRED)
        assert attempt == Refused(expected)

    def test_raises_where_a_whole_call_is_refused_for_good(self, table: Table) -> None:
        table.stub.add_client_error("batch_execute_statement", "AccessDeniedException")
        with pytest.raises(StorageError, match="AccessDenied"):
            table.files.store(ids(1), stored_at="now")

    @pytest.mark.parametrize("code", WHOLE_CALLS)
    def test_repeats_a_whole_call_that_is_refused_for_now(self, table: Table, code: str) -> None:
        table.stub.add_client_error("batch_execute_statement", code)
        table.answers({})
        assert table.files.store(ids(1), stored_at="now") == {ids(1)[0]: Applied(None)}


class TestReadingRecords:
    @pytest.mark.parametrize(("count", "calls"), [(99, [99]), (100, [100]), (101, [100, 1]), (200, [100, 100])])
    def test_takes_100_a_call_and_leaves_none_out(self, table: Table, count: int, calls: list[int]) -> None:
        start = 0
        for size in calls:
            table.reads(ids(count)[start : start + size])
            start += size
        found, throttled = table.files.get(ids(count))
        assert (list(found), throttled) == (ids(count), set())
        assert [len(each) for each in table.asked] == calls

    def test_says_of_every_read_that_was_left_out_that_it_was(self, table: Table) -> None:
        """Of two calls the first is answered in part five times, and the second in full."""
        table.reads(ids(100)[:60], unread=ids(100)[60:])
        table.reads(ids(100)[60:70], unread=ids(100)[70:])
        for _ in range(3):
            table.reads([], unread=ids(100)[70:])
        table.reads(ids(101)[100:])
        found, throttled = table.files.get(ids(101))
        assert set(found) == {*ids(70), ids(101)[100]}
        assert throttled == set(ids(100)[70:])
        assert [len(each) for each in table.asked] == [100, 40, 30, 30, 30, 1]

    @pytest.mark.parametrize("throttled", [0, 1], ids=["first", "last"])
    def test_says_of_a_call_that_is_throttled_that_all_of_it_is(self, table: Table, throttled: int) -> None:
        batches = [ids(200)[:100], ids(200)[100:]]
        for number, batch in enumerate(batches):
            if number == throttled:
                for _ in range(5):
                    table.stub.add_client_error("batch_get_item", "ThrottlingException")
            else:
                table.reads(batch)
        found, left = table.files.get(ids(200))
        assert (set(found), left) == (set(batches[1 - throttled]), set(batches[throttled]))

    def test_does_not_ask_for_what_is_no_id(self, table: Table) -> None:
        assert table.files.get(["no id", ""]) == ({}, set())

    def test_takes_no_id_that_has_no_record_for_throttled(self, table: Table) -> None:
        table.reads([])
        assert table.files.get(ids(1)) == ({}, set())

    def test_raises_where_the_call_is_refused_for_good(self, table: Table) -> None:
        table.stub.add_client_error("batch_get_item", "AccessDeniedException")
        with pytest.raises(StorageError, match="AccessDenied"):
            table.files.get(ids(1))


class TestWhatIsDue:
    def test_is_read_page_by_page_100_at_a_time(self, table: Table) -> None:
        asked = {
            "TableName": "files",
            "IndexName": "due",
            "KeyConditionExpression": "sweep_shard = :shard AND sweep_at <= :now",
            "ExpressionAttributeValues": {":shard": {"S": "0"}, ":now": {"N": "7"}},
            "Limit": 100,
        }
        pages = [ids(201)[:100], ids(201)[100:200], ids(201)[200:]]
        key: dict[str, Any] = {}
        for number, page in enumerate(pages):
            answer: dict[str, Any] = {"Items": [{"id": {"S": file_id}} for file_id in page]}
            following = {"id": {"S": page[-1]}, "sweep_shard": {"S": "0"}, "sweep_at": {"N": "7"}}
            if number < 2:
                answer["LastEvaluatedKey"] = following
            self.query(table, answer, asked | ({"ExclusiveStartKey": key} if key else {}))
            records = [item(file_id, sweep_at={"N": "7"}) for file_id in page]
            table.stub.add_response("batch_get_item", {"Responses": {"files": records}})
            key = following
        assert [[file.id for file in page] for page in table.due.pages("0", now=7)] == pages

    def test_that_could_not_be_read_is_told_after_what_could(self, table: Table) -> None:
        self.query(table, {"Items": [{"id": {"S": file_id}} for file_id in ids(3)]})
        for _ in range(5):
            table.reads([], unread=ids(3))
        pages = table.due.pages("0", now=7)
        assert next(pages) == []
        with pytest.raises(TryAgainError, match="3 files"):
            next(pages)

    @staticmethod
    def query(table: Table, answer: dict[str, Any], asked: dict[str, Any] | None = None) -> None:
        table.stub.add_response("query", answer, asked)
