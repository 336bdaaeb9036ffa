"""The clients of AWS: what they do without at every call, and that AWS sees no difference."""

import hmac
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ParamValidationError
from botocore.session import Session
from botocore.useragent import UserAgentString
from botocore.validate import ParamValidator

from filestore.storage import aws

CALLS: dict[str, Callable[[Any], object]] = {
    "dynamodb": lambda client: client.put_item(TableName="files", Item={"id": {"S": "0"}}),
    "s3": lambda client: client.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "0"}]}),
}


# Every call that a function makes of AWS.
EVERY_CALL: dict[str, tuple[str, Callable[[Any], object]]] = {
    "PutItem": ("dynamodb", CALLS["dynamodb"]),
    "BatchGetItem": (
        "dynamodb",
        lambda client: client.batch_get_item(
            RequestItems={"files": {"Keys": [{"id": {"S": "0"}}], "ConsistentRead": True}}
        ),
    ),
    "BatchExecuteStatement": (
        "dynamodb",
        lambda client: client.batch_execute_statement(
            Statements=[{"Statement": 'UPDATE "files" SET "a"=? WHERE "id"=?', "Parameters": [{"N": "1"}, {"S": "ü"}]}]
        ),
    ),
    "Query": (
        "dynamodb",
        lambda client: client.query(
            TableName="files", KeyConditionExpression="a = :a", ExpressionAttributeValues={":a": {"S": "0"}}
        ),
    ),
    "DeleteObjects": ("s3", CALLS["s3"]),
    "ListObjectVersions": ("s3", lambda client: client.list_object_versions(Bucket="files", Prefix="0 ü")),
    "HeadObject": ("s3", lambda client: client.head_object(Bucket="files", Key="0", VersionId="a+b/c=")),
}

ANSWERS = {"dynamodb": b"{}", "s3": b"<DeleteResult/>"}


def requests(
    client: Any,
    service: str,
    times: int = 1,
    statuses: Sequence[int] = (),
    call: Callable[[Any], object] | None = None,
) -> list[AWSRequest]:
    """What goes out to AWS, which answers with these statuses in turn, and then with 200."""
    sent: list[AWSRequest] = []

    def send(request: AWSRequest, **_: object) -> AWSResponse:
        sent.append(request)
        body: Any = SimpleNamespace(stream=lambda: [ANSWERS[service]])
        status = statuses[len(sent) - 1] if len(sent) <= len(statuses) else 200
        return AWSResponse(str(request.url), status, HTTPHeaders(), body)

    client.meta.events.register_first("before-send", send)
    try:
        for _ in range(times):
            (call or CALLS[service])(client)
    finally:
        client.meta.events.unregister("before-send", send)
    return sent


@pytest.fixture(autouse=True)
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Made anew, so that each test sees the first call of one; other tests get none of these."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    _forget_clients()
    yield
    _forget_clients()


def _forget_clients() -> None:
    for make in (aws.session, aws.dynamodb, aws.s3):
        make.cache_clear()


def made(service: str) -> Any:
    """The functions' client."""
    return getattr(aws, service)()


@pytest.mark.parametrize("service", CALLS)
class TestTheUserAgent:
    def test_is_what_the_sdk_says_of_itself(self, service: str) -> None:
        """AWS reads features in it, and operators read it in CloudTrail."""
        sdk = Session().create_client(service, config=Config(retries={"mode": "standard", "total_max_attempts": 3}))
        (theirs,) = (_in_order(request.headers["User-Agent"]) for request in requests(sdk, service))
        ours = [_in_order(request.headers["User-Agent"]) for request in requests(made(service), service, 3)]
        assert ours == [theirs] * 3
        assert "exec-env/AWS_Lambda_python3.13" in theirs

    def test_is_put_together_once(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is a fifth of the CPU of a call, and the SDK asks for it twice."""
        client = made(service)
        requests(client, service)
        monkeypatch.setattr(UserAgentString, "to_string", _refuse)
        assert len(requests(client, service, 3)) == 3


@pytest.mark.parametrize("service", CALLS)
class TestTheSignature:
    def test_is_the_sdks(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        client = made(service)
        sent = requests(client, service, 2)
        assert [_authorization(each) for each in sent] == [
            _signed_by_the_sdk(each, client, monkeypatch) for each in sent
        ]

    def test_is_made_anew_for_each_attempt(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The time is signed, and what is older than minutes AWS refuses."""
        monkeypatch.setattr(time, "sleep", lambda _: None)
        client = made(service)
        sent = requests(client, service, statuses=[500, 503, 200])
        assert [_text(each.headers["amz-sdk-request"]) for each in sent] == [
            "attempt=1",
            "attempt=2; max=3",
            "attempt=3; max=3",
        ]
        assert [_authorization(each) for each in sent] == [
            _signed_by_the_sdk(each, client, monkeypatch) for each in sent
        ]

    def test_is_of_the_credentials_of_the_moment(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Those of a role end, and the SDK brings others."""
        client = made(service)
        requests(client, service)
        credentials: Any = aws.session().get_credentials()
        credentials.access_key, credentials.secret_key, credentials.token = "AKIDSECOND", "another", "second"
        (sent,) = requests(client, service)
        assert "Credential=AKIDSECOND/" in _authorization(sent)
        assert _text(sent.headers["X-Amz-Security-Token"]) == "second"
        assert _authorization(sent) == _signed_by_the_sdk(sent, client, monkeypatch)

    def test_has_a_key_that_is_made_once_a_day(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        digests: list[str] = []

        def digest(key: bytes, message: bytes, algorithm: str) -> bytes:
            digests.append(algorithm)
            return hmac.digest(key, message, algorithm)

        monkeypatch.setattr(aws, "hmac", SimpleNamespace(digest=digest))
        client = made(service)
        credentials: Any = aws.session().get_credentials()
        credentials.secret_key = f"of this test with {service}"
        counts = []
        for moment in ("2026-01-01T00:00:00Z", "2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z"):
            _at(moment, monkeypatch)
            requests(client, service)
            counts.append(len(digests))
        assert counts == [5, 6, 11]

    def test_lower_cases_each_header_once(self, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The SDK goes through the headers before the signature and after it."""
        client = made(service)
        requests(client, service)
        monkeypatch.setattr(auth.SigV4Auth, "headers_to_sign", _refuse)
        assert len(requests(client, service)) == 1


@pytest.mark.parametrize("endpoint", ["", "http://127.0.0.1:4566", "https://Proxy.example:8443/a/path"])
@pytest.mark.parametrize("name", EVERY_CALL)
def test_a_call_is_what_the_sdk_would_send(name: str, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    service, call = EVERY_CALL[name]
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
    (theirs,) = requests(Session().create_client(service, config=config), service, call=call)
    ours = requests(made(service), service, 2, call=call)
    for each in ours:
        assert (each.method, each.url, each.body) == (theirs.method, theirs.url, theirs.body)
        assert _of_the_call(each) == _of_the_call(theirs)
        assert _authorization(each) == _signed_by_the_sdk(each, made(service), monkeypatch)


def test_the_host_is_looked_for_once_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses of objects differ, their host does not."""
    client = made("s3")
    asked: list[str] = []

    def host(url: str) -> str:
        asked.append(url)
        return "files.s3.eu-central-1.amazonaws.com"

    monkeypatch.setattr(aws, "_host_from_url", host)
    for key in ("a", "b", "c"):
        requests(client, "s3", call=lambda client, key=key: client.head_object(Bucket="files", Key=key))  # type: ignore[misc]
    assert len(asked) <= 1


def test_a_header_that_comes_twice_is_signed_as_the_sdk_does(monkeypatch: pytest.MonkeyPatch) -> None:
    _at("2026-01-01T00:00:00Z", monkeypatch)
    signatures = []
    signers: Any = (_SDKS["dynamodb"], auth.AUTH_TYPE_MAPS["v4"])
    for signer in signers:
        request = AWSRequest("POST", "https://Example.com:443/", {"X-Twice": " a  b ", "User-Agent": "x"}, b"{}")
        request.headers["x-twice"] = "c"
        signer(Credentials("AKIDEXAMPLE", "secret"), "dynamodb", "eu-central-1").add_auth(request)
        signatures.append(request.headers["Authorization"])
    assert "SignedHeaders=host;x-amz-date;x-twice, " in signatures[0]
    assert signatures[0] == signatures[1]


# The SDK adds these once it has signed.
_ADDED = ("Authorization", "amz-sdk-invocation-id", "amz-sdk-request", "Content-Length")
_SDKS: dict[str, type[auth.SigV4Auth]] = {"dynamodb": auth.SigV4Auth, "s3": auth.S3SigV4Auth}


def _at(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "get_current_datetime", lambda: datetime.fromisoformat(moment))


def _signed_by_the_sdk(sent: AWSRequest, client: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the SDK's own signer makes of the same request at the same second."""
    headers = {name: _text(value) for name, value in sent.headers.items() if name not in _ADDED}
    _at(headers["X-Amz-Date"], monkeypatch)
    request = AWSRequest(sent.method, sent.url, headers, sent.body)
    request.context["client_config"] = client.meta.config
    service = client.meta.service_model.service_name
    credentials: Any = aws.session().get_credentials()
    _SDKS[service](credentials, service, "eu-central-1").add_auth(request)
    return str(request.headers["Authorization"])


def _authorization(sent: AWSRequest) -> str:
    return _text(sent.headers["Authorization"])


def _of_the_call(sent: AWSRequest) -> dict[str, str]:
    """Its headers, but for those that are of the moment; the features in its user agent in order."""
    moment = ("Authorization", "X-Amz-Date", "amz-sdk-invocation-id", "amz-sdk-request", "User-Agent")
    return {name: _text(value) for name, value in sent.headers.items() if name not in moment} | {
        "User-Agent": " ".join(_in_order(sent.headers["User-Agent"]))
    }


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


class TestParameters:
    def test_for_dynamodb_are_not_looked_at(self, monkeypatch: pytest.MonkeyPatch) -> None:
        client = made("dynamodb")
        monkeypatch.setattr(ParamValidator, "validate", _refuse)
        assert len(requests(client, "dynamodb")) == 1

    def test_for_dynamodb_are_looked_at_by_the_tests(self) -> None:
        """Wherever they call it through the functions' client, as all that use moto or the emulator do."""
        with pytest.raises(ParamValidationError, match="Invalid type for parameter Item"):
            made("dynamodb").put_item(TableName="files", Item={"id": "no attribute"})

    @pytest.mark.parametrize("version", [None, 1])
    def test_for_s3_are_looked_at(self, version: object) -> None:
        """Without a version DeleteObjects hides an object instead of removing it."""
        with pytest.raises(ParamValidationError, match="VersionId"):
            made("s3").delete_objects(Bucket="files", Delete={"Objects": [{"Key": "0", "VersionId": version}]})


def _refuse(*_: object) -> NoReturn:
    raise AssertionError("this is what a call does without")


def _in_order(user_agent: str | bytes) -> list[str]:
    """Its words; the features are a set, so their order says nothing."""
    words = _text(user_agent).split()
    return [",".join(sorted(word.removeprefix("m/").split(","))) if word.startswith("m/") else word for word in words]
