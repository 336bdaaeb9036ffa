"""Which requests to the emulator change what is to be kept."""

from typing import Any

import pytest

from local.changes import Request

READS = {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "DescribeTable"}
WRITES = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "BatchExecuteStatement"}


def request(method: str, path: str, service: str = "", *, target: str = "", query: str = "") -> Request:
    credential = f"Credential=test/20261125/us-east-1/{service}/aws4_request"
    headers: list[tuple[bytes, bytes]] = [(b"x-amz-target", target.encode())] if target else []
    if service and not query:
        headers.append((b"authorization", f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0".encode()))
    if service and query:
        query += f"&X-Amz-{credential.replace('/', '%2F')}"
    scope: dict[str, Any] = {"method": method, "path": path, "query_string": query.encode(), "headers": headers}
    return Request(scope)


def kind(asked: Request, body: bytes = b"") -> str:
    if asked.is_upload:
        return "upload"
    if not asked.may_change:
        return "nothing"
    if asked.is_write:
        return "write"
    return "nothing" if asked.is_question(body) else "change"


class TestKind:
    @pytest.mark.parametrize("operation", sorted(READS | WRITES | {"CreateTable", "UpdateTimeToLive"}))
    def test_of_dynamodb_is_told_by_the_operation(self, operation: str) -> None:
        wanted = "nothing" if operation in READS else "write" if operation in WRITES else "change"
        assert kind(request("POST", "/", "dynamodb", target=f"DynamoDB_20120810.{operation}")) == wanted

    @pytest.mark.parametrize(
        ("method", "path", "query", "wanted"),
        [
            ("PUT", "/bucket/key", "", "upload"),
            ("PUT", "/bucket/key", "x-id=PutObject", "upload"),
            ("POST", "/bucket/key", "uploadId=1", "upload"),
            ("PUT", "/bucket/key", "tagging=", "change"),
            ("GET", "/bucket/key", "versionId=1", "nothing"),
            ("DELETE", "/bucket/key", "versionId=1", "nothing"),
            ("POST", "/bucket", "delete=", "nothing"),
            ("PUT", "/bucket", "policy=", "change"),
            ("PUT", "/bucket", "", "change"),
        ],
    )
    def test_of_s3_is_told_by_what_it_is_about(self, method: str, path: str, query: str, wanted: str) -> None:
        assert kind(request(method, path, "s3", query=query)) == wanted

    def test_of_a_query_is_told_by_its_action(self) -> None:
        assert kind(request("POST", "/", "iam"), b"Action=ListRoles&Version=2010-05-08") == "nothing"
        assert kind(request("POST", "/", "iam"), b"Action=CreateRole&Version=2010-05-08") == "change"

    def test_of_what_is_fleeting_or_unsigned_is_nothing(self) -> None:
        assert kind(request("POST", "/", "logs", target="Logs_20140328.PutLogEvents")) == "nothing"
        assert kind(request("POST", "/restapis/a/dev/_user_request_/file")) == "nothing"
        assert kind(request("POST", "/2015-03-31/functions/sweep/invocations", "lambda")) == "nothing"
        assert kind(request("POST", "/apikeys", "apigateway")) == "change"
