"""KeyIsolation over HTTP: two keys at the routes for back ends, each with files of its own."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
import requests

from tests.stack import Stack
from tests.support import UNKNOWN_ID

Headers = Mapping[str, str]


class Route(NamedTuple):
    """``own`` and ``others`` are the statuses of one's own file, and of one that is not."""

    ask: Callable[[Stack, Headers, str], requests.Response]
    own: int
    others: int


def batch(method: str, query: str = "") -> Route:
    return Route(lambda stack, key, file_id: stack.files(method, [file_id], query, headers=key), 200, 200)


ROUTES: Mapping[str, Route] = {
    "PUT /files": batch("PUT"),
    "PUT /files?problems": batch("PUT", "?problems=yes"),
    "POST /files": batch("POST"),
    "POST /files with all flags": batch("POST", "?deleted=yes&nonstored=yes&problems=yes"),
    "GET /files/{id}": Route(lambda stack, key, file_id: stack.show(file_id, headers=key), 200, 404),
    "GET /files/{id} with all flags": Route(
        lambda stack, key, file_id: stack.show(file_id, "?deleted=yes&nonstored=yes", headers=key), 200, 404
    ),
    "GET /files/{id}/content": Route(
        lambda stack, key, file_id: stack.content(file_id, headers=key, allow_redirects=False), 302, 404
    ),
    "HEAD /files/{id}/content": Route(
        lambda stack, key, file_id: stack.content(file_id, method="HEAD", headers=key, allow_redirects=False), 302, 404
    ),
    "PATCH /files/{id}": Route(lambda stack, key, file_id: stack.update(file_id, {"name": "b"}, headers=key), 200, 404),
    "DELETE /files": batch("DELETE"),
    "DELETE /files?problems": batch("DELETE", "?problems=yes"),
}


def stored_by(stack: Stack, key: Headers) -> str:
    """A file that the back end with this key has asked for and stored."""
    upload = stack.post_file({"name": "a"}, headers=key).json()
    assert requests.put(upload["url"], data=b"contents", timeout=60).status_code == 200
    assert stack.files("PUT", [upload["id"]], headers=key).json() == [upload["id"]]
    return str(upload["id"])


@pytest.fixture(scope="module")
def strangers(closed_stack: Stack) -> dict[str, str]:
    """Another key's file, and one that was stored before keys had files of their own."""
    gateway = closed_stack.client("apigateway")
    other = gateway.create_api_key(name="other", enabled=True)
    plan = closed_stack.outputs["UsagePlanId"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=other["id"], keyType="API_KEY")
    files = {"foreign": stored_by(closed_stack, {"x-api-key": other["value"]})}
    files["unowned"] = stored_by(closed_stack, closed_stack.key)
    closed_stack.client("dynamodb").update_item(
        TableName=closed_stack.outputs["TableName"],
        Key={"id": {"S": files["unowned"]}},
        UpdateExpression="REMOVE #owner SET list_shard = :digit",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":digit": {"S": files["unowned"][0]}},
    )
    return files


@pytest.mark.parametrize("name", ROUTES)
def test_what_is_not_ones_own_is_as_what_there_never_was(
    closed_stack: Stack, strangers: dict[str, str], name: str
) -> None:
    ask, own, others = ROUTES[name]

    def seen(file_id: str) -> tuple[int, str]:
        reply = ask(closed_stack, closed_stack.key, file_id)
        return reply.status_code, reply.text.replace(file_id, "ID")

    before = {file_id: closed_stack.record(file_id) for file_id in strangers.values()}
    unknown = seen(UNKNOWN_ID)
    assert unknown[0] == others
    assert {what: seen(file_id) for what, file_id in strangers.items()} == dict.fromkeys(strangers, unknown)
    assert {file_id: closed_stack.record(file_id) for file_id in strangers.values()} == before
    mine = stored_by(closed_stack, closed_stack.key)
    assert ask(closed_stack, {}, mine).status_code == 403
    reply = ask(closed_stack, closed_stack.key, mine)
    assert reply.status_code == own
    assert mine in reply.text + reply.headers.get("Location", "")


def test_the_list_has_ones_own_alone(closed_stack: Stack, strangers: dict[str, str]) -> None:
    mine = stored_by(closed_stack, closed_stack.key)
    for deleted in ("no", "yes"):
        listed = closed_stack.listed(deleted=deleted)
        assert mine in listed
        assert not {*strangers.values()} & {*listed}
