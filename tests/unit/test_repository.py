"""Throttling: retried a bounded number of times, then reported and never dropped."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from filestore import wiring
from filestore.domain.file import File
from filestore.domain.outcome import Applied, Refused, Throttled
from filestore.errors import StorageError, TryAgainError
from filestore.storage.due import DueFiles
from filestore.storage.repository import FileRepository
from tests.support import Clock, call

A, B, C, D = (letter * 32 for letter in "abcd")
THROTTLED = {"Error": {"Code": "ThrottlingError", "Message": "slow down"}}
CONFLICT = {"Error": {"Code": "TransactionConflict", "Message": "busy"}}
RECORD = {"name": {"S": "a"}, "type": {"S": "b"}, "created_at": {"S": "c"}, "url_expires_at": {"N": "1"}}
FILE = File(id=B, name="a", type="b", created_at="c", url_expires_at=1)
REFUSED_ALONE = {"Error": {"Code": "ConditionalCheckFailed", "Message": "no"}}
REFUSED = {"Error": {**REFUSED_ALONE["Error"], "Item": {"id": {"S": B}, **RECORD}}}


class Stubbed:
    """A repository whose DynamoDB answers as it was told to."""

    def __init__(self) -> None:
        client: Any = botocore.session.Session().create_client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        self.stub = Stubber(client)
        self.stub.activate()
        self.pauses: list[float] = []
        self.files = FileRepository(client, "files", sleep=self.pauses.append)
        self.due = DueFiles(client, "files", sleep=self.pauses.append)

    def answer(self, *responses: dict[str, Any]) -> None:
        self.stub.add_response("batch_execute_statement", {"Responses": list(responses)})

    def read(self, asked_for: list[str], *found: str, unread: Sequence[str] = ()) -> None:
        """A consistent read of exactly these ids."""
        keys = [{"id": {"S": file_id}} for file_id in asked_for]
        left = {"files": {"Keys": [{"id": {"S": file_id}} for file_id in unread]}} if unread else {}
        self.stub.add_response(
            "batch_get_item",
            {"Responses": {"files": [{"id": {"S": each}, **RECORD} for each in found]}, "UnprocessedKeys": left},
            {"RequestItems": {"files": {"Keys": keys, "ConsistentRead": True}}},
        )


@pytest.fixture
def stubbed() -> Stubbed:
    return Stubbed()


def test_repeats_only_what_was_throttled(stubbed: Stubbed) -> None:
    stubbed.answer({}, THROTTLED)
    stubbed.answer(REFUSED)
    attempts = stubbed.files.store([A, B], stored_at="now")
    assert attempts == {A: Applied(None), B: Refused(FILE)}
    assert len(stubbed.pauses) == 1
    stubbed.stub.assert_no_pending_responses()


def test_gives_up_after_five_attempts_and_says_so(stubbed: Stubbed) -> None:
    stubbed.answer({}, THROTTLED)
    for _ in range(4):
        stubbed.answer(CONFLICT)
    assert stubbed.files.store([A, B], stored_at="now") == {A: Applied(None), B: Throttled()}
    stubbed.stub.assert_no_pending_responses()


def test_pauses_longer_each_time_and_never_for_long(stubbed: Stubbed) -> None:
    for _ in range(5):
        stubbed.answer(THROTTLED)
    stubbed.files.store([A], stored_at="now")
    assert len(stubbed.pauses) == 4
    for pause, most in zip(stubbed.pauses, (0.05, 0.1, 0.2, 0.4), strict=True):
        assert most / 2 <= pause <= most


def test_begins_no_call_after_four_seconds() -> None:
    """A hundred ids are four calls: with each of them throttled API Gateway would be gone before the answer."""
    stubbed = Stubbed()
    clock = Clock(0)
    files = FileRepository(stubbed.files._client, "files", sleep=lambda _: clock.advance(2), monotonic=clock)  # noqa: SLF001
    ids = [f"{number:032x}" for number in range(100)]
    for _ in range(3):
        stubbed.stub.add_client_error("batch_execute_statement", "ThrottlingException")
    assert files.store(ids, stored_at="now") == dict.fromkeys(ids, Throttled())
    stubbed.stub.assert_no_pending_responses()
    clock.advance(3600)
    stubbed.answer({})
    assert files.store([A], stored_at="now") == {A: Applied(None)}


def test_repeats_a_whole_call_that_was_throttled(stubbed: Stubbed) -> None:
    stubbed.stub.add_client_error("batch_execute_statement", "ThrottlingException")
    stubbed.answer({})
    assert stubbed.files.store([A], stored_at="now") == {A: Applied(None)}


def test_repeats_the_reads_that_dynamodb_left_out(stubbed: Stubbed) -> None:
    item = {name: {"S": "x"} for name in ("name", "type", "created_at")} | {"url_expires_at": {"N": "1"}}
    stubbed.stub.add_response(
        "batch_get_item",
        {
            "Responses": {"files": [{"id": {"S": A}, **item}]},
            "UnprocessedKeys": {"files": {"Keys": [{"id": {"S": B}}]}},
        },
    )
    stubbed.stub.add_response("batch_get_item", {"Responses": {"files": [{"id": {"S": B}, **item}]}})
    found, throttled = stubbed.files.get([A, B])
    assert set(found) == {A, B}
    assert throttled == set()


def test_reports_the_reads_that_dynamodb_never_answered(stubbed: Stubbed) -> None:
    for _ in range(5):
        stubbed.stub.add_client_error("batch_get_item", "ProvisionedThroughputExceededException")
    assert stubbed.files.get([A]) == ({}, {A})


def test_a_read_that_says_nothing_of_the_table_is_none(stubbed: Stubbed) -> None:
    """What it lacks it does not deny either."""
    for _ in range(5):
        stubbed.stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": {}})
    assert stubbed.files.get([A]) == ({}, {A})


class TestARefusalWithoutARecord:
    """What has no record is removed, so that there is none has to be certain."""

    def refused(self, stubbed: Stubbed, *ids: str) -> dict[str, Any]:
        attempts = stubbed.files.store(ids, stored_at="now")
        stubbed.stub.assert_no_pending_responses()
        return attempts

    def test_is_settled_by_one_consistent_read_of_all_of_them(self, stubbed: Stubbed) -> None:
        stubbed.answer(REFUSED_ALONE, REFUSED_ALONE, {})
        stubbed.read([A, B], B)
        attempts = self.refused(stubbed, A, B, C)
        assert isinstance(attempts[A], Refused)
        assert attempts[A].current is None
        assert attempts[B] == Refused(FILE)
        assert isinstance(attempts[C], Applied)

    def test_is_not_settled_by_a_read_that_is_throttled(self, stubbed: Stubbed) -> None:
        stubbed.answer(REFUSED_ALONE, REFUSED_ALONE)
        stubbed.read([A, B], B, unread=[A])
        for _ in range(4):
            stubbed.read([A], unread=[A])
        attempts = self.refused(stubbed, A, B)
        assert isinstance(attempts[A], Throttled)
        assert attempts[B] == Refused(FILE)

    def test_costs_no_read_where_the_record_lies_beside_the_error(self, stubbed: Stubbed) -> None:
        """Nobody has measured where AWS puts it in a batch."""
        stubbed.answer({**REFUSED_ALONE, "Item": {"id": {"S": B}, **RECORD}})
        assert self.refused(stubbed, B)[B] == Refused(FILE)

    def test_is_settled_by_itself_where_no_record_can_be(self, stubbed: Stubbed) -> None:
        assert isinstance(self.refused(stubbed, "no id")["no id"], Refused)

    @pytest.mark.parametrize("code", ["AccessDenied", "ValidationError", "ResourceNotFound", "SomethingNew"])
    def test_is_not_what_another_error_says(self, stubbed: Stubbed, code: str) -> None:
        stubbed.answer({"Error": {"Code": code, "Message": "no"}})
        with pytest.raises(StorageError, match=code):
            stubbed.files.store([A], stored_at="now")


def test_lives_with_the_attributes_of_a_newer_release(stubbed: Stubbed) -> None:
    item = {"id": {"S": A}, "name": {"S": "x"}, "type": {"S": "x"}, "created_at": {"S": "x"}}
    stubbed.stub.add_response(
        "batch_get_item",
        {"Responses": {"files": [{**item, "url_expires_at": {"N": "1"}, "from_the_future": {"BOOL": True}}]}},
    )
    assert stubbed.files.get([A])[0][A].name == "x"


class TestWhatIsDue:
    ITEM: ClassVar = {name: {"S": "x"} for name in ("name", "type", "created_at")} | {"url_expires_at": {"N": "1"}}

    def listed(self, stubbed: Stubbed, *ids: str) -> None:
        keys = [{"id": {"S": file_id}, "sweep_at": {"N": "1"}} for file_id in ids]
        stubbed.stub.add_response("query", {"Items": keys})

    def test_is_what_the_record_says_and_not_the_index(self, stubbed: Stubbed) -> None:
        """Which lags behind: since then the one was put off, the other stored, the third dropped."""
        self.listed(stubbed, A, B, C, D)
        records = [
            {"id": {"S": B}, **self.ITEM},
            {"id": {"S": A}, **self.ITEM, "sweep_at": {"N": "11"}},
            {"id": {"S": D}, **self.ITEM, "sweep_at": {"N": "10"}},
        ]
        stubbed.stub.add_response("batch_get_item", {"Responses": {"files": records}})
        (page,) = stubbed.due.pages("a", now=10)
        assert [file.id for file in page] == [D]

    def test_is_read_once_where_the_index_lists_it_twice(self, stubbed: Stubbed) -> None:
        self.listed(stubbed, A, B, A)
        keys = {"files": {"Keys": [{"id": {"S": A}}, {"id": {"S": B}}], "ConsistentRead": True}}
        records = [{"id": {"S": file_id}, **self.ITEM, "sweep_at": {"N": "1"}} for file_id in (B, A)]
        stubbed.stub.add_response("batch_get_item", {"Responses": {"files": records}}, {"RequestItems": keys})
        (page,) = stubbed.due.pages("a", now=10)
        assert [file.id for file in page] == [A, B]

    def test_is_not_left_out_in_silence_where_it_cannot_be_read(self, stubbed: Stubbed) -> None:
        self.listed(stubbed, A, B)
        read = {"files": [{"id": {"S": A}, **self.ITEM, "sweep_at": {"N": "1"}}]}
        unread = {"files": {"Keys": [{"id": {"S": B}}]}}
        stubbed.stub.add_response("batch_get_item", {"Responses": read, "UnprocessedKeys": unread})
        for _ in range(4):
            stubbed.stub.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": unread})
        pages = stubbed.due.pages("a", now=10)
        assert [file.id for file in next(pages)] == [A]
        with pytest.raises(TryAgainError, match="1 files"):
            next(pages)


@pytest.mark.usefixtures("moto_aws")
class TestWhatTheCallerIsTold:
    @pytest.fixture(autouse=True)
    def throttled_dynamodb(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        del clock
        monkeypatch.setattr(FileRepository, "store", lambda _, ids, **__: {file_id: Throttled() for file_id in ids})
        monkeypatch.setattr(FileRepository, "delete", lambda _, ids, **__: {file_id: Throttled() for file_id in ids})
        monkeypatch.setattr(FileRepository, "get", lambda _, ids: ({}, set(ids)))

    @pytest.mark.parametrize("operation", ["store", "delete", "info"])
    def test_a_503_where_there_is_no_room_for_problems(self, operation: str) -> None:
        reply = call(operation, [A])
        assert (reply.status, reply.body["code"]) == (503, "try_again")
        assert int(reply.headers["Retry-After"]) >= 1

    @pytest.mark.parametrize("operation", ["store", "delete", "info"])
    def test_try_again_by_id_where_there_is(self, operation: str) -> None:
        body = call(operation, [A], query={"problems": "yes"}).body
        assert body["result"] == []
        assert body["problems"][A]["code"] == "try_again"


@pytest.mark.usefixtures("moto_aws")
def test_a_throttled_call_of_another_kind_is_a_503_too(
    monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    def throttle(*_: object) -> None:
        raise ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "PutItem")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", throttle)
    assert call("upload", {"name": "a"}).status == 503
    assert log()[-1]["status"] == 503


@pytest.mark.usefixtures("emulator_aws")
def test_a_create_whose_answer_was_lost_may_be_repeated(record: Callable[[str], dict[str, Any] | None]) -> None:
    """The SDK does so by itself, and the record that it then finds is its own."""
    files = wiring.begin_upload().files
    file = File(id=A, name="a", type="b", created_at="c", url_expires_at=1, token_hash="hash")
    files.create(file)
    files.create(file)
    with pytest.raises(StorageError, match="ConditionalCheckFailed"):
        files.create(file._replace(token_hash="another"))
    assert (record(A) or {})["token_hash"] == "hash"


@pytest.mark.usefixtures("emulator_aws")
def test_a_create_that_comes_again_late_takes_nothing_back(record: Callable[[str], dict[str, Any] | None]) -> None:
    """Another request with the same Idempotency-Key may have told the id, and the file may be stored by now."""
    files = wiring.begin_upload().files
    file = File(id=A, name="a", type="b", created_at="c", url_expires_at=1, token_hash="hash")
    files.create(file)
    files.delete([A], deleted_at="d", sweep_at=1)
    assert files.create(file) is None
    assert (record(A) or {})["deleted_at"] == "d"
