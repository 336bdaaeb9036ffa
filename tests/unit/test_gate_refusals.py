"""What the gate refuses: whatever is not named in it."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest

from local.gate import Gate
from tests.gated import API, BUCKETS, CODE, FETCH, KEYS, OBJECT, PORT, ROOT, SIGNATURE, scope, signed

COMMANDS = [
    ("PUT", CODE, "", signed("000000000000")),
    ("PUT", CODE, "", signed("test")),
    ("PUT", CODE, "", signed("")),
    ("PUT", CODE, "", {}),
    ("PUT", CODE, {"X-Amz-Credential": "test/20261125/us-east-1/lambda/aws4_request"}, {}),
    ("PUT", CODE, {"x-amz-credential": "000000000000/20261125/us-east-1/lambda/aws4_request"}, {}),
    ("PUT", CODE, {"x-amz-credential": "000000000000/20261125/us-east-1/s3/aws4_request"}, {}),
    ("GET", "/", {"Action": "ListRoles", "Version": "2010-05-08", "AWSAccessKeyId": "test"}, {}),
    ("POST", "/", "", {"Content-Type": "application/x-www-form-urlencoded"} | signed("000000000000")),
    ("POST", "/", "", {"X-Amz-Target": "DynamoDB_20120810.Scan"} | signed("000000000000")),
    ("GET", "/", "", {"Authorization": "AWS test:signature"}),
    ("PUT", "/a-bucket", "", signed("000000000000")),
    ("GET", "/filestore-4df925dd", {"versions": ""}, signed("test")),
    ("GET", "/restapis/4e05efcf/stages", "", signed("test")),
    ("POST", "/_ministack/reset", "", {}),
    ("POST", "/_ministack/config", "", {}),
    ("GET", "/_ministack/lambda-code/UploadFunction", "", {}),
    ("GET", "/_aws/sqs/messages", "", {}),
    ("POST", "/_aws/lambda-url/abc/", "", {}),
    ("POST", "/_aws/execute-api/4e05efcf/dev/files", "", {}),
    ("GET", "/_alb/balancer/", "", {}),
    ("GET", "/_localstack/health", "", {}),
    ("GET", "/oauth2/authorize", "", {}),
    ("POST", "/v2/email/outbound-emails", "", {}),
    ("GET", "/v20180820/accesspoint", "", {}),
    ("POST", "/Execute", "", {}),
    ("GET", "/iceberg/v1/config", "", {}),
]
NO_KEYS = [
    "00000000000\N{ARABIC-INDIC DIGIT ZERO}".encode(),
    "\N{FULLWIDTH DIGIT ZERO}".encode() * 12,
    "\N{DEVANAGARI DIGIT ONE}".encode() * 12,
    "\N{MATHEMATICAL BOLD DIGIT ZERO}".encode() * 12,
    b"000000000000\0",
    b"000000000000\n",
    b"000000000000",
    b"test",
    b"test\xa0",
    b"\xb2" * 12,
    b"\xff\xfe",
    b"ASIA0123456789ABCDE",
    b"ASIA0123456789ABCDEF\xa0",
    b"ASIA0123456789ABCDEF\0",
    b"ASIA0123456789ABCDEF0",
    "ASIA012345678\N{FULLWIDTH DIGIT NINE}ABCDEF".encode(),
    b"ABIA0123456789ABCDEF",
    b"asia0123456789abcdef",
    b"AKIABOGUS00000000000",
]


@pytest.fixture
def gate() -> Gate:
    return Gate(PORT, ROOT, BUCKETS.__contains__, KEYS.__contains__)


class TestNobody:
    @pytest.mark.parametrize(("method", "path", "query", "headers"), COMMANDS)
    def test_commands_the_emulator_with_what_everybody_knows(
        self, gate: Gate, method: str, path: str, query: Any, headers: dict[str, str]
    ) -> None:
        """Not even a program: a page in a browser so old that it adds nothing looks the same."""
        assert not gate.admits(scope(method, path, query, headers))

    @pytest.mark.parametrize("key", NO_KEYS)
    def test_commands_the_emulator_with_what_only_looks_like_a_key(self, gate: Gate, key: bytes) -> None:
        """The emulator takes twelve digits of any script for root, and decodes UTF-8 where others see 8-bit text."""
        request = scope("PUT", CODE)
        credential = b"AWS4-HMAC-SHA256 Credential=" + key + b"/20261125/us-east-1/lambda/aws4_request, Signature=0"
        assert not gate.admits(request | {"headers": [*request["headers"], (b"authorization", credential)]})
        for name in (b"X-Amz-Credential=", b"x-amz-credential=", b"AWSAccessKeyId="):
            for value in (key, quote(key).encode()):
                assert not gate.admits(
                    request | {"query_string": name + value + b"/20261125/us-east-1/s3/aws4_request"}
                )

    @pytest.mark.parametrize("octets", [b"\xd9\xa0", b"\xff", b"\xc3\xa4", b"\x80"])
    def test_sends_what_two_readers_read_differently(self, gate: Gate, octets: bytes) -> None:
        for request in (
            scope("GET", f"{API}/file"),
            scope("GET", OBJECT, SIGNATURE),
            scope("PUT", CODE, "", signed(ROOT)),
        ):
            assert gate.admits(request)
            assert gate.admits(request | {"headers": [*request["headers"], (b"accept", b"a")]})
            assert not gate.admits(request | {"headers": [*request["headers"], (b"accept", octets)]})
            assert not gate.admits(request | {"raw_path": request["raw_path"] + octets})
            assert not gate.admits(request | {"query_string": request["query_string"] + b"&versionId=" + octets})

    def test_is_kept_out_by_the_cookies_of_others(self, gate: Gate) -> None:
        """Cookies know no ports: those of any other site on this machine come along."""
        request = scope("GET", OBJECT, SIGNATURE, {"Cookie": "name=J\N{LATIN SMALL LETTER U WITH DIAERESIS}rgen"})
        assert gate.admits(request)

    @pytest.mark.parametrize("bucket", ["nothing", "a", "aa", "a" * 64, "a" * 300])
    @pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
    def test_reaches_a_bucket_that_is_not_there(self, method: str, bucket: str) -> None:
        gate = Gate(PORT, ROOT, lambda bucket: not 3 <= len(bucket) <= 63 or bucket in BUCKETS, KEYS.__contains__)
        path = f"/{bucket}/0123456789abcdef0123456789abcdef"
        assert not gate.admits(scope(method, path, SIGNATURE, FETCH))
        assert not gate.admits(scope("OPTIONS", path, SIGNATURE, FETCH | {"Access-Control-Request-Method": method}))

    @pytest.mark.parametrize("escape", ["%00", "%0a", "%1f", "%7f"])
    def test_names_a_control_character(self, gate: Gate, escape: str) -> None:
        for key in ("ASIA0123456789ABCDEF", ROOT):
            assert gate.admits(scope("PUT", "/published/x", "", signed(key)))
            assert not gate.admits(scope("PUT", f"/a{escape}b/x", "", signed(key)))
            assert not gate.admits(scope("PUT", f"/published/{escape}", "", signed(key)))

    @pytest.mark.parametrize("target", ["AWSCognitoIdentityService.GetId", "DynamoDB_20120810.Scan", ""])
    def test_names_an_operation_without_a_key(self, gate: Gate, target: str) -> None:
        """It would be that operation, whatever the path says."""
        for request in (
            scope("GET", "/published/index.html", "", {"X-Amz-Target": target}),
            scope("GET", f"{API}/file", "", {"X-Amz-Target": target}),
            scope("GET", OBJECT, SIGNATURE, FETCH | {"X-Amz-Target": target}),
        ):
            assert not gate.admits(request)

    @pytest.mark.parametrize(
        "name", ["X-Amz-Request-Route", "Content-Type", "Content-Length", "Transfer-Encoding", "Authorization"]
    )
    def test_adds_anything_to_a_public_read(self, gate: Gate, name: str) -> None:
        assert not gate.admits(scope("GET", "/published/index.html", "", {name: "0"}))

    @pytest.mark.parametrize(
        "change",
        [
            {"X-Amz-Credential": "test/20261125/us-east-1/s3/aws4_request"},
            {"X-Amz-Credential": "000000000000/20261125/us-east-1/s3/aws4_request"},
            {"X-Amz-Credential": f"{ROOT}/20261125/us-east-1/s3/aws4_request"},
            {"X-Amz-Credential": "AKIA0123456789ABCDEF/20261125/us-east-1/s3/aws4_request"},
            {"X-Amz-Credential": "ASIA0123456789ABCDEF/20261125/us-east-1/lambda/aws4_request"},
            {"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"},
            {"X-Amz-Signature": ""},
            {"X-Amz-Security-Token": ""},
            {"X-Amz-SignedHeaders": ""},
            {"x-amz-credential": "000000000000/20261125/us-east-1/s3/aws4_request"},
            {"X-AMZ-CREDENTIAL": "000000000000/20261125/us-east-1/s3/aws4_request"},
            {"Action": "CreateUser"},
            {"AWSAccessKeyId": "test"},
            {"acl": ""},
            {"delete": ""},
        ],
    )
    def test_reaches_an_object_from_a_page_with_other_credentials(self, gate: Gate, change: dict[str, str]) -> None:
        assert not gate.admits(scope("GET", OBJECT, SIGNATURE | change, FETCH))

    @pytest.mark.parametrize("name", SIGNATURE)
    def test_reaches_an_object_from_a_page_without_a_whole_signature(self, gate: Gate, name: str) -> None:
        rest = {other: value for other, value in SIGNATURE.items() if other != name}
        assert not gate.admits(scope("GET", OBJECT, rest, FETCH))
        twice = f"{urlencode(SIGNATURE)}&{name}={SIGNATURE[name]}"
        assert not gate.admits(scope("GET", OBJECT, twice, FETCH))

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("DELETE", OBJECT),
            ("POST", OBJECT),
            ("PATCH", OBJECT),
            ("GET", "/filestore-4df925dd"),
            ("GET", "/filestore-4df925dd/"),
            ("GET", "/filestore-deployments/template"),
            ("GET", f"/{OBJECT}"),
            ("GET", f"{OBJECT}/"),
            ("GET", OBJECT.replace("/0", "/%30")),
            ("GET", OBJECT.replace("/0", "%2f0")),
            ("GET", f"http://127.0.0.1:4566{OBJECT}"),
            ("GET", OBJECT.upper()),
        ],
    )
    def test_reaches_anything_else_from_a_page_with_that_signature(self, gate: Gate, method: str, path: str) -> None:
        assert not gate.admits(scope(method, path, SIGNATURE, FETCH))

    @pytest.mark.parametrize(
        "path",
        [
            "/restapis/4e05efcf/dev/_user_request",
            "/restapis/4e05efcf/resources/x",
            "/restapis/4e05efcf/dev/_user_request_x",
            "/restapis/../restapis/4e05efcf/dev/_user_request_/",
            "/restapis/4e05efcf%2fdev%2f_user_request_/file",
            "//restapis/4e05efcf/dev/_user_request_/file",
            "/%72estapis/4e05efcf/dev/_user_request_/file",
        ],
    )
    def test_reaches_an_api_from_a_page_by_a_path_that_is_not_its_own(self, gate: Gate, path: str) -> None:
        assert not gate.admits(scope("POST", path, "", FETCH))

    def test_reaches_an_api_in_the_name_of_an_account(self, gate: Gate) -> None:
        assert not gate.admits(scope("POST", f"{API}/file", "", signed("000000000000")))
        assert not gate.admits(scope("POST", f"{API}/file", {"x-amz-credential": "000000000000/a/b/c/d"}, FETCH))
