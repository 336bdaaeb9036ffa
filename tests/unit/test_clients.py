"""The clients of AWS: what they do without at every call, and that AWS sees no difference."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ParamValidationError
from botocore.session import Session
from botocore.useragent import UserAgentString
from botocore.validate import ParamValidator

from filestore.storage import aws

CALLS: dict[str, Callable[[Any], object]] = {
    "dynamodb": lambda client: client.put_item(TableName="files", Item={"id": {"S": "0"}}),
    "s3": lambda client: client.delete_objects(Bucket="files", Delete={"Objects": [{"Key": "0"}]}),
}


ANSWERS = {"dynamodb": b"{}", "s3": b"<DeleteResult/>"}


def requests(client: Any, service: str, times: int = 1) -> list[AWSRequest]:
    """What goes out to AWS, which says 200."""
    sent: list[AWSRequest] = []

    def send(request: AWSRequest, **_: object) -> AWSResponse:
        sent.append(request)
        body: Any = SimpleNamespace(stream=lambda: [ANSWERS[service]])
        return AWSResponse(str(request.url), 200, HTTPHeaders(), body)

    client.meta.events.register_first("before-send", send)
    try:
        for _ in range(times):
            CALLS[service](client)
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
    text = user_agent.decode() if isinstance(user_agent, bytes) else user_agent
    return [",".join(sorted(word.split(","))) if word.startswith("m/") else word for word in text.split()]
