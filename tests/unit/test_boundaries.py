"""Whatever has a limit is tried at the limit, and one beside it on either side."""

import base64
import itertools
import json
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from filestore.storage.bucket import Bucket
from filestore.storage.repository import FileRepository, Throttled
from tests.support import (
    UNKNOWN_ID,
    Clock,
    Context,
    call,
    counted_calls,
    get,
    invoke,
    put,
    sample_event,
    status_of,
    upload_event,
)

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]


def paths(extra: dict[str, Any]) -> list[str]:
    """What is wrong in a body with this in it."""
    reply = call("upload", {"name": "a.txt", **extra})
    assert reply.status in (200, 400)
    return [error["path"] for error in reply.body.get("errors", [])]


@pytest.mark.usefixtures("moto_aws")
class TestOrigins:
    @pytest.mark.parametrize(
        "origin",
        [
            "https://www.example.com.evil.example",
            "https://www.example.community",
            "https://www.example.co",
            "https://evil-www.example.com",
            "https://evil.www.example.com",
            "https://example.com",
            "http://www.example.com",
            "https://www.example.com:443",
            "https://www.example.com:8443",
            "https://shop.example",
            "https://shop.example:844",
            "https://shop.example:84430",
            "HTTPS://www.example.com",
            "https://WWW.example.com",
            "https://www.example.com/",
            "https://www.example.com, https://shop.example:8443",
            " https://www.example.com",
            "https://www.example.com@evil.example",
            "www.example.com",
            "https",
            "null",
            "*",
            "",
        ],
    )
    def test_that_look_alike_are_refused(
        self, configure: Callable[..., None], record_count: Callable[[], int], origin: str
    ) -> None:
        """A browser sends the origin letter by letter as the standard writes it: nothing else is the same."""
        configure(ALLOWED_ORIGINS="https://www.example.com, https://shop.example:8443")
        reply = call("upload", {"name": "a"}, headers={"Origin": origin})
        assert (reply.status, reply.body["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in reply.headers
        assert record_count() == 0

    @pytest.mark.parametrize("origin", ["https://www.example.com", "https://shop.example:8443"])
    def test_that_are_listed_are_served(self, configure: Callable[..., None], origin: str) -> None:
        configure(ALLOWED_ORIGINS="https://www.example.com, https://shop.example:8443")
        reply = call("upload", {"name": "a"}, headers={"Origin": origin})
        assert reply.status == 200
        assert reply.headers["Access-Control-Allow-Origin"] == origin

    def test_are_not_matched_by_a_star_within(self, configure: Callable[..., None]) -> None:
        configure(ALLOWED_ORIGINS="https://*.example.com")
        assert call("upload", {"name": "a"}, headers={"Origin": "https://www.example.com"}).status == 403


@pytest.mark.usefixtures("moto_aws")
class TestIds:
    @pytest.mark.parametrize(("length", "status"), [(1, 200), (127, 200), (128, 200), (129, 400), (256, 400)])
    def test_have_up_to_128_characters(self, length: int, status: int) -> None:
        assert call("info", ["x" * length]).status == status

    @pytest.mark.parametrize("count", [99, 100, 101])
    def test_that_are_wrong_are_told_a_hundred_at_a_time(self, count: int) -> None:
        errors = call("info", [""] * count).body["errors"]
        assert [error["path"] for error in errors] == [f"/{number}" for number in range(min(count, 100))]

    @pytest.mark.parametrize(("characters", "status"), [(262143, 200), (262144, 200), (262145, 400)])
    def test_come_in_a_body_of_up_to_262144_characters(self, characters: int, status: int) -> None:
        body = '["no id"]'
        assert call("info", raw=body + " " * (characters - len(body))).status == status

    @pytest.mark.parametrize("character", ["\x00", "\x1f", "\x7f", "\x80", "\x9f", "\u2028", "\u2029", "\ud800"])
    def test_have_no_control_characters_and_no_half_ones(self, character: str) -> None:
        assert call("info", [f"a{character}b"]).status == 400

    @pytest.mark.parametrize("character", [" ", "~", "\xa0", "\u2027", "\u202a", "\ud7ff", "\ue000", "😀"])
    def test_may_have_what_lies_beside_those(self, character: str) -> None:
        assert call("info", [f"a{character}b"]).body == []


@pytest.mark.usefixtures("moto_aws")
class TestSizes:
    @pytest.mark.parametrize(("size", "status"), [(0, 200), (1, 200), (9, 200), (10, 200), (11, 400), (2**70, 400)])
    def test_go_up_to_the_limit(self, configure: Callable[..., None], size: int, status: int) -> None:
        configure(MAX_FILE_SIZE="10")
        assert call("upload", {"name": "a", "size": size}).status == status

    @pytest.mark.parametrize("size", [0, 1])
    def test_are_signed_that_of_an_empty_file_too(self, size: int, record: Record) -> None:
        """Otherwise whoever declares nothing at all uploads 5 GiB."""
        upload = call("upload", {"name": "a", "size": size}).body
        assert parse_qs(urlsplit(upload["url"]).query)["X-Amz-SignedHeaders"] == ["content-length;host"]
        assert (record(upload["id"]) or {})["size"] == str(size)


@pytest.mark.usefixtures("engine_aws")
def test_a_size_of_zero_lets_nothing_but_an_empty_file_in() -> None:
    upload = call("upload", {"name": "a", "size": 0}).body
    assert status_of("PUT", upload["url"], b"x") == 403
    assert status_of("PUT", upload["url"], b"") == 200


@pytest.mark.usefixtures("moto_aws")
class TestWhatIsDeclared:
    @pytest.mark.parametrize(
        ("name", "wrong"),
        [
            ("x", []),
            ("x" * 254, []),
            ("x" * 255, []),
            ("x" * 256, ["/name"]),
            ("folder/" * 50 + "x" * 255, []),
            ("folder/" * 50 + "x" * 256, ["/name"]),
            ("...", []),
            (".a", []),
            ("a ", []),
        ],
    )
    def test_a_name_has_1_to_255_characters(self, name: str, wrong: list[str]) -> None:
        assert paths({"name": name}) == wrong

    @pytest.mark.parametrize(("algorithm", "octets"), [("SHA256", 32), ("CRC32", 4), ("CRC64NVME", 8)])
    @pytest.mark.parametrize("more", [-4, -1, 0, 1, 4])
    def test_a_checksum_is_as_long_as_its_algorithm_makes_it(self, algorithm: str, octets: int, more: int) -> None:
        """S3 would refuse the upload itself, long after the form has said that all is well."""
        digest = base64.b64encode(b"\xfb" * (octets + more)).decode()
        wrong = paths({"checksum": {"algorithm": algorithm, "value": digest}})
        assert wrong == ([] if more == 0 else ["/checksum/value"])

    @pytest.mark.parametrize(
        "digest", ["-_-_-w==", "+/+/+w", "+/+/+w=", "+/+/+w===", " +/+/+w==", "+/+/\n+w==", "", "é" * 8]
    )
    def test_a_checksum_is_in_base64_as_s3_takes_it(self, digest: str) -> None:
        assert paths({"checksum": {"algorithm": "CRC32", "value": "+/+/+w=="}}) == []
        assert paths({"checksum": {"algorithm": "CRC32", "value": digest}}) == ["/checksum/value"]

    @pytest.mark.parametrize(
        ("extra", "wrong"),
        [
            ({"checksum": {"algorithm": "SHA256", "value": None}}, ["/checksum/value"]),
            ({"checksum": {"algorithm": "sha256", "value": "x"}}, ["/checksum/algorithm"]),
            ({"checksum": {"algorithm": "CRC32", "value": "+/+/+w==", "more": 1}}, ["/checksum"]),
            ({"checksum": {}}, ["/checksum"]),
            ({"checksum": None}, ["/checksum"]),
        ],
    )
    def test_a_checksum_has_an_algorithm_and_a_value(self, extra: dict[str, Any], wrong: list[str]) -> None:
        assert paths(extra) == wrong

    @pytest.mark.parametrize(
        ("media_type", "wrong"),
        [
            ("a/b", []),
            ("a" * 127 + "/" + "b" * 127, []),
            ("a" * 128 + "/b", ["/type"]),
            ("a/" + "b" * 128, ["/type"]),
            ("/b", ["/type"]),
            ("a/", ["/type"]),
            ("a/b;c", []),
            ("a/b ; c", []),
            ("a/b  ;c", ["/type"]),
            ("a/b;" + "c" * 120, []),
            ("a/b;" + "c" * 121, ["/type"]),
            ("a/b;", ["/type"]),
            ("a/b;\x1f", ["/type"]),
            ("a/b;\x7f", ["/type"]),
            ("a/b; é", ["/type"]),
            ("a/b; ~", []),
            ("application/x-www-form-urlencoded", ["/type"]),
            ("application/x-www-form", []),
        ],
    )
    def test_a_type_is_one_that_a_header_can_hold(self, media_type: str, wrong: list[str]) -> None:
        assert paths({"type": media_type}) == wrong

    @pytest.mark.parametrize(
        ("meta", "wrong"),
        [
            ({}, []),
            ({"k": ""}, []),
            ({"k" * 64: "x"}, []),
            ({"k" * 65: "x"}, ["/meta"]),
            ({"k": "x" * 512}, []),
            ({"k": "x" * 513}, ["/meta/k"]),
            ({"k": "a\nb"}, []),
            ({"a\nb": "x"}, ["/meta"]),
            ({"a\ud800": "x"}, ["/meta"]),
            ({"k": None}, ["/meta/k"]),
            ({str(number): "x" for number in range(50)}, []),
            ({str(number): "x" for number in range(51)}, ["/meta"]),
            (None, ["/meta"]),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_meta_has_up_to_50_pairs_of_up_to_64_and_512_characters(self, meta: Any, wrong: list[str]) -> None:
        assert paths({"meta": meta}) == wrong

    @pytest.mark.parametrize(("octets", "wrong"), [(32767, []), (32768, []), (32769, ["/meta"])])
    def test_meta_has_up_to_32_kib_in_json(self, octets: int, wrong: list[str]) -> None:
        # Eleven values that are as long as may be, and one that brings it to this size.
        meta = {f"{number:02}": "é" * 512 for number in range(10)}
        meta |= {"10": "é" * 256, "11": "", "12": ""}
        rest = octets - len(json.dumps(meta))
        meta |= {"11": "x" * min(rest, 512), "12": "x" * max(rest - 512, 0)}
        assert len(json.dumps(meta)) == octets
        assert paths({"meta": meta}) == wrong

    @pytest.mark.parametrize("count", [19, 20, 21])
    def test_twenty_faults_are_told_at_once(self, count: int) -> None:
        assert paths({f"x{number}": 1 for number in range(count)}) == [
            f"/x{number}" for number in range(min(count, 20))
        ]


@pytest.mark.usefixtures("engine_aws")
class TestAFileOfExactlyMaxFileSize:
    """The limit is what is taken, not the first that is refused."""

    @pytest.fixture(autouse=True)
    def limit(self, engine_aws: None, configure: Callable[..., None]) -> None:
        del engine_aws
        configure(MAX_FILE_SIZE="8")

    @pytest.mark.parametrize("store_on_load", ["False", "True"])
    @pytest.mark.parametrize(("contents", "taken"), [(b"1234567", True), (b"12345678", True), (b"123456789", False)])
    def test_is_recorded(
        self, configure: Callable[..., None], record: Record, store_on_load: str, contents: bytes, taken: bool
    ) -> None:
        configure(STORE_ON_LOAD=store_on_load)
        upload = call("upload", {"name": "a"}).body
        invoke("uploaded", upload_event(put(upload["url"], contents)))
        item = record(upload["id"]) or {}
        assert ("uploaded_at" in item) is taken
        assert ("stored_at" in item) is (taken and store_on_load == "True")

    @pytest.mark.parametrize(("contents", "stored"), [(b"12345678", True), (b"123456789", False)])
    def test_is_stored_before_its_event_has_come(self, contents: bytes, stored: bool) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], contents)
        assert call("store", [upload["id"]]).body == ([upload["id"]] if stored else [])

    def test_is_stored_though_a_larger_one_came_first(self) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], b"123456789")
        put(upload["url"], b"12345678")
        assert call("store", [upload["id"]]).body == [upload["id"]]
        assert get(call("info", [upload["id"]]).body[0]["url"]) == b"12345678"

    @pytest.mark.parametrize(("contents", "adopted"), [(b"12345678", 1), (b"123456789", 0)])
    def test_is_adopted_where_its_event_was_lost(
        self, clock: Clock, versions: Versions, contents: bytes, adopted: int
    ) -> None:
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], contents)
        clock.advance(3660)
        assert invoke("sweep", sample_event("sweep"))["adopted"] == adopted
        assert len(versions()) == adopted


@pytest.mark.usefixtures("engine_aws")
class TestEventsOfS3:
    @pytest.mark.parametrize(
        ("size", "failed"), [(0, False), (-1, True), (2**63 - 1, False), (2**63, True), (1.0, True), ("1", True)]
    )
    def test_have_sizes_that_a_record_can_hold(
        self, configure: Callable[..., None], requested: dict[str, Any], size: Any, failed: bool
    ) -> None:
        configure(MAX_FILE_SIZE=str(2**63))
        event = upload_event({"key": requested["id"], "versionId": "v", "size": size, "eTag": "e"})
        assert bool(invoke("uploaded", event)["batchItemFailures"]) is failed

    def test_are_not_failures_where_they_are_empty(self) -> None:
        event = upload_event({})
        event["Records"][0]["body"] = '{"Records": []}'
        assert invoke("uploaded", event) == {"batchItemFailures": []}

    def test_fail_where_they_are_no_test_and_have_nothing(self) -> None:
        event = upload_event({})
        event["Records"][0]["body"] = '{"Event": "s3:Another"}'
        assert invoke("uploaded", event) == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}

    def test_of_several_objects_are_read_to_the_end(self, record: Record) -> None:
        uploads = [call("upload", {"name": "a"}).body for _ in range(3)]
        event = upload_event(*(put(upload["url"], b"x") for upload in uploads))
        notifications = [json.loads(message["body"]) for message in event["Records"]]
        notifications[0]["Records"] = [record for each in notifications for record in each["Records"]]
        event["Records"] = event["Records"][:1]
        event["Records"][0]["body"] = json.dumps(notifications[0])
        assert invoke("uploaded", event) == {"batchItemFailures": []}
        assert all("uploaded_at" in (record(upload["id"]) or {}) for upload in uploads)


@pytest.mark.usefixtures("engine_aws")
class TestTheSweep:
    def test_looks_at_deleted_files_until_a_minute_after_their_url_is_dead(
        self, stored: dict[str, Any], clock: Clock, record: Record
    ) -> None:
        """S3 checks the expiry when a request begins, and clocks differ: bytes may come after the last second."""
        call("delete", [stored["id"]])
        for seconds in (0, 3599, 1, 59):
            clock.advance(seconds)
            assert invoke("sweep", {})["deletions_finished"] == 0
        assert "sweep_at" in (record(stored["id"]) or {})
        clock.advance(1)
        assert invoke("sweep", {})["deletions_finished"] == 1
        assert "sweep_at" not in (record(stored["id"]) or {})

    def test_removes_what_was_uploaded_in_that_last_minute(
        self, stored: dict[str, Any], clock: Clock, versions: Versions
    ) -> None:
        call("delete", [stored["id"]])
        clock.advance(3659)
        invoke("sweep", {})
        put(stored["url"], b"CONTENTS", stored["headers"])
        clock.advance(1)
        assert invoke("sweep", {})["versions_removed"] == 1
        assert versions() == []

    def test_keeps_the_record_of_what_is_too_large_until_s3_has_deleted_it(
        self, configure: Callable[..., None], clock: Clock, record: Record, versions: Versions
    ) -> None:
        """TTL would drop the record, and with it the only trace of the bytes."""
        configure(MAX_FILE_SIZE="7")
        upload = call("upload", {"name": "a"}).body
        put(upload["url"], b"contents")
        clock.advance(3660)
        with pytest.MonkeyPatch.context() as refused:
            refused.setattr(Bucket, "delete", lambda _, found: {version.key for version in found})
            invoke("sweep", {})
        assert "purge_at" not in (record(upload["id"]) or {})
        assert len(versions()) == 1
        assert invoke("sweep", {})["versions_removed"] == 1
        assert versions() == []

    def test_looks_at_nothing_again_before_its_time(self, stored: dict[str, Any]) -> None:
        call("delete", [stored["id"]])
        invoke("sweep", {})
        with counted_calls() as calls:
            invoke("sweep", {})
        assert calls == {"Query": 16}

    def test_writes_once_for_an_upload_that_never_came(self, requested: dict[str, Any], clock: Clock) -> None:
        del requested
        clock.advance(3660)
        with counted_calls() as calls:
            assert invoke("sweep", {})["placeholders_removed"] == 1
        assert calls == {"Query": 16, "BatchGetItem": 1, "ListObjectVersions": 1, "BatchExecuteStatement": 1}

    @pytest.mark.parametrize(("lifetime", "expired"), [(7201, 0), (7200, 1), (7199, 1)])
    def test_ends_a_lifetime_to_the_second(
        self, configure: Callable[..., None], uploaded: dict[str, Any], clock: Clock, lifetime: int, expired: int
    ) -> None:
        del uploaded
        configure(UNSTORED_FILE_LIFETIME=str(lifetime))
        clock.advance(7200)
        assert invoke("sweep", {})["expired"] == expired

    @pytest.mark.parametrize(("lifetime", "moved"), [(3599, True), (3600, False), (3601, False)])
    def test_is_told_of_an_end_only_where_it_would_not_look_before(
        self, configure: Callable[..., None], record: Record, lifetime: int, moved: bool
    ) -> None:
        configure(UNSTORED_FILE_LIFETIME=str(lifetime))
        upload = call("upload", {"name": "a"}).body
        before = (record(upload["id"]) or {})["sweep_at"]
        invoke("uploaded", upload_event(put(upload["url"], b"x")))
        assert ((record(upload["id"]) or {})["sweep_at"] != before) is moved

    @pytest.mark.parametrize(("milliseconds", "finished"), [(20_001, True), (20_000, False), (19_999, False)])
    def test_begins_nothing_in_its_last_twenty_seconds(self, clock: Clock, milliseconds: int, finished: bool) -> None:
        call("upload", {"name": "a"})
        clock.advance(3660)
        swept = invoke("sweep", {}, Context(itertools.repeat(milliseconds)))
        assert (swept["finished"], swept["placeholders_removed"]) == (finished, int(finished))

    def test_stops_at_the_first_shard_that_it_has_no_time_for(self, clock: Clock) -> None:
        """Sixteen shards, each with a file: without time it asks DynamoDB for the first of them alone."""
        for _ in range(60):
            call("upload", {"name": "a"})
        clock.advance(3660)
        with counted_calls() as calls:
            assert invoke("sweep", {}, Context(itertools.repeat(0)))["finished"] is False
        assert calls["Query"] < 16

    @pytest.mark.parametrize("remaining", [0, 1])
    def test_finishes_the_deletions_whose_bytes_are_gone_and_no_others(
        self, clock: Clock, record: Record, monkeypatch: pytest.MonkeyPatch, remaining: int
    ) -> None:
        uploads = [call("upload", {"name": "a"}).body for _ in range(2)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        clock.advance(7200)
        kept = {uploads[0]["id"]} if remaining else set()
        delete = Bucket.delete
        monkeypatch.setattr(Bucket, "delete", lambda bucket, found: delete(bucket, found) | kept)
        swept = invoke("sweep", {})
        assert (swept["expired"], swept["deletions_finished"]) == (2, 2 - remaining)
        assert swept["versions_removed"] == 2 - remaining
        assert ["sweep_at" in (record(upload["id"]) or {}) for upload in uploads] == [bool(remaining), False]

    def test_does_not_finish_the_deletion_of_a_file_whose_bytes_it_could_not_look_for(
        self, clock: Clock, record: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S3 has throttled: no list is not an empty list."""
        uploads = [call("upload", {"name": "a"}).body for _ in range(2)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        clock.advance(7200)
        versions = Bucket.versions
        with monkeypatch.context() as patch:
            for upload in uploads:
                with monkeypatch.context() as interrupted:
                    interrupted.setattr(Bucket, "delete", lambda *_: set())
                    call("delete", [upload["id"]])
            patch.setattr(
                Bucket,
                "versions",
                lambda bucket, keys: {
                    key: found for key, found in versions(bucket, keys).items() if key != uploads[0]["id"]
                },
            )
            assert invoke("sweep", {})["deletions_finished"] == 1
        assert ["sweep_at" in (record(upload["id"]) or {}) for upload in uploads] == [True, False]
        assert invoke("sweep", {})["versions_removed"] == 1


@pytest.mark.usefixtures("engine_aws")
def test_a_store_of_an_upload_that_was_not_told_of_says_what_became_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """One was taken back while the bucket was looked into, of another DynamoDB says nothing."""
    uploads = [call("upload", {"name": "a", "size": 1}).body for _ in range(3)]
    taken_back, throttled, stored = (upload["id"] for upload in uploads)
    for upload in uploads:
        put(upload["url"], b"x", upload["headers"])
    record = FileRepository.record_and_store_uploads

    def meanwhile(files: FileRepository, found: Any, **values: Any) -> Any:
        call("undo", file_id=taken_back, headers={"x-upload-token": uploads[0]["token"]})
        return record(files, found, **values) | {throttled: Throttled()}

    monkeypatch.setattr(FileRepository, "record_and_store_uploads", meanwhile)
    body = call("store", [taken_back, throttled, stored], query={"problems": "yes"}).body
    assert body["result"] == [stored]
    assert {file_id: problem["code"] for file_id, problem in body["problems"].items()} == {
        taken_back: "deleted",
        throttled: "try_again",
    }


@pytest.mark.usefixtures("engine_aws")
@pytest.mark.parametrize("media_type", ["text/x-a; charset=utf-8", None])
def test_a_download_has_the_type_that_was_declared(
    finish: Callable[[dict[str, Any]], str], media_type: str | None
) -> None:
    file_id = finish({"name": "a.png"} | ({"type": media_type} if media_type else {}))
    with urllib.request.urlopen(call("info", [file_id]).body[0]["url"]) as response:
        assert response.headers["Content-Type"] == (media_type or "image/png")


@pytest.mark.usefixtures("engine_aws")
class TestAnotherUploadsToken:
    """It tells nothing and does nothing, whatever has become of the file."""

    @pytest.fixture
    def undo(self) -> Callable[[dict[str, Any]], tuple[int, str]]:
        token = call("upload", {"name": "a", "size": 1}).body["token"]

        def undo(upload: dict[str, Any]) -> tuple[int, str]:
            reply = call("undo", file_id=upload["id"], headers={"x-upload-token": token})
            return reply.status, reply.body["code"]

        return undo

    def test_of_a_file_that_is_stored(
        self, undo: Callable[[dict[str, Any]], tuple[int, str]], stored: dict[str, Any], versions: Versions
    ) -> None:
        assert undo(stored) == (403, "invalid_token")
        assert len(versions()) == 1

    def test_of_a_file_that_is_deleted_but_still_there(
        self,
        undo: Callable[[dict[str, Any]], tuple[int, str]],
        stored: dict[str, Any],
        versions: Versions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        with monkeypatch.context() as interrupted:
            interrupted.setattr(Bucket, "delete", lambda *_: set())
            call("delete", [stored["id"]])
        assert undo(stored) == (403, "invalid_token")
        assert len(versions()) == 1


@pytest.mark.usefixtures("engine_aws")
def test_ttl_leaves_alone_the_record_of_an_upload_that_is_taken_back(requested: dict[str, Any], record: Record) -> None:
    """What comes to its URL afterwards is only found as long as there is a record."""
    assert "purge_at" in (record(requested["id"]) or {})
    call("undo", file_id=requested["id"], headers={"x-upload-token": requested["token"]})
    item = record(requested["id"]) or {}
    assert item["deletion"] == "undone"
    assert "purge_at" not in item


@pytest.mark.usefixtures("engine_aws")
@pytest.mark.parametrize(("seconds", "status"), [(3599, 204), (3600, 409), (3601, 409)])
def test_what_is_stored_as_it_arrives_can_be_taken_back_until_its_url_expires(
    configure: Callable[..., None], requested: dict[str, Any], clock: Clock, seconds: int, status: int
) -> None:
    configure(STORE_ON_LOAD="True")
    invoke("uploaded", upload_event(put(requested["url"], b"contents", requested["headers"])))
    clock.advance(seconds)
    headers = {"x-upload-token": requested["token"]}
    assert call("undo", file_id=requested["id"], headers=headers).status == status


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize("file_id", ["0" * 31, "0" * 33, "0" * 31 + "g", "0" * 31 + "A", UNKNOWN_ID + "\n"])
def test_what_is_nearly_an_id_is_unknown(file_id: str) -> None:
    with counted_calls() as calls:
        assert call("undo", file_id=file_id, headers={"x-upload-token": "x"}).body["code"] == "unknown"
    assert calls == {}
