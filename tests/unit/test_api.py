"""What holds for every endpoint."""

import base64
import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from filestore import wiring
from tests.support import Reply, call, counted_calls, invoke, sample_event

WITH_BODY = ["upload", "store", "info", "delete"]
OF_BACK_ENDS = ["store", "info", "delete"]


def assert_refused(reply: Reply) -> None:
    assert reply.status == 400
    assert reply.body["message"]
    assert reply.body["code"] == "invalid_body"
    assert reply.body["errors"]


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "not json",
        "null",
        "true",
        "7",
        "NaN",
        "[NaN]",
        '{"name": Infinity}',
        '"text"',
        "[" * 100_000,
        '{"name":' * 100_000,
        "[[]]",
        "[{}]",
        "[null]",
        "[1]",
        "[1e400]",
        "[" + "9" * 5000 + "]",
        "{}",
        '[""]',
        '["\\u0000"]',
        '["a\\nb"]',
        '["\\ud800"]',
        '{"name": "\\udfff"}',
        '{"name": "a\\u0000"}',
        '{"name": ["a"]}',
        '{"name": {"name": "a"}}',
        '{"name": 7}',
        '{"name": "a", "unknown": 1}',
        '["' + "x" * 129 + '"]',
        '["' + "x" * 1_000_000 + '"]',
        '{"name": "' + "x" * 1_000_000 + '"}',
        "\ud800",
    ],
    ids=lambda body: body[:20].encode("ascii", "backslashreplace").decode(),
)
def test_a_malformed_body_is_refused_with_a_reason(operation: str, body: str) -> None:
    assert_refused(call(operation, raw=body))


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", WITH_BODY)
def test_a_body_that_is_missing_is_refused(operation: str) -> None:
    assert_refused(call(operation, None))


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", WITH_BODY)
@pytest.mark.parametrize("encoded", ["*", base64.b64encode(b"\xff\xfe[").decode(), "\u00e9"])
def test_a_body_that_is_not_base64_as_announced_is_refused(operation: str, encoded: str) -> None:
    event = sample_event(operation) | {"body": encoded, "isBase64Encoded": True}
    assert invoke(operation, event)["statusCode"] == 400


@pytest.mark.usefixtures("moto_aws")
def test_a_body_in_base64_is_understood() -> None:
    event = sample_event("upload") | {
        "body": base64.b64encode(b'{"name": "a.txt"}').decode(),
        "isBase64Encoded": True,
    }
    assert invoke("upload", event)["statusCode"] == 200


@pytest.mark.parametrize("operation", OF_BACK_ENDS)
@pytest.mark.usefixtures("emulator_aws")
class TestIds:
    def test_a_hundred_are_taken(self, operation: str) -> None:
        assert call(operation, [f"{number:032x}" for number in range(100)]).status == 200

    def test_more_are_refused_and_never_cut(self, operation: str) -> None:
        reply = call(operation, [f"{number:032x}" for number in range(101)])
        assert (reply.status, reply.body["code"]) == (400, "too_many_ids")

    def test_duplicates_count_once(self, operation: str) -> None:
        assert call(operation, ["a" * 32] * 150).status == 200

    def test_the_reason_points_at_the_wrong_one(self, operation: str) -> None:
        assert [error["path"] for error in call(operation, ["a", 1, "b", None, ""]).body["errors"]] == [
            "/1",
            "/3",
            "/4",
        ]


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", OF_BACK_ENDS)
class TestNoIds:
    """A back end need not look whether a form came without files."""

    def test_are_answered_by_nothing_and_cost_no_call_of_aws(self, operation: str) -> None:
        with counted_calls() as calls:
            bare, explained = call(operation, []), call(operation, [], query={"problems": "yes"})
        assert (bare.status, bare.body) == (200, [])
        assert (explained.status, explained.body) == (200, {"result": [], "problems": {}})
        assert calls == {}


@pytest.mark.usefixtures("moto_aws")
def test_to_ask_for_an_upload_takes_an_object() -> None:
    assert_refused(call("upload", []))


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", OF_BACK_ENDS)
class TestFlags:
    @pytest.mark.parametrize("value", ["yes", "true", "1", "Yes", "TRUE"])
    def test_say_yes(self, operation: str, value: str) -> None:
        """Python's requests sends True as it is written there."""
        assert "problems" in call(operation, [], query={"problems": value}).body

    @pytest.mark.parametrize("value", ["no", "false", "0", "No", "FALSE"])
    def test_say_no(self, operation: str, value: str) -> None:
        assert call(operation, [], query={"problems": value}).body == []

    @pytest.mark.parametrize("value", ["", "maybe", "2", "y", " yes", "yes,no", "on", "\u0131"])
    def test_say_nothing_else(self, operation: str, value: str) -> None:
        reply = call(operation, [], query={"problems": value})
        assert (reply.status, reply.body["code"]) == (400, "invalid_request")
        assert reply.body["message"] == "The query parameter problems is yes (true, 1) or no (false, 0)."


@pytest.mark.usefixtures("moto_aws")
class TestCors:
    @pytest.mark.parametrize("operation", WITH_BODY)
    def test_every_answer_may_be_read_errors_included(self, operation: str) -> None:
        """A page that may not read an error can only tell its user that the network failed."""
        reply = call(operation, raw="{", headers={"Origin": "https://www.example.com"})
        assert reply.status == 400
        assert reply.headers["Access-Control-Allow-Origin"] == "*"

    def test_only_the_stacks_own_origins_are_served(
        self, configure: Callable[..., None], record_count: Callable[[], int]
    ) -> None:
        configure(ALLOWED_ORIGINS="https://a.example, https://b.example")
        for origin in ("https://a.example", "https://b.example"):
            reply = call("upload", {"name": "a"}, headers={"Origin": origin})
            assert reply.status == 200
            assert reply.headers["Access-Control-Allow-Origin"] == origin
            assert reply.headers["Vary"] == "Origin"
        refused = call("upload", {"name": "a"}, headers={"Origin": "https://c.example"})
        assert (refused.status, refused.body["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert record_count() == 2

    def test_a_client_that_is_no_browser_needs_no_origin(self, configure: Callable[..., None]) -> None:
        configure(ALLOWED_ORIGINS="https://a.example")
        event = sample_event("upload")
        del event["headers"]["Origin"]
        assert invoke("upload", event)["statusCode"] == 200


@pytest.mark.usefixtures("moto_aws")
def test_a_fault_of_ours_is_a_500_that_tells_nothing(
    monkeypatch: pytest.MonkeyPatch, log: Callable[[], list[dict[str, Any]]]
) -> None:
    def break_down() -> None:
        raise ZeroDivisionError("the secret reason")

    # It calls the same while it is imported.
    importlib.import_module("filestore.handlers.info")
    monkeypatch.setattr(wiring, "describe_files", break_down)
    reply = call("info", ["a"])
    assert (reply.status, reply.body["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(reply.body)
    assert "ZeroDivisionError" in json.dumps(log())


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("operation", WITH_BODY)
def test_the_answer_is_never_cached(operation: str) -> None:
    assert call(operation, raw="{").headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("moto_aws")
class TestTheLog:
    def test_has_one_line_a_request(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        call("upload", {"name": "a.txt", "size": 3, "type": "text/plain"})
        (line,) = log()
        assert line["message"] == "POST /file"
        assert line["status"] == 200
        assert line["UploadsRequested"] == [1.0]

    def test_names_no_file_url_or_token(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        body = call("upload", {"name": "secret-name.txt", "size": 3}).body
        text = json.dumps(log())
        for secret in ("secret-name", "X-Amz-Signature", body["token"]):
            assert secret not in text

    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            (KeyError("a stranger's"), 500),
            (UnicodeEncodeError("utf-8", "a stranger's", 0, 1, "no"), 500),
            (ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no right"}}, "PutItem"), 500),
            (ReadTimeoutError(endpoint_url="https://dynamodb.example"), 503),
        ],
        ids=lambda fault: type(fault).__name__,
    )
    def test_says_where_it_failed_without_a_byte_of_the_request(
        self, fault: Exception, status: int, log: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The text of an error of Python's often quotes what it is about, and that may be anybody's."""

        def fail(*_: object, **__: object) -> None:
            raise fault

        monkeypatch.setattr("botocore.client.BaseClient._make_api_call", fail)
        forged = 'a stranger\'s\n{"level":"INFO"}'
        reply = call("upload", {"name": "a stranger's", "meta": {"a stranger's": forged}, "type": "a/stranger"})
        assert reply.status == status
        *_, of_fault, of_request = log()
        assert of_fault["exception_name"] == type(fault).__name__
        assert "in fail" in of_fault["exception"]
        assert of_request["status"] == status
        assert "stranger" not in json.dumps([of_fault, of_request])

    def test_knows_a_request_by_what_api_gateway_calls_it(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        """The client may choose requestId, and so what is found when somebody looks for a request."""
        event = sample_event("upload")
        event["requestContext"] |= {"requestId": "a stranger's", "extendedRequestId": "CAbCdEFgHiJkLmN="}
        invoke("upload", event)
        (line,) = log()
        assert line["request_id"] == "CAbCdEFgHiJkLmN="
        assert "stranger" not in json.dumps(line)

    def test_stays_within_600_bytes_a_request(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        call("upload", {"name": "a.txt"})
        (line,) = log()
        assert len(json.dumps(line, separators=(",", ":"))) <= 600
