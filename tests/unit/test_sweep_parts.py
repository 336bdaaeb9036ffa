"""What becomes of uploads in parts that nobody completes."""

from collections.abc import Callable
from typing import Any

import pytest

from filestore import wiring
from tests.parts import MIB, begin, complete, put, send, sign
from tests.support import Clock, call, invoke, upload_event
from tests.sweeping import NOTHING, sweep
from tests.unit.test_parts import client

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]

CONTENTS = b"x" * 16 * MIB + b"y"
# The life of a URL and LateUploadMargin, as the unit tests have them.
LEASE = 3600 + 60


def unfinished() -> list[str]:
    """The keys of the uploads that S3 has parts of, or is ready for parts of."""
    listed = client().list_multipart_uploads(Bucket=wiring.settings().bucket_name)
    return [each["Key"] for each in listed.get("Uploads", [])]


@pytest.fixture
def begun() -> dict[str, Any]:
    """An upload of which one part is there."""
    upload = begin(len(CONTENTS))
    send(upload, CONTENTS, [2])
    return upload


class TestAnAbandonedUpload:
    def test_is_gone_after_its_lease(self, begun: dict[str, Any], clock: Clock, record: Record) -> None:
        clock.advance(LEASE - 1)
        assert sweep() == NOTHING
        assert unfinished() == [begun["id"]]
        clock.advance(2)
        assert sweep() == NOTHING | {"expired": 1, "deletions_finished": 1, "multipart_uploads_aborted": 1}
        assert unfinished() == []
        item = record(begun["id"]) or {}
        assert (item["deletion"], "sweep_at" in item, "purge_at" in item) == ("expired", False, True)
        assert sweep() == NOTHING

    def test_says_so(self, begun: dict[str, Any], clock: Clock) -> None:
        clock.advance(LEASE + 1)
        sweep()
        assert complete(begun).body["code"] == "upload_ended"
        assert sign(begun, [{"part_number": 1}]).body["code"] == "upload_ended"
        problems = call("store", [begun["id"]], query={"problems": "yes"}).body["problems"]
        assert problems[begun["id"]]["code"] == "expired"

    def test_lives_on_for_whoever_asks_for_parts(self, begun: dict[str, Any], clock: Clock) -> None:
        """A night's sleep, and then the rest."""
        for _ in range(20):
            clock.advance(LEASE - 1)
            send(begun, CONTENTS, [1])
            assert sweep() == NOTHING
        assert complete(begun).status == 200

    def test_lives_no_longer_than_a_week(
        self, begun: dict[str, Any], clock: Clock, configure: Callable[..., None]
    ) -> None:
        """S3 drops it then, by the bucket's lifecycle rule."""
        configure(LATE_UPLOAD_MARGIN="604800")
        clock.advance(6 * 24 * 3600 - 1)
        assert sign(begun, [{"part_number": 1}]).status == 200
        sweep()
        clock.advance(24 * 3600 + 2)
        assert sweep()["expired"] == 1
        assert unfinished() == []

    def test_that_somebody_goes_on_with_at_the_last_moment_stays(
        self, begun: dict[str, Any], clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The sweep has read the record already; its write looks again."""
        due = wiring.sweep().due
        abandon = due.abandon

        def too_late(*args: Any, **more: Any) -> Any:
            send(begun, CONTENTS, [1])
            return abandon(*args, **more)

        clock.advance(LEASE + 1)
        monkeypatch.setattr(due, "abandon", too_late)
        assert sweep() == NOTHING
        assert complete(begun).status == 200

    def test_that_is_complete_in_s3_alone_is_recorded(self, clock: Clock, record: Record, versions: Versions) -> None:
        """The function died, and S3's event was lost."""
        upload = begin(8)
        (part,) = sign(upload, [{"part_number": 1}]).body["parts"]
        where = of_s3(upload)
        parts = {"Parts": [{"PartNumber": 1, "ETag": put(part, b"contents")}]}
        client().complete_multipart_upload(**where, MultipartUpload=parts)
        clock.advance(LEASE + 1)
        assert sweep() == NOTHING | {"adopted": 1}
        assert "uploaded_at" in (record(upload["id"]) or {})
        assert len(versions()) == 1


def of_s3(upload: dict[str, Any]) -> dict[str, str]:
    """What S3 knows the upload by."""
    bucket = wiring.settings().bucket_name
    (found,) = client().list_multipart_uploads(Bucket=bucket, Prefix=upload["id"])["Uploads"]
    return {"Bucket": bucket, "Key": upload["id"], "UploadId": found["UploadId"]}


class TestAnUploadThatWasTakenBack:
    def test_is_gone_at_once(self, begun: dict[str, Any]) -> None:
        assert call("undo", file_id=begun["id"], headers={"x-upload-token": begun["token"]}).status == 204
        assert unfinished() == []

    def test_and_completed_at_the_same_moment_leaves_nothing(
        self, clock: Clock, versions: Versions, record: Record
    ) -> None:
        """S3 had begun to put the parts together, so there is an object, and an event of it."""
        upload = begin(8)
        (part,) = sign(upload, [{"part_number": 1}]).body["parts"]
        parts = {"Parts": [{"PartNumber": 1, "ETag": put(part, b"contents")}]}
        made = client().complete_multipart_upload(**of_s3(upload), MultipartUpload=parts)
        assert call("undo", file_id=upload["id"], headers={"x-upload-token": upload["token"]}).status == 204
        event = {"key": upload["id"], "versionId": made["VersionId"], "size": 8, "eTag": "x"}
        invoke("uploaded", upload_event(event))
        assert versions() == []
        clock.advance(LEASE + 1)
        assert sweep()["deletions_finished"] == 1
        assert (record(upload["id"]) or {})["deletion"] == "undone"

    def test_by_a_back_end_is_gone_after_a_sweep(self, begun: dict[str, Any], clock: Clock) -> None:
        """DELETE /files marks it; what there is of it is the sweep's."""
        assert call("delete", [begun["id"]]).body == [begun["id"]]
        clock.advance(1)
        assert sweep() == NOTHING | {"multipart_uploads_aborted": 1}
        assert unfinished() == []
        clock.advance(LEASE)
        assert sweep() == NOTHING | {"deletions_finished": 1, "multipart_uploads_aborted": 1}

    def test_can_be_taken_back_for_as_long_as_it_goes_on_where_files_are_stored_as_they_arrive(
        self, begun: dict[str, Any], configure: Callable[..., None], clock: Clock
    ) -> None:
        """There the token of what is stored is worth nothing once its URL has expired; this is not stored."""
        configure(STORE_ON_LOAD="True")
        clock.advance(3601)
        for token, status in (("x", 403), (begun["token"], 204), (begun["token"], 204)):
            reply = call("undo", file_id=begun["id"], headers={"x-upload-token": token})
            assert reply.status == status
        assert unfinished() == []


class TestAnUploadWithoutARecord:
    def orphan(self, key: str = "a" * 32) -> str:
        client().create_multipart_upload(Bucket=wiring.settings().bucket_name, Key=key)
        return key

    def test_is_aborted_once_no_record_can_come(self, clock: Clock) -> None:
        """POST /file was interrupted between its two calls."""
        self.orphan()
        clock.advance(3590)
        assert sweep() == NOTHING
        clock.advance(20)
        assert sweep() == NOTHING | {"multipart_uploads_aborted": 1}
        assert unfinished() == []

    def test_is_not_one_that_has_a_record(self, begun: dict[str, Any], clock: Clock) -> None:
        """A second one of the same key is, though: the record names the other."""
        self.orphan(begun["id"])
        clock.advance(3610)
        assert sweep() == NOTHING | {"multipart_uploads_aborted": 1}
        send(begun, CONTENTS, [1])
        assert complete(begun).status == 200

    def test_of_somebody_else_is_left_alone(self, clock: Clock) -> None:
        """Its key is no id, so it is none of ours."""
        self.orphan("backup.tar")
        clock.advance(8000)
        assert sweep() == NOTHING
        assert unfinished() == ["backup.tar"]

    def test_stays_while_records_cannot_be_read(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        """Absence of evidence deletes nothing."""
        self.orphan()
        clock.advance(8000)
        files = wiring.sweep().files
        monkeypatch.setattr(files, "get", lambda ids: ({}, set(ids)))
        assert sweep() == NOTHING
        assert unfinished() == ["a" * 32]
