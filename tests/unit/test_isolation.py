"""KeyIsolation: the key that stores a file owns it, and to every other key there is no such file."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.support import SWAGGER, UNKNOWN_ID, Reply, call, counted_calls, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

MINE, THEIRS = "key1111111", "key2222222"

Ask = Callable[[str], Reply]


def _batch(operation: str, **query: str) -> Ask:
    return lambda file_id: call(operation, [file_id], query=query, key_id=MINE)


def _one(operation: str, **query: str) -> Ask:
    return lambda file_id: call(operation, file_id=file_id, query=query, key_id=MINE)


def _list(**query: str) -> Ask:
    return lambda _: call("list", query=query, key_id=MINE)


ROUTES: Mapping[str, Ask] = {
    "PUT /files": _batch("store"),
    "PUT /files?problems": _batch("store", problems="yes"),
    "POST /files": _batch("info"),
    "POST /files?problems": _batch("info", problems="yes"),
    "POST /files with all flags": _batch("info", deleted="yes", nonstored="yes", problems="yes"),
    "GET /files": _list(),
    "GET /files?deleted": _list(deleted="yes"),
    "GET /files/{id}": _one("show"),
    "GET /files/{id} with all flags": _one("show", deleted="yes", nonstored="yes"),
    "GET /files/{id}/content": _one("content"),
    "GET /files/{id}/content?disposition": _one("content", disposition="inline"),
    "PATCH /files/{id}": lambda file_id: call("update", {"name": "b"}, file_id=file_id, key_id=MINE),
    "DELETE /files": _batch("delete"),
    "DELETE /files?problems": _batch("delete", problems="yes"),
}
ONES = {name: ask for name, ask in ROUTES.items() if not name.startswith("GET /files?") and name != "GET /files"}


class Seen(NamedTuple):
    """All that a caller can tell of an answer, the file's id and what is signed anew left out, and the calls of AWS."""

    status: int
    body: str
    headers: Mapping[str, str]
    calls: Mapping[str, int]


def seen(route: str, file_id: str) -> Seen:
    with counted_calls() as calls:
        reply = ROUTES[route](file_id)
    headers = {name: "…" if name == "Location" else value for name, value in reply.headers.items()}
    return Seen(reply.status, json.dumps(reply.body).replace(file_id, "ID"), headers, dict(calls))


def stored_by(key_id: str) -> str:
    upload = call("upload", {"name": "a.txt", "type": "text/plain"}).body
    put(upload["url"], b"contents", upload["headers"])
    assert call("store", [upload["id"]], key_id=key_id).body == [upload["id"]]
    return str(upload["id"])


def deleted_by(key_id: str) -> str:
    file_id = stored_by(key_id)
    assert call("delete", [file_id], key_id=key_id).body == [file_id]
    return file_id


@pytest.fixture
def isolated(emulator_aws: None, configure: Callable[..., None]) -> None:
    del emulator_aws
    configure(KEY_ISOLATION="True")


@pytest.fixture
def strangers(emulator_aws: None, configure: Callable[..., None]) -> dict[str, str]:
    """Files that are none of one's business, by what they are. Those of before had no owner."""
    del emulator_aws
    configure(KEY_ISOLATION="False")
    before = {"unowned": stored_by(MINE), "unowned, deleted": deleted_by(MINE)}
    configure(KEY_ISOLATION="True")
    return before | {"foreign": stored_by(THEIRS), "foreign, deleted": deleted_by(THEIRS)}


@pytest.mark.parametrize("route", ROUTES)
class TestToAnotherKey:
    def test_a_file_is_as_one_that_there_never_was_and_ones_own_is_there(
        self, route: str, strangers: dict[str, str], record: Callable[[str], dict[str, Any] | None]
    ) -> None:
        """The same answer and the same calls of AWS, so nothing tells them apart; and nothing is done to it."""
        before = {file_id: record(file_id) for file_id in strangers.values()}
        unknown = seen(route, UNKNOWN_ID)
        assert unknown.status in (200, 404)
        assert {what: seen(route, file_id) for what, file_id in strangers.items()} == dict.fromkeys(strangers, unknown)
        assert {file_id: record(file_id) for file_id in strangers.values()} == before
        own = stored_by(MINE)
        reply = ROUTES[route](own)
        assert reply.status in (200, 302)
        said = json.dumps(reply.body) + reply.headers.get("Location", "")
        assert own in said
        assert not [file_id for file_id in strangers.values() if file_id in said]

    def test_where_keys_share_all_files_it_is_as_ones_own(self, route: str, configure: Callable[..., None]) -> None:
        configure(KEY_ISOLATION="False")
        mine, theirs = stored_by(MINE), stored_by(THEIRS)
        if route in ONES:
            first, second = seen(route, mine), seen(route, theirs)
            assert (first.status, first.headers, first.calls) == (second.status, second.headers, second.calls)
            assert first.body.count("ID") == second.body.count("ID")
        else:
            assert {file["id"] for file in ROUTES[route]("").body["files"]} == {mine, theirs}


# The others are of uploads, which are nobody's.
OF_FILES = {
    spec["operationId"]
    for path, item in SWAGGER["paths"].items()
    for spec in item.values()
    if path.startswith("/files") and "operationId" in spec
}


@pytest.mark.usefixtures("isolated")
@pytest.mark.parametrize("identity", [None, {}, {"apiKeyId": None}, {"apiKeyId": ""}, {"apiKeyId": 1}], ids=str)
def test_who_is_not_told_by_the_gateway_is_refused_and_never_taken_for_everybody(identity: object) -> None:
    for operation in OF_FILES:
        event = sample_event(operation)
        event["requestContext"]["identity"] = identity
        with counted_calls() as calls:
            answer = invoke(operation, event)
        assert (answer["statusCode"], json.loads(answer["body"])["code"], calls) == (403, "forbidden", {})


@pytest.mark.usefixtures("isolated")
class TestOwnership:
    def test_begins_with_the_store_and_is_in_the_details(self) -> None:
        file_id = stored_by(MINE)
        (details,) = call("info", [file_id], key_id=MINE).body
        assert details["owner"] == MINE
        (listed,) = call("list", key_id=MINE).body["files"]
        assert listed["owner"] == MINE

    def test_nobody_has_what_is_not_stored(self, uploaded: dict[str, Any]) -> None:
        """Browsers ask for uploads, without a key: whose form it was is known to the back end that gets the id."""
        pending = call("upload", {"name": "a"}).body["id"]
        ids = [uploaded["id"], pending]
        for key_id in (MINE, THEIRS):
            found = call("info", ids, query={"nonstored": "yes"}, key_id=key_id).body
            assert [file["id"] for file in found] == ids
            assert not [file for file in found if "owner" in file]
            renamed = call("update", {"name": key_id}, file_id=uploaded["id"], key_id=key_id).body
            assert (renamed["name"], "owner" in renamed) == (key_id, False)
        assert call("delete", [pending], key_id=THEIRS).body == [pending]
        (gone,) = call("info", [pending], query={"deleted": "yes"}, key_id=MINE).body
        assert "owner" not in gone

    def test_the_first_that_stores_has_it(self, uploaded: dict[str, Any]) -> None:
        file_id = uploaded["id"]
        assert call("store", [file_id], key_id=MINE).body == [file_id]
        assert call("store", [file_id], key_id=THEIRS).body == []
        assert call("store", [file_id], key_id=MINE).body == [file_id]

    def test_an_upload_whose_event_was_not_seen_becomes_its_as_well(self, record: Callable[[str], Any]) -> None:
        file_id = stored_by(MINE)
        item = record(file_id)
        assert item["owner"] == MINE
        assert item["list_shard"] == f"{MINE}#{file_id[0]}"

    def test_the_list_shows_nobody_elses_and_its_cursors_are_no_one_elses(self) -> None:
        mine, theirs = [stored_by(MINE) for _ in range(2)], stored_by(THEIRS)
        page = call("list", query={"limit": "1"}, key_id=MINE).body
        stranger = call("list", query={"limit": "1", "cursor": page["next"]}, key_id=THEIRS)
        assert (stranger.status, stranger.body["code"]) == (400, "invalid_cursor")
        rest = call("list", query={"limit": "1", "cursor": page["next"]}, key_id=MINE).body
        assert sorted(file["id"] for file in page["files"] + rest["files"]) == sorted(mine)
        assert [file["id"] for file in call("list", key_id=THEIRS).body["files"]] == [theirs]

    def test_an_uploader_may_take_back_what_nobody_has_stored(self, uploaded: dict[str, Any]) -> None:
        token = {"x-upload-token": uploaded["token"]}
        assert call("undo", file_id=uploaded["id"], headers=token).status == 204

    def test_the_sweep_and_the_events_are_everybodys(self, record: Callable[[str], Any]) -> None:
        file_id = deleted_by(MINE)
        told = {"key": file_id, "versionId": "v", "size": 1, "eTag": "e"}
        assert invoke("uploaded", upload_event(told)) == {"batchItemFailures": []}
        assert record(file_id)["owner"] == MINE

    def test_of_a_batch_only_ones_own_are_done(self) -> None:
        mine, theirs = stored_by(MINE), stored_by(THEIRS)
        body = call("delete", [theirs, mine], query={"problems": "yes"}, key_id=MINE).body
        assert body["result"] == [mine]
        assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {theirs: "unknown"}
        assert [file["id"] for file in call("info", [theirs], key_id=THEIRS).body] == [theirs]


def test_where_keys_share_all_files_none_has_an_owner(record: Callable[[str], Any]) -> None:
    """Releases that know of no owners read these records, and nothing is written that nobody asked for."""
    file_id = stored_by(MINE)
    assert "owner" not in record(file_id)
    assert record(file_id)["list_shard"] == file_id[0]
    assert "owner" not in call("info", [file_id]).body[0]
    statements = aws.dynamodb().meta.events
    sent: list[str] = []
    statements.register("before-call", lambda params, **_: sent.append(str(params["body"])))
    call("delete", [file_id])
    assert sent
    assert not [body for body in sent if "owner" in body]
    assert wiring.settings().key_isolation is False
