"""What DynamoDB answers to statements and reads, where it says less than it should, and whose files they are about."""

from typing import Any

import pytest
from botocore.stub import Stubber

from filestore.domain import lifecycle
from filestore.domain.file import Deletion
from filestore.domain.outcome import Applied, Refused
from filestore.errors import StorageError
from filestore.storage.repository import FileRepository
from filestore.storage.statements import Statements
from tests.stubs import client, ids
from tests.unit.test_repository_limits import item

(A,) = ids(1)


def statements(owner: str | None = None) -> Statements:
    return Statements(client("dynamodb"), "files", sleep=lambda _: None, monotonic=lambda: 0, owner=owner)


class TestAnswersThatLackSomething:
    def test_of_the_table_are_asked_for_again(self) -> None:
        """That a record is not there would say that its file can be removed."""
        with Stubber(client("dynamodb")) as dynamodb:
            dynamodb.add_response("batch_get_item", {"Responses": {}})
            dynamodb.add_response("batch_get_item", {"Responses": {"files": [item(A)]}})
            found, throttled = statements().read([A])
        assert (list(found), throttled) == ([A], set())

    def test_of_a_statement_are_an_error(self) -> None:
        changes = [statements().change(each, 'SET "x"=?', lifecycle.PENDING, values=(1,)) for each in ids(2)]
        with Stubber(client("dynamodb")) as dynamodb:
            dynamodb.add_response("batch_execute_statement", {"Responses": [{}]})
            with pytest.raises(ValueError, match="shorter"):
                statements().execute(changes)

    def test_of_a_reason_have_none(self) -> None:
        with Stubber(client("dynamodb")) as dynamodb:
            dynamodb.add_response("batch_execute_statement", {"Responses": [{"Error": {"Code": "AccessDenied"}}]})
            with pytest.raises(StorageError, match=r"AccessDenied in a batch of statements: $"):
                statements().execute([statements().change(A, 'SET "x"=?', lifecycle.PENDING, values=(1,))])


class TestWhoseFilesTheyAre:
    @pytest.mark.parametrize(("owner", "guard"), [(None, False), ("key", True)])
    def test_is_in_every_statement_about_files_that_may_be_stored(self, owner: str | None, guard: bool) -> None:
        removal = statements(owner).removal(A, lifecycle.LIVE)
        assert ('"owner"=?' in removal.statement) is guard
        assert ("key" in removal.parameters) is guard

    def test_is_not_asked_again_of_what_no_other_statement_would_change(self) -> None:
        """A file that is deleted is neither stored nor unstored."""
        deleted: dict[str, Any] = item(
            A, owner={"S": "key"}, stored_at={"S": "x"}, deleted_at={"S": "x"}, deletion={"S": "requested"}
        )
        error: Any = {"Code": "ConditionalCheckFailed", "Message": "no", "Item": deleted}
        files = FileRepository(client("dynamodb"), "files", sleep=lambda _: None).of("key")
        with Stubber(client("dynamodb")) as dynamodb:
            dynamodb.add_response("batch_execute_statement", {"Responses": [{"Error": error}]})
            attempt = files.delete([A], deleted_at="now", sweep_at=1)[A]
        assert isinstance(attempt, Refused)
        assert attempt.current is not None
        assert attempt.current.deletion is Deletion.REQUESTED

    def test_is_asked_again_of_what_nobody_has_stored_yet(self) -> None:
        error: Any = {"Code": "ConditionalCheckFailed", "Message": "no", "Item": item(A)}
        files = FileRepository(client("dynamodb"), "files", sleep=lambda _: None).of("key")
        with Stubber(client("dynamodb")) as dynamodb:
            dynamodb.add_response("batch_execute_statement", {"Responses": [{"Error": error}]})
            dynamodb.add_response("batch_execute_statement", {"Responses": [{}]})
            assert files.delete([A], deleted_at="now", sweep_at=1) == {A: Applied(None)}
            dynamodb.assert_no_pending_responses()
