"""Every error has a status, and none escapes: API Gateway would make a 502 without CORS headers of it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from filestore import errors
from filestore.api import errors as statuses
from filestore.errors import FilestoreError
from filestore.storage.repository import FileRepository
from tests.support import call, invoke, sample_event

pytestmark = pytest.mark.usefixtures("moto_aws")

STATUSES = {
    "AlreadyStoredError": 409,
    "AlreadyUploadedError": 409,
    "ChecksumMismatchError": 409,
    "DeletedError": 409,
    "FileTooLargeError": 400,
    "FilestoreError": 500,
    "InvalidBodyError": 400,
    "InvalidCursorError": 400,
    "InvalidQueryError": 400,
    "InvalidRequestError": 400,
    "InvalidTokenError": 403,
    "KeyReusedError": 409,
    "NoAnswerError": 503,
    "NoKeyError": 403,
    "NotInPartsError": 409,
    "NotStoredError": 409,
    "OriginNotAllowedError": 403,
    "PartsMissingError": 409,
    "StillCompletingError": 429,
    "StorageError": 500,
    "StoredOnLoadError": 400,
    "ThrottledError": 503,
    "TooManyIdsError": 400,
    "TryAgainError": 503,
    "UnknownFileError": 404,
    "UploadEndedError": 409,
    "UploadStateError": 409,
}


def subclasses(kind: type[FilestoreError]) -> Iterator[type[FilestoreError]]:
    yield kind
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from subclasses(each)


def make(kind: type[FilestoreError]) -> FilestoreError:
    if kind is errors.InvalidBodyError:
        return errors.InvalidBodyError([errors.FieldError("/name", "Why.")])
    if kind is errors.InvalidQueryError:
        return errors.InvalidQueryError("limit", "Why.")
    if kind is errors.PartsMissingError:
        return errors.PartsMissingError([1])
    if kind is errors.StorageError:
        return errors.StorageError("AccessDenied", "Why.")
    return kind("Why.")


def test_the_log_has_the_reason_and_the_caller_the_message() -> None:
    assert str(errors.UnknownFileError("There is no such file.")) == "There is no such file."
    refused = errors.StorageError("AccessDenied", "No right to PutItem.")
    assert (str(refused), refused.message) == ("No right to PutItem.", "Storage refused a call.")


def fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FileRepository, "get", fail)


def test_every_error_is_listed_here() -> None:
    assert {kind.__name__ for kind in subclasses(FilestoreError)} == STATUSES.keys()


@pytest.mark.parametrize("kind", subclasses(FilestoreError), ids=lambda kind: kind.__name__)
def test_every_error_has_its_status_and_code(monkeypatch: pytest.MonkeyPatch, kind: type[FilestoreError]) -> None:
    error = make(kind)
    fail_with(monkeypatch, error)
    # Not call(), which knows which errors this operation names.
    answer = invoke("info", sample_event("info"))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (STATUSES[kind.__name__], error.code)
    assert answer["headers"]["Access-Control-Allow-Origin"] == "*"


def test_one_of_ours_says_nothing_of_what_is_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, errors.StorageError("AccessDenied", "arn:aws:iam::123456789012:role/secret"))
    assert call("info", ["0" * 32]).body == {"message": "Something went wrong on our side.", "code": "internal_error"}


def test_a_new_error_without_a_status_is_a_500(
    monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    class NewError(FilestoreError):
        code = "new"

    fail_with(monkeypatch, NewError("Why."))
    reply = call("info", ["0" * 32])
    assert (reply.status, reply.body["code"]) == (500, "internal_error")
    *_, of_fault, of_request = log()
    assert (of_fault["level"], of_fault["exception_name"]) == ("ERROR", "NewError")
    assert of_request["status"] == 500


def test_a_more_special_error_has_the_status_of_what_it_is_a_kind_of() -> None:
    class SpecialError(errors.UnknownFileError):
        pass

    assert statuses.answer(SpecialError("Why.")).status == 404


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no right"}}, "BatchExecuteStatement"),
            r"AccessDenied.*BatchExecuteStatement.*no right",
        ),
        (ReadTimeoutError(endpoint_url="https://dynamodb.example"), r"Read timeout.*dynamodb\.example"),
    ],
    ids=["refused", "no answer"],
)
def test_a_function_without_a_caller_says_why_it_failed(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    """Lambda writes the text of what was raised into the log, and nothing of its cause."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", fail)
    with pytest.raises(FilestoreError, match=said):
        invoke("uploaded", sample_event("uploaded"))
