"""What a caller gets, to the last header, also where AWS or we ourselves fail."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from filestore import api
from filestore.domain import clock as times
from filestore.domain.disposition import attachment
from filestore.domain.outcome import Throttled
from filestore.errors import NoAnswerError, StorageError
from filestore.storage.repository import FileRepository
from tests.support import UNKNOWN_ID, call, invoke, sample_event

Log = Callable[[], list[dict[str, Any]]]

pytestmark = pytest.mark.usefixtures("moto_aws")


class TestHeaders:
    def test_are_these_where_every_page_may_call(self) -> None:
        assert call("info", ["no id"], headers={"Origin": "https://a.example"}).headers == {
            "Cache-Control": "no-store",
            "Content-Type": "application/json",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": "Retry-After",
        }

    def test_are_these_where_some_pages_may(self, configure: Callable[..., None]) -> None:
        configure(ALLOWED_ORIGINS="https://a.example")
        assert call("info", ["no id"], headers={"Origin": "https://a.example"}).headers == {
            "Cache-Control": "no-store",
            "Content-Type": "application/json",
            "Access-Control-Allow-Origin": "https://a.example",
            "Access-Control-Expose-Headers": "Retry-After",
            "Vary": "Origin",
        }
        assert call("info", ["no id"], headers={"Origin": "https://b.example"}).headers == {
            "Cache-Control": "no-store",
            "Content-Type": "application/json",
            "Vary": "Origin",
        }

    @pytest.mark.parametrize("name", ["origin", "Origin", "ORIGIN"])
    def test_are_read_whatever_their_case(self, configure: Callable[..., None], name: str) -> None:
        configure(ALLOWED_ORIGINS="https://a.example")
        event = sample_event("info") | {"headers": {"Host": "x", name: "https://b.example"}}
        assert invoke("info", event)["statusCode"] == 403

    @pytest.mark.parametrize("operation", ["upload", "undo", "store", "info", "delete"])
    def test_and_all_else_may_be_missing(self, operation: str) -> None:
        """API Gateway says null where there is none."""
        nothing = dict.fromkeys(["headers", "pathParameters", "queryStringParameters", "body", "requestContext"])
        answer = invoke(operation, sample_event(operation) | nothing)
        assert answer["statusCode"] == (403 if operation == "undo" else 400)
        assert invoke(operation, {})["statusCode"] == answer["statusCode"]

    def test_no_id_is_the_id_of_no_file(self) -> None:
        answer = invoke("undo", sample_event("undo") | {"pathParameters": None})
        assert answer["statusCode"] == 404

    def test_an_answer_is_as_lambda_takes_it(self) -> None:
        answer = invoke("info", sample_event("info") | {"body": '["no id"]'})
        assert answer == {
            "statusCode": 200,
            "headers": answer["headers"],
            "body": "[]",
            "isBase64Encoded": False,
        }


class TestReasons:
    def test_say_where_in_the_body_it_is(self) -> None:
        assert call("info", ["a", "", 7]).body["message"].startswith("/1: A file id ")
        assert "; /2: A file id " in call("info", ["a", "", 7]).body["message"]
        assert call("info", {}).body["message"].startswith("body: An array ")
        for body in ("", "{", "{}", "7", " " * 262145):
            assert [error["path"] for error in call("info", raw=body).body["errors"]] == [""]
        assert [error["path"] for error in call("info").body["errors"]] == [""]

    @pytest.mark.parametrize("operation", ["upload", "info"])
    @pytest.mark.parametrize("body", ["{", "[NaN]", '{"name": "a", "size": NaN}', '{"size": -Infinity}', "[" * 100_000])
    def test_say_that_a_body_is_not_json(self, operation: str, body: str) -> None:
        reply = call(operation, raw=body)
        assert "not JSON" in reply.body["message"]
        assert [error["path"] for error in reply.body["errors"]] == [""]

    def test_say_that_a_body_is_not_base64_though_some_of_it_is(self) -> None:
        body = base64.b64encode(b'["a"]').decode()
        assert invoke("info", sample_event("info") | {"body": body, "isBase64Encoded": True})["statusCode"] == 200
        broken = sample_event("info") | {"body": f"*{body}", "isBase64Encoded": True}
        assert invoke("info", broken)["statusCode"] == 400

    @pytest.mark.parametrize(
        ("operation", "body"),
        [
            ("info", ["", 7, "x" * 129]),
            ("info", {}),
            ("info", None),
            ("upload", []),
            ("upload", {}),
            ("upload", {"name": 7, "size": -1, "type": "", "checksum": 7, "meta": 7, "more": 7}),
            ("upload", {"name": "\n", "checksum": {"algorithm": "x", "value": "x"}, "meta": {"": "x", "k": 7}}),
            ("upload", {"name": "", "type": "application/x-www-form-urlencoded"}),
            ("upload", {"name": "a", "checksum": {"algorithm": "CRC32", "value": "x"}}),
            ("upload", {"name": "a", "meta": {str(number): "é" * 512 for number in range(20)}}),
        ],
    )
    def test_are_sentences(self, operation: str, body: Any) -> None:
        errors = call(operation, body).body["errors"]
        assert errors
        assert all(error["message"][0].isupper() and error["message"][-1] == "." for error in errors)

    @pytest.mark.parametrize("operation", ["store", "info", "delete"])
    def test_of_a_flag_name_it(self, operation: str) -> None:
        for value in ("maybe", "", "y", "on", "yes ", "2"):
            reply = call(operation, ["no id"], query={"problems": value})
            assert (reply.status, reply.body["code"]) == (400, "invalid_request")
            assert "problems" in reply.body["message"]
        for value in ("no", "FALSE", "0"):
            assert call(operation, ["no id"], query={"problems": value}).body == []
        for value in ("YES", "True", "1"):
            assert call(operation, ["no id"], query={"problems": value}).body["result"] == []
        assert call(operation, ["no id"], query={"problems": "yes"}).body == {
            "result": [],
            "problems": {"no id": {"code": "unknown", "message": "There is no such file."}},
        }


class TestWhereAwsFails:
    def failing(self, monkeypatch: pytest.MonkeyPatch, error: Exception) -> Any:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr("botocore.client.BaseClient._make_api_call", fail)
        return call("upload", {"name": "a"})

    @pytest.mark.parametrize(
        "error",
        [EndpointConnectionError(endpoint_url="https://aws"), ReadTimeoutError(endpoint_url="https://aws")],
        ids=["no connection", "no answer"],
    )
    def test_to_answer_the_caller_may_try_again(
        self, monkeypatch: pytest.MonkeyPatch, log: Log, error: Exception
    ) -> None:
        reply = self.failing(monkeypatch, error)
        assert (reply.status, reply.body["code"], reply.headers["Retry-After"]) == (503, "try_again", "1")
        warning, line = log()
        assert (warning["level"], line["status"], line["code"]) == ("WARNING", 503, "try_again")
        assert type(error).__name__ in warning["exception"]
        assert warning["message"]
        assert "RequestsRejected" not in line

    def test_for_now_the_caller_may_try_again_and_nothing_is_wrong(
        self, monkeypatch: pytest.MonkeyPatch, log: Log
    ) -> None:
        error = ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, "PutItem")
        reply = self.failing(monkeypatch, error)
        assert (reply.status, reply.body["code"], reply.headers["Retry-After"]) == (503, "try_again", "1")
        assert reply.body["message"]
        assert [line["level"] for line in log()] == ["INFO"]

    @pytest.mark.parametrize(
        "error",
        [ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "PutItem"), ZeroDivisionError("secret")],
        ids=["AWS refuses", "a fault of ours"],
    )
    def test_for_good_it_is_a_500_that_the_log_explains(
        self, monkeypatch: pytest.MonkeyPatch, log: Log, error: Exception
    ) -> None:
        reply = self.failing(monkeypatch, error)
        assert (reply.status, reply.body["code"]) == (500, "internal_error")
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        assert "Retry-After" not in reply.headers
        failure, line = log()
        assert (failure["level"], line["status"], line["code"]) == ("ERROR", 500, "internal_error")
        assert type(error).__name__ == failure["exception_name"]
        assert "secret" not in str(failure)
        assert failure["message"]
        assert "RequestsRejected" not in line

    @pytest.mark.parametrize(
        "error",
        [NoAnswerError("Nobody answered."), StorageError("AccessDenied", "no right")],
        ids=lambda error: type(error).__name__,
    )
    def test_the_log_names_what_has_no_cause_too(
        self, monkeypatch: pytest.MonkeyPatch, log: Log, error: Exception
    ) -> None:
        self.failing(monkeypatch, error)
        assert log()[0]["exception_name"] == type(error).__name__

    def test_for_now_an_undo_may_be_tried_again_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(FileRepository, "undo", lambda *_, **__: Throttled())
        reply = call("undo", file_id=UNKNOWN_ID, headers={"x-upload-token": "x"})
        assert (reply.status, reply.body["code"], reply.headers["Retry-After"]) == (503, "try_again", "1")

    def test_a_refusal_has_no_time_to_wait(self) -> None:
        assert "Retry-After" not in call("info", {}).headers


class TestTimes:
    def test_are_written_in_utc_with_three_digits_and_read_again(self) -> None:
        for seconds, text in [
            (0.0, "1970-01-01T00:00:00.000Z"),
            (1.5, "1970-01-01T00:00:01.500Z"),
            (1795612345.678, "2026-11-25T13:12:25.678Z"),
        ]:
            assert times.timestamp(seconds) == text
            assert times.seconds(text) == seconds


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("\x1f !", "_ !"),
        ("}~\x7f\x80", "}~__"),
        ('"\\%', "___"),
        ("é", "e"),
        ("ß", "_"),
        ("XYZ xyz 019", "XYZ xyz 019"),
        # One letter for one letter: what stands for several is never spelled out.
        ("ﬁ", "_"),
    ],
)
def test_the_plain_name_of_a_download_is_printable_ascii(name: str, plain: str) -> None:
    assert attachment(name).startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")


def test_the_exact_name_keeps_what_rfc_8187_lets_stand() -> None:
    kept = "!#$&+-.^_`|~azAZ09"
    assert attachment(kept).endswith(f"filename*=UTF-8''{kept}")
    assert attachment("*'%()<>@,;:\"[]?={} x").endswith(
        "filename*=UTF-8''%2A%27%25%28%29%3C%3E%40%2C%3B%3A%22%5B%5D%3F%3D%7B%7D%20x"
    )


def test_an_undo_without_a_token_says_which_header_is_needed() -> None:
    reply = call("undo", file_id=UNKNOWN_ID, headers={"x-upload-token": ""})
    assert reply.status == 403
    assert "x-upload-token" in reply.body["message"]


def test_of_a_result_as_much_fits_as_leaves_a_quarter_of_a_megabyte() -> None:
    """It is for a hundred problems and the headers. Of a text Lambda counts four quotes, two of them escaped."""
    room = 6_291_556 - 256 * 1024 - len('"",""') - 1
    assert api.fitting(["x" * room]) == 1
    assert api.fitting(["x" * (room + 1)]) == 0
