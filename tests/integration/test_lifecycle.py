"""The life of a file on the deployed stack, over HTTP."""

import hashlib
import random
import re
import shutil
import subprocess
from urllib.parse import unquote

import pytest
import requests

from tests.stack import Stack, eventually
from tests.support import UNKNOWN_ID


def test_the_whole_story(stack: Stack) -> None:
    upload = stack.post_file({"name": "report.pdf"}).json()
    assert upload.keys() == {"id", "url"}
    assert requests.put(upload["url"], data=b"%PDF", timeout=60).status_code == 200

    details = stack.seen(upload["id"])
    assert details["size"] == 4
    assert "stored_at" not in details
    assert "url" not in details
    assert stack.files("POST", [upload["id"]]).json() == []

    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]
    (stored,) = stack.files("POST", [upload["id"]]).json()
    assert "stored_at" in stored
    download = requests.get(stored["url"], timeout=60)
    assert download.content == b"%PDF"
    assert download.headers["Content-Type"] == "application/pdf"

    assert stack.files("DELETE", [upload["id"]]).json() == [upload["id"]]
    assert requests.get(stored["url"], timeout=60).status_code == 404
    assert stack.files("POST", [upload["id"]]).json() == []
    (deleted,) = stack.files("POST", [upload["id"]], "?deleted=yes").json()
    assert "deleted_at" in deleted
    assert stack.versions(upload["id"]) == []


def test_a_hundred_megabytes_go_up_and_come_back_the_same(stack: Stack) -> None:
    contents = random.Random(1).randbytes(100 * 1024 * 1024)
    upload = stack.store(contents, name="big.bin", size=len(contents), type="application/octet-stream")
    assert hashlib.sha256(stack.download(upload["id"])).digest() == hashlib.sha256(contents).digest()
    assert stack.files("DELETE", [upload["id"]]).json() == [upload["id"]]


@pytest.mark.parametrize("name", ['Überblick "final".pdf', "日本語.txt", "100%.pdf", "a'b (1);c=d.txt", "👩‍👩‍👧.png"])
def test_names_come_back_as_they_were(stack: Stack, name: str) -> None:
    upload = stack.store(name=name)
    details = stack.details(upload["id"])
    assert details
    assert details["name"] == name
    disposition = requests.get(details["url"], timeout=60).headers["Content-Disposition"]
    assert unquote(disposition.split("filename*=UTF-8''")[1]) == name


def test_a_part_of_a_download_can_be_asked_for(stack: Stack) -> None:
    url = (stack.details(stack.store(b"0123456789")["id"]) or {})["url"]

    def part(wanted: str) -> tuple[int, bytes]:
        reply = requests.get(url, headers={"Range": wanted}, timeout=60)
        return reply.status_code, reply.content

    assert part("bytes=2-4") == (206, b"234")
    assert part("bytes=7-") == (206, b"789")
    assert part("bytes=-3") == (206, b"789")
    assert part("bytes=5-999") == (206, b"56789")
    assert part("bytes=10-")[0] == 416


class TestWhatWasDeclared:
    def test_s3_takes_nothing_else(self, stack: Stack) -> None:
        digest = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="  # SHA-256 of abc
        upload = stack.post_file(
            {
                "name": "a",
                "size": 3,
                "type": "text/plain",
                "checksum": {"algorithm": "SHA256", "value": digest},
                "meta": {"form": "7"},
            }
        ).json()

        def put(contents: bytes, **headers: str) -> int:
            return requests.put(
                upload["url"], data=contents, headers={**upload["headers"], **headers}, timeout=60
            ).status_code

        assert put(b"abcd") == 403
        assert put(b"abc", **{"Content-Type": "text/html"}) == 403
        assert put(b"xyz") == 400
        assert stack.versions(upload["id"]) == []
        assert put(b"abc") == 200
        details = stack.seen(upload["id"])
        assert details["meta"] == {"form": "7"}
        assert details["checksum"] == {"algorithm": "SHA256", "value": digest, "verified": "declared"}

    def test_an_upload_url_is_for_uploading_that_file_only(self, stack: Stack) -> None:
        upload = stack.upload()
        assert requests.get(upload["url"], timeout=60).status_code == 403
        assert requests.delete(upload["url"], timeout=60).status_code == 403
        other = upload["url"].replace(upload["id"], UNKNOWN_ID)
        assert requests.put(other, data=b"x", timeout=60).status_code == 403
        bare = upload["url"].split("?")[0]
        assert requests.get(bare, timeout=60).status_code == 403
        assert requests.put(bare, data=b"x", timeout=60).status_code == 403

    def test_a_forged_signature_opens_nothing(self, stack: Stack) -> None:
        url = stack.post_file({"name": "a"}).json()["url"]
        start, signature = url.split("X-Amz-Signature=")
        forged = f"{start}X-Amz-Signature={signature[::-1]}"
        assert requests.put(forged, data=b"x", timeout=60).status_code == 403


class TestStore:
    def test_straight_after_the_upload(self, stack: Stack) -> None:
        """Twenty in a row, so that some are stored before S3's event is seen."""
        for _ in range(20):
            stack.store()

    def test_makes_the_contents_final(self, stack: Stack) -> None:
        upload = stack.store(b"good")
        assert requests.put(upload["url"], data=b"evil", timeout=60).status_code == 200
        assert stack.download(upload["id"]) == b"good"
        eventually(lambda: len(stack.versions(upload["id"])) == 1)
        assert stack.download(upload["id"]) == b"good"

    def test_answers_a_mixed_batch_in_order(self, stack: Stack) -> None:
        first, second = stack.upload(), stack.upload()
        ids = [second["id"], UNKNOWN_ID, first["id"], "no id"]
        body = stack.files("PUT", ids, "?problems=yes").json()
        assert body["result"] == [second["id"], first["id"]]
        assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
            UNKNOWN_ID: "unknown",
            "no id": "unknown",
        }


def test_unknown_ids_create_no_record(stack: Stack) -> None:
    for method in ("PUT", "POST", "DELETE"):
        assert stack.files(method, [UNKNOWN_ID]).json() == []
    assert stack.undo(UNKNOWN_ID, "x").status_code == 404
    assert stack.record(UNKNOWN_ID) is None


class TestShow:
    def test_describes_one_file_as_several_are_described(self, stack: Stack) -> None:
        file_id = stack.store(b"contents")["id"]
        reply = stack.show(file_id)
        assert reply.status_code == 200
        details = reply.json()
        assert requests.get(details.pop("url"), timeout=60).content == b"contents"
        (described,) = stack.files("POST", [file_id]).json()
        assert details == {name: value for name, value in described.items() if name != "url"}

        stack.files("DELETE", [file_id])
        for refused in (stack.show(file_id), stack.show(UNKNOWN_ID), stack.show("no%20id")):
            assert (refused.status_code, refused.json()["code"]) == (404, "unknown")
        assert "deleted_at" in stack.show(file_id, "?deleted=yes").json()

    def test_needs_a_key_and_takes_no_flag_but_yes_or_no(self, stack: Stack) -> None:
        keyless = stack.show(UNKNOWN_ID, headers={})
        assert (keyless.status_code, keyless.json()["code"]) == (403, "forbidden")
        mistyped = stack.show(UNKNOWN_ID, "?deleted=maybe")
        assert (mistyped.status_code, mistyped.json()["code"]) == (400, "invalid_request")


class TestContent:
    def test_curl_follows_it(self, stack: Stack) -> None:
        url = f"{stack.outputs['ApiRootUrl']}/files/{stack.store(b'0123456789')['id']}/content"

        def curl(*options: str) -> bytes:
            key = f"x-api-key: {stack.outputs['ApiKey']}"
            command = [shutil.which("curl") or "curl", "-fsSL", "-H", key, *options, url]
            return subprocess.run(command, capture_output=True, check=True, timeout=60).stdout

        assert curl() == b"0123456789"
        assert curl("-r", "2-4") == b"234"
        headers = curl("-I").decode().split("\r\n\r\n")[1]
        assert "HTTP/1.1 200" in headers
        assert re.search(r"^content-length: 10$", headers.replace("\r", ""), re.IGNORECASE | re.MULTILINE)

    def test_is_refused_with_its_reason(self, stack: Stack) -> None:
        file_id = stack.upload()["id"]
        pending = stack.content(file_id)
        assert (pending.status_code, pending.json()["code"]) == (409, "not_stored")
        assert stack.content(file_id, method="HEAD").status_code == 409
        unknown = stack.content(UNKNOWN_ID)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown")
        keyless = stack.content(file_id, headers={})
        assert (keyless.status_code, keyless.json()["code"]) == (403, "forbidden")
        assert stack.content(file_id, method="HEAD", headers={}).status_code == 403


def test_another_name_is_that_of_the_downloads(stack: Stack) -> None:
    file_id = stack.store()["id"]
    reply = stack.update(file_id, {"name": "ä.txt", "meta": {"form": "7"}})
    assert (reply.status_code, reply.json()["name"], reply.json()["meta"]) == (200, "ä.txt", {"form": "7"})
    assert stack.content(file_id).headers["Content-Disposition"].endswith("filename*=UTF-8''%C3%A4.txt")
    wrong: tuple[object, ...] = ([], {"name": ""})
    for body in wrong:
        refused = stack.update(file_id, body)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_body")
    keyless = stack.update(file_id, {"name": "a"}, headers={})
    assert (keyless.status_code, keyless.json()["code"]) == (403, "forbidden")
    stack.files("DELETE", [file_id])
    deleted = stack.update(file_id, {"name": "a"})
    assert (deleted.status_code, deleted.json()["code"]) == (409, "deleted")


class TestList:
    def test_lists_what_is_stored_page_by_page(self, stack: Stack) -> None:
        ids = [stack.store(b"contents")["id"] for _ in range(3)]
        reply = stack.page(limit="2")
        assert [file["id"] for file in reply.json()["files"]] == [ids[2], ids[1]]
        next_page = stack.page(limit="2", cursor=reply.json()["next"])
        (third, *_) = next_page.json()["files"]
        assert third["id"] == ids[0]
        assert requests.get(third["url"], timeout=60).content == b"contents"
        stack.files("DELETE", [ids[1]])
        assert ids[1] not in stack.listed()
        assert stack.listed(order="asc", deleted="yes")[-3:] == ids

    def test_needs_a_key_and_a_cursor_of_its_own(self, stack: Stack) -> None:
        keyless = stack.page(headers={})
        assert (keyless.status_code, keyless.json()["code"]) == (403, "forbidden")
        stranger = stack.page(cursor="x")
        assert (stranger.status_code, stranger.json()["code"]) == (400, "invalid_cursor")
        too_many = stack.page(limit="1001")
        assert (too_many.status_code, too_many.json()["code"]) == (400, "invalid_request")


class TestUndo:
    def test_removes_the_upload(self, stack: Stack) -> None:
        upload = stack.upload(size=8)
        assert stack.undo(upload["id"], upload["token"]).status_code == 204
        assert stack.undo(upload["id"], upload["token"]).status_code == 204
        assert stack.versions(upload["id"]) == []
        assert stack.files("PUT", [upload["id"]]).json() == []

    def test_is_refused_after_the_store(self, stack: Stack) -> None:
        upload = stack.store(size=8)
        reply = stack.undo(upload["id"], upload["token"])
        assert (reply.status_code, reply.json()["code"]) == (409, "already_stored")
        assert stack.download(upload["id"]) == b"contents"

    def test_needs_the_token(self, stack: Stack) -> None:
        upload = stack.upload(size=8)
        assert stack.undo(upload["id"], "x").status_code == 403
        assert stack.versions(upload["id"])
