"""POST /file with an Idempotency-Key."""

import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from filestore.domain.file import hash_token
from filestore.domain.idempotency import RequestKey
from filestore.storage import aws
from tests import hygiene
from tests.support import Clock, Reply, call, counted_calls, get, invoke, put, sample_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

KEY = "6f1c5a0e-7c1b-4b5e-9a57-3f8b8f0c2d11"
BODY = {"name": "report.pdf", "size": 8, "meta": {"b": "2", "a": "1"}}

Record = Callable[[str], dict[str, Any] | None]


def ask(body: object = BODY, key: str = KEY) -> Reply:
    reply = call("upload", body, headers={"Idempotency-Key": key})
    if reply.status == 200 and "token" in reply.body:
        hygiene.tokens.add(reply.body["token"])
    return reply


def refused(reply: Reply) -> str:
    assert (reply.status, reply.body["code"]) == (409, "idempotency_key_reused")
    return str(reply.body["message"])


class TestTheSameRequest:
    def test_begins_the_same_upload(self, record_count: Callable[[], int], clock: Clock) -> None:
        first = ask().body
        clock.advance(60)
        second = ask().body
        same = ("id", "token", "expires_at", "headers", "method")
        assert {name: second[name] for name in same} == {name: first[name] for name in same}
        assert record_count() == 1

    def test_gets_a_url_that_works_and_ends_with_the_first(self, clock: Clock) -> None:
        """The sweep counts from the end of the first, so another must not outlive it."""
        ask()
        clock.advance(600)
        again = ask().body
        assert parse_qs(urlsplit(again["url"]).query)["X-Amz-Expires"] == ["3000"]
        put(again["url"], b"contents", again["headers"])
        assert call("store", [again["id"]]).body == [again["id"]]
        (details,) = call("info", [again["id"]]).body
        assert get(details["url"]) == b"contents"

    def test_is_the_same_in_another_order(self) -> None:
        """What JSON says is the same whatever wrote it."""
        reordered = {"meta": {"a": "1", "b": "2"}, "size": 8, "name": "report.pdf"}
        assert ask(reordered).body["id"] == ask().body["id"]

    def test_with_a_name_alone_gets_an_id_and_a_url_and_nothing_else(self) -> None:
        first, second = (ask({"name": "a"}).body for _ in range(2))
        assert first.keys() == second.keys() == {"id", "url"}
        assert first["id"] == second["id"]

    def test_gets_the_same_while_the_file_is_stored(self) -> None:
        first = ask().body
        put(first["url"], b"contents", first["headers"])
        call("store", [first["id"]])
        assert ask().body["token"] == first["token"]

    def test_gives_a_token_that_undoes(self) -> None:
        ask()
        again = ask().body
        assert call("undo", file_id=again["id"], headers={"x-upload-token": again["token"]}).status == 204

    def test_sent_at_once_begins_one_upload(self, record_count: Callable[[], int]) -> None:
        event = sample_event("upload") | {"body": '{"name": "a"}'}
        event["headers"] |= {"Idempotency-Key": KEY}
        invoke("upload", event)
        answers: list[Mapping[str, Any]] = []
        threads = [threading.Thread(target=lambda: answers.append(invoke("upload", event))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {answer["statusCode"] for answer in answers} == {200}
        assert len({answer["body"].split('"')[3] for answer in answers}) == 1
        assert record_count() == 1

    def test_in_parts_begins_the_same_upload(self) -> None:
        body = {"name": "a", "size": 20 * 1024 * 1024, "multipart": True}
        assert ask(body).body == ask(body).body

    @pytest.mark.parametrize(("first", "then"), [("104857600", "1"), ("1", "104857600")])
    def test_has_the_same_upload_when_others_come_in_parts_by_now(
        self, configure: Callable[..., None], first: str, then: str
    ) -> None:
        """Between the two calls the stack was given another MultipartThreshold."""
        configure(MULTIPART_THRESHOLD=first)
        begun = ask().body
        configure(MULTIPART_THRESHOLD=then)
        again = ask().body
        assert again.keys() == begun.keys()
        assert {key: again[key] for key in begun if key != "url"} == {key: begun[key] for key in begun if key != "url"}


class TestAnother:
    @pytest.mark.parametrize(
        "body", [{"name": "report.pdf"}, BODY | {"size": 9}, BODY | {"name": "b"}, BODY | {"meta": {}}]
    )
    def test_body_is_refused(self, body: object, record_count: Callable[[], int]) -> None:
        ask()
        assert "another body" in refused(ask(body))
        assert record_count() == 1

    def test_key_begins_another_upload(self) -> None:
        assert ask().body["id"] != ask(key=KEY.upper()).body["id"]

    def test_request_without_one_begins_another_upload(self) -> None:
        assert ask().body["id"] != call("upload", BODY).body["id"]


class TestIsOver:
    """To repeat it must neither begin a second upload nor hand out a URL of the dead."""

    def test_once_its_url_has_expired(self, clock: Clock) -> None:
        ask()
        clock.advance(3600)
        assert "is over" in refused(ask())

    def test_once_it_was_taken_back(self) -> None:
        first = ask().body
        call("undo", file_id=first["id"], headers={"x-upload-token": first["token"]})
        assert "is over" in refused(ask())


class TestGuessing:
    """Anybody may ask: whoever has key and body has the token, and could bring other contents."""

    @pytest.mark.parametrize("key", ["", "1", "x" * 19, "x" * 256, "é" * 20, "x" * 20 + "\x00", "x" * 20 + "\n"])
    def test_a_key_that_can_be_guessed_or_is_none_is_refused(self, key: str) -> None:
        with counted_calls() as calls:
            reply = ask(key=key)
        assert (reply.status, reply.body["code"]) == (400, "invalid_request")
        assert reply.body["message"] == "An Idempotency-Key has 20 to 255 printable ASCII characters."
        assert calls == {}

    @pytest.mark.parametrize("key", ["x" * 20, "x" * 255])
    def test_any_other_is_taken(self, key: str) -> None:
        assert ask(key=key).status == 200

    def test_keys_of_back_ends_are_their_own_however_short(self, configure: Callable[..., None]) -> None:
        configure(PUBLIC_UPLOAD="False")

        def ask_with(key_id: str, key: str) -> str:
            event = sample_event("upload") | {"body": '{"name": "a"}'}
            event["headers"] |= {"Idempotency-Key": key}
            event["requestContext"]["identity"] = {"apiKeyId": key_id}
            answer = invoke("upload", event)
            assert answer["statusCode"] == 200
            return str(answer["body"].split('"')[3])

        assert ask_with("a1", "1") == ask_with("a1", "1")
        assert ask_with("a1", "1") != ask_with("b2", "1")

    def test_the_record_does_not_tell_the_token(self, record: Record) -> None:
        """It takes the key, which is nowhere; and a salt, so that nobody can reckon it without the record."""
        body = ask().body
        item = record(body["id"])
        assert item
        assert body["token"] not in str(item)
        assert KEY not in str(item)
        assert len(item["token_salt"]) == 32
        assert hash_token(RequestKey("", KEY, "{}").token(item["token_salt"])) != item["token_hash"]

    def test_an_id_without_a_key_never_meets_one_with(self) -> None:
        taken = RequestKey("", KEY, "").file_id
        assert call("upload", BODY).body["id"] != taken
        assert ask().body["id"] == taken


class TestCalls:
    def test_are_one_write_and_no_more(self) -> None:
        for _ in range(2):
            with counted_calls() as calls:
                ask()
            assert calls == {"PutItem": 1}

    def test_are_as_before_without_a_key(self) -> None:
        with counted_calls() as calls:
            call("upload", BODY)
        assert calls == {"PutItem": 1}

    def test_whose_refusal_brings_no_record_are_to_be_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ask()
        client = aws.dynamodb()
        original = client.put_item
        monkeypatch.setattr(
            client,
            "put_item",
            lambda **parameters: original(**parameters | {"ReturnValuesOnConditionCheckFailure": "NONE"}),
        )
        reply = ask()
        assert (reply.status, reply.body["code"]) == (503, "try_again")
