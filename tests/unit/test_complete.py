"""POST /file/{id}/complete, and all that comes before it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from filestore import wiring
from filestore.storage import aws
from tests.parts import MIB, begin, complete, crc64nvme, put_together, send
from tests.support import UNKNOWN_ID, Clock, call, counted_calls, get, invoke, sample_event, upload_event
from tests.unit.test_parts import client, of_s3

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]

CONTENTS = bytes(range(256)) * 4096 * 20


def test_makes_a_file_of_the_parts(record: Record, versions: Versions) -> None:
    """From the first request to the download."""
    upload = begin(len(CONTENTS), type="video/mp4")
    assert (upload["part_size"], upload["part_count"]) == (16 * MIB, 2)
    send(upload, CONTENTS)
    done = complete(upload, crc64nvme(CONTENTS))
    assert (done.status, done.body) == (200, {"id": upload["id"]})
    ((key, version_id),) = versions()
    item = record(upload["id"]) or {}
    assert (key, version_id) == (upload["id"], item["version_id"])
    # S3's event is late, and changes nothing.
    event = upload_event({"key": key, "versionId": version_id, "size": len(CONTENTS), "eTag": item["etag"]})
    assert invoke("uploaded", event) == {"batchItemFailures": []}
    assert record(upload["id"]) == item
    assert call("store", [upload["id"]]).body == [upload["id"]]
    (details,) = call("info", [upload["id"]]).body
    assert details["size"] == len(CONTENTS)
    assert details["type"] == "video/mp4"
    assert details["checksum"] == {"algorithm": "CRC64NVME", "value": crc64nvme(CONTENTS), "verified": "declared"}
    assert get(details["url"]) == CONTENTS


CHECKSUM, OTHER = crc64nvme(b"contents"), crc64nvme(b"others")


@pytest.fixture
def sent() -> dict[str, Any]:
    """An upload of which all parts are there."""
    upload = begin(8)
    send(upload, b"contents")
    return upload


def details(file_id: str) -> dict[str, Any]:
    (described,) = call("info", [file_id], query={"nonstored": "yes"}).body
    return dict(described)


class TestTheChecksum:
    def test_is_s3s_where_nobody_declared_one(self, sent: dict[str, Any]) -> None:
        """S3 computes it of the whole, from those of the parts."""
        assert complete(sent).status == 200
        assert details(sent["id"])["checksum"] == {"algorithm": "CRC64NVME", "value": CHECKSUM, "verified": "s3"}

    def test_may_be_declared_with_the_first_request(self) -> None:
        upload = begin(8, checksum={"algorithm": "CRC64NVME", "value": CHECKSUM})
        send(upload, b"contents")
        assert complete(upload).status == 200
        assert details(upload["id"])["checksum"]["verified"] == "declared"

    def test_that_is_another_ends_the_upload(self, sent: dict[str, Any], versions: Versions) -> None:
        """Some part is not what the uploader meant, and nobody can tell which."""
        reply = complete(sent, crc64nvme(b"others"))
        assert (reply.status, reply.body["code"]) == (409, "checksum_mismatch")
        assert versions() == []
        again = complete(sent, CHECKSUM)
        assert (again.status, again.body["code"]) == (409, "upload_ended")

    def test_that_is_another_than_the_one_of_the_first_request_is_an_error(self, versions: Versions) -> None:
        """The upload goes on: this is a client that contradicts itself."""
        upload = begin(8, checksum={"algorithm": "CRC64NVME", "value": CHECKSUM})
        send(upload, b"contents")
        reply = complete(upload, crc64nvme(b"others"))
        assert (reply.status, reply.body["errors"][0]["path"]) == (400, "/checksum")
        assert versions() == []
        assert complete(upload, CHECKSUM).status == 200

    def test_of_other_contents_than_were_declared_with_the_first_request_ends_the_upload(self) -> None:
        upload = begin(8, checksum={"algorithm": "CRC64NVME", "value": CHECKSUM})
        send(upload, b"CONTENTS")
        assert complete(upload).body["code"] == "checksum_mismatch"

    def test_is_added_where_s3s_event_was_first(self, sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        """An event says nothing of it."""
        hear(sent, monkeypatch)
        assert complete(sent).status == 200
        assert details(sent["id"])["checksum"] == {"algorithm": "CRC64NVME", "value": CHECKSUM, "verified": "s3"}
        assert call("store", [sent["id"]]).body == [sent["id"]]


def hear(upload: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the event of what S3 makes of an upload be handled before S3's answer is."""
    s3 = aws.s3_once()
    ask = s3.complete_multipart_upload

    def answered_late(**asked: Any) -> Any:
        answer = ask(**asked)
        event = {"key": upload["id"], "versionId": answer["VersionId"], "size": 8, "eTag": answer["ETag"]}
        assert invoke("uploaded", upload_event(event)) == {"batchItemFailures": []}
        return answer

    monkeypatch.setattr(s3, "complete_multipart_upload", answered_late)


def refusing(code: str) -> Callable[..., Any]:
    """A call that S3 refuses."""

    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "HeadObject")

    return refuse


class TestMayBeRepeated:
    def test_at_no_more_than_a_read(self, sent: dict[str, Any], versions: Versions, record: Record) -> None:
        complete(sent)
        item = record(sent["id"])
        with counted_calls() as calls:
            assert complete(sent, crc64nvme(b"others")).body == {"id": sent["id"]}
        assert calls == {"BatchGetItem": 1}
        assert len(versions()) == 1
        assert record(sent["id"]) == item

    def test_once_the_file_is_stored(self, sent: dict[str, Any]) -> None:
        complete(sent)
        call("store", [sent["id"]])
        assert complete(sent).status == 200

    @pytest.fixture
    def unanswered(self, sent: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """An upload that S3 was putting together for longer than the function had."""
        s3 = aws.s3_once()
        ask = s3.complete_multipart_upload

        def unanswered(**asked: Any) -> Any:
            ask(**asked)
            raise ReadTimeoutError(endpoint_url="s3")

        with monkeypatch.context() as patched:
            patched.setattr(s3, "complete_multipart_upload", unanswered)
            reply = complete(sent)
        assert (reply.status, reply.body["code"], reply.headers["Retry-After"]) == (429, "still_completing", "1")
        return sent

    @pytest.mark.parametrize(("declared", "verified"), [(None, "s3"), (CHECKSUM, "declared")])
    def test_when_s3_needs_longer_than_the_function_has(
        self, unanswered: dict[str, Any], versions: Versions, declared: str | None, verified: str
    ) -> None:
        """To put many parts together may take minutes. Asking again finds what came of it, and its checksum."""
        with counted_calls() as calls:
            assert complete(unanswered, declared).body == {"id": unanswered["id"]}
        assert calls == {
            "BatchGetItem": 1,
            "ListParts": 1,
            "ListObjectVersions": 1,
            "HeadObject": 1,
            "BatchExecuteStatement": 1,
        }
        assert len(versions()) == 1
        told = {"algorithm": "CRC64NVME", "value": CHECKSUM, "verified": verified}
        assert details(unanswered["id"])["checksum"] == told

    @pytest.mark.parametrize(("declared", "verified"), [(None, "s3"), (CHECKSUM, "declared"), (OTHER, "s3")])
    def test_when_s3s_event_was_first(
        self, unanswered: dict[str, Any], versions: Versions, declared: str | None, verified: str
    ) -> None:
        """It says nothing of the checksum, which is asked for once."""
        ((key, version),) = versions()
        event = {"key": key, "versionId": version, "size": 8, "eTag": "etag"}
        assert invoke("uploaded", upload_event(event)) == {"batchItemFailures": []}
        assert "checksum" not in details(key)
        assert complete(unanswered, declared).status == 200
        told = {"algorithm": "CRC64NVME", "value": CHECKSUM, "verified": verified}
        assert details(key)["checksum"] == told
        with counted_calls() as calls:
            assert complete(unanswered).status == 200
        assert calls == {"BatchGetItem": 1}

    def test_but_not_with_another_checksum_than_that_of_what_was_found(
        self, unanswered: dict[str, Any], versions: Versions, clock: Clock
    ) -> None:
        """As where S3 compares them: the upload is given up."""
        reply = complete(unanswered, OTHER)
        assert (reply.status, reply.body["code"]) == (409, "checksum_mismatch")
        assert complete(unanswered).body["code"] == "upload_ended"
        clock.advance(86400)
        invoke("sweep", sample_event("sweep"))
        assert versions() == []

    @pytest.mark.parametrize("code", ["403", "404"])
    def test_without_a_checksum_that_s3_does_not_tell(
        self, unanswered: dict[str, Any], monkeypatch: pytest.MonkeyPatch, code: str
    ) -> None:
        monkeypatch.setattr(aws.s3(), "head_object", refusing(code))
        assert complete(unanswered, CHECKSUM).status == 200
        assert "checksum" not in details(unanswered["id"])

    def test_later_where_s3_is_busy(self, unanswered: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(aws.s3(), "head_object", refusing("503"))
            reply = complete(unanswered, CHECKSUM)
        assert (reply.status, reply.body["code"]) == (503, "try_again")
        assert complete(unanswered, CHECKSUM).status == 200
        assert details(unanswered["id"])["checksum"]["verified"] == "declared"

    def test_where_s3_repeats_its_answer(self, sent: dict[str, Any], versions: Versions) -> None:
        """S3 does for a while, and makes no second version."""
        first, second = put_together(client(), wiring.settings().bucket_name, sent["id"], 2)
        assert first["VersionId"] == second["VersionId"]
        assert complete(sent).status == 200
        assert len(versions()) == 1


class TestIsRefused:
    def refusal(self, upload: dict[str, Any], token: str | None = None) -> tuple[int, str]:
        reply = complete(upload, None, token)
        return reply.status, reply.body["code"]

    def test_while_a_part_is_missing(self, versions: Versions) -> None:
        contents = b"x" * 16 * MIB + b"y"
        upload = begin(len(contents))
        send(upload, contents, [2])
        reply = complete(upload)
        assert (reply.status, reply.body["code"]) == (409, "parts_missing")
        assert (reply.body["missing"], reply.body["missing_count"]) == ([1], 1)
        assert versions() == []
        send(upload, contents, [1])
        assert complete(upload, crc64nvme(contents)).status == 200

    def test_where_a_part_has_another_size(self) -> None:
        """No URL of ours takes it; whoever sent it was no client."""
        upload = begin(16 * MIB + 1)
        for number, body in ((1, b"small"), (2, b"y")):
            client().upload_part(**of_s3(upload), PartNumber=number, Body=body)
        assert complete(upload).body["missing"] == [1]

    def test_without_the_token_of_this_upload(self, sent: dict[str, Any], versions: Versions) -> None:
        assert self.refusal(sent, begin(1)["token"]) == (403, "invalid_token")
        assert self.refusal(sent, "") == (403, "invalid_token")
        assert versions() == []

    def test_where_there_is_no_such_upload(self) -> None:
        assert self.refusal({"id": UNKNOWN_ID, "token": "x"}) == (404, "unknown")

    def test_where_the_upload_is_one_put(self, requested: dict[str, Any], uploaded: dict[str, Any]) -> None:
        assert self.refusal(requested) == (409, "not_in_parts")
        assert self.refusal(uploaded) == (409, "not_in_parts")

    def test_where_the_upload_was_taken_back(self, sent: dict[str, Any], versions: Versions) -> None:
        assert call("undo", file_id=sent["id"], headers={"x-upload-token": sent["token"]}).status == 204
        assert self.refusal(sent) == (409, "upload_ended")
        assert versions() == []

    @pytest.mark.parametrize("raw", ["[]", "{", "null", '{"parts": []}', '{"checksum": null}', '{"checksum": "AAAA"}'])
    def test_for_a_body_that_is_none(self, sent: dict[str, Any], raw: str) -> None:
        reply = call("complete", raw=raw, file_id=sent["id"], headers={"x-upload-token": sent["token"]})
        assert (reply.status, reply.body["code"]) == (400, "invalid_body")

    def test_never_for_no_body_at_all(self, sent: dict[str, Any]) -> None:
        assert call("complete", file_id=sent["id"], headers={"x-upload-token": sent["token"]}).status == 200


class TestWhereFilesAreStoredAsTheyArrive:
    def test_a_complete_one_is_stored(self, configure: Callable[..., None]) -> None:
        configure(STORE_ON_LOAD="True")
        upload = begin(8)
        send(upload, b"contents")
        assert complete(upload).status == 200
        (described,) = call("info", [upload["id"]]).body
        assert get(described["url"]) == b"contents"


@pytest.mark.parametrize("size", [0, 1])
def test_the_smallest_files_may_come_in_parts(size: int) -> None:
    upload = begin(size)
    assert upload["part_count"] == 1
    send(upload, b"x" * size)
    assert complete(upload, crc64nvme(b"x" * size)).status == 200
    assert details(upload["id"])["size"] == size


def test_metrics_tell_of_a_recorded_upload_once(sent: dict[str, Any], log: Callable[[], list[dict[str, Any]]]) -> None:
    """Whoever is first, the event or this."""
    complete(sent)
    complete(sent)
    told = [(line.get("UploadsRecorded"), line.get("BytesUploaded")) for line in log()]
    assert told == [([1.0], [8.0]), (None, None)]
