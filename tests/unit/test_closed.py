"""POST /file where PublicUpload is False."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests import support
from tests.support import call, counted_calls, invoke, sample_event


def ask(identity: object) -> dict[str, Any]:
    event = sample_event("upload")
    event["requestContext"]["identity"] = identity
    answer: dict[str, Any] = invoke("upload", event)
    return answer


@pytest.mark.usefixtures("emulator_aws")
class TestClosed:
    @pytest.fixture(autouse=True)
    def closed(self, emulator_aws: None, configure: Callable[..., None]) -> None:
        del emulator_aws
        configure(PUBLIC_UPLOAD="False")

    @pytest.mark.parametrize("identity", [None, {}, {"apiKeyId": None}, {"apiKeyId": ""}, {"apiKey": "guessed"}])
    def test_nobody_gets_an_upload_for_whom_the_gateway_names_no_key(self, identity: object) -> None:
        """A stage that was not deployed anew asks for none, and must not be the way in."""
        with counted_calls() as calls:
            answer = ask(identity)
        assert answer["statusCode"] == 403
        assert json.loads(answer["body"]) == {"message": "An API key is needed.", "code": "forbidden"}
        assert calls == {}

    def test_nobody_does_where_the_gateway_says_nothing_of_the_call(self) -> None:
        event = sample_event("upload")
        event["requestContext"] = None
        assert invoke("upload", event)["statusCode"] == 403

    def test_a_back_end_does_and_its_page_can_take_it_back(self) -> None:
        """The page has no key, so what it does with URL and token stays open to it."""
        answer = ask({"apiKeyId": "a1b2c3"})
        assert answer["statusCode"] == 200
        upload = json.loads(answer["body"])
        undone = call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]})
        assert undone.status == 204


@pytest.mark.usefixtures("emulator_aws")
def test_an_upload_is_public_unless_it_is_closed() -> None:
    assert ask(None)["statusCode"] == 200


def test_a_new_value_deploys_the_api_anew() -> None:
    """Its text stays, for which alone SAM would: whether a method needs a key is decided when it is deployed."""

    def deployment(**parameters: str) -> set[str]:
        resources = support.translated(**parameters)
        return {name for name, each in resources.items() if each["Type"] == "AWS::ApiGateway::Deployment"}

    public, closed = deployment(PublicUpload="True"), deployment(PublicUpload="False")
    assert len(public) == len(closed) == 1
    assert public != closed
    assert deployment() == public


def test_the_name_that_mentions_it_is_never_given() -> None:
    name = support.translated()["UploadFunction"]["Properties"]["FunctionName"]
    no_value = {"Ref": "AWS::NoValue"}
    assert name == {
        "Fn::If": ["UploadIsPublic", no_value, {"Fn::If": ["UploadIsPublic", {"Ref": "PublicUpload"}, no_value]}]
    }
