"""Uploads in parts as S3 tells of them: page by page, and what its refusals mean."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore.exceptions import ConnectionClosedError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber

from filestore.domain.file import NO_VERSION, ObjectVersion
from filestore.domain.multipart import Completed, Part
from filestore.errors import (
    ChecksumMismatchError,
    NoAnswerError,
    StillCompletingError,
    StorageError,
    ThrottledError,
)
from filestore.storage.multipart import MultipartUploads
from tests.stubs import client
from tests.unit.test_states import ID, PENDING

IN_PARTS = PENDING._replace(upload_id="upload", part_size=5)
PARTS = [Part(1, 5, "a", "x"), Part(2, 1, "b", "y")]


class S3:
    """Answers as it was told to."""

    def __init__(self) -> None:
        self.stub = Stubber(client("s3"))
        self.uploads = MultipartUploads(lambda: client("s3"), lambda: client("s3"), "files")

    def lists(self, numbers: list[int], after: int, **answer: Any) -> None:
        parts = [{"PartNumber": number, "Size": 1, "ETag": "e", "ChecksumCRC64NVME": "c"} for number in numbers]
        asked = {"Bucket": "files", "Key": ID, "UploadId": "upload", "PartNumberMarker": after}
        self.stub.add_response("list_parts", {"Parts": parts, **answer}, asked)


@pytest.fixture
def s3() -> Iterator[S3]:
    s3 = S3()
    with s3.stub:
        yield s3
        s3.stub.assert_no_pending_responses()


class TestPuttingPartsTogether:
    ASKED: ClassVar[dict[str, Any]] = {
        "Bucket": "files",
        "Key": ID,
        "UploadId": "upload",
        "MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "a"}, {"PartNumber": 2, "ETag": "b"}]},
        "ChecksumType": "FULL_OBJECT",
        "MpuObjectSize": 6,
    }

    @pytest.mark.parametrize(
        ("answer", "version", "checksum"),
        [
            ({"VersionId": "v", "ETag": '"Xe-2X"', "ChecksumCRC64NVME": "c"}, "v", "c"),
            ({"VersionId": "v", "ETag": "Xe-2X"}, "v", None),
            # The bucket has no versions, or S3 does not tell: what came then is not to be relied on.
            ({"ETag": '"Xe-2X"'}, NO_VERSION, None),
        ],
    )
    def test_has_a_version(self, s3: S3, answer: dict[str, Any], version: str, checksum: str | None) -> None:
        s3.stub.add_response("complete_multipart_upload", answer, self.ASKED)
        made = Completed(ObjectVersion(ID, version, size=6, etag="Xe-2X"), checksum)
        assert s3.uploads.complete(IN_PARTS, PARTS, None) == made

    def test_is_compared_with_a_checksum(self, s3: S3) -> None:
        asked = self.ASKED | {"ChecksumCRC64NVME": "AAAAAAAAAAA="}
        s3.stub.add_response("complete_multipart_upload", {"ETag": "e", "VersionId": "v"}, asked)
        assert s3.uploads.complete(IN_PARTS, PARTS, "AAAAAAAAAAA=") is not None

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            # A part was sent again after it was listed: to complete once more finds what there is then.
            ("InvalidPart", ThrottledError),
            ("BadDigest", ChecksumMismatchError),
            ("SlowDown", ThrottledError),
            ("EntityTooSmall", StorageError),
        ],
    )
    def test_is_refused_by_kind(self, s3: S3, code: str, kind: type[Exception]) -> None:
        s3.stub.add_client_error("complete_multipart_upload", code, "Why.")
        with pytest.raises(kind) as refused:
            s3.uploads.complete(IN_PARTS, PARTS, None)
        if kind is not ChecksumMismatchError:
            assert f"({code})" in str(refused.value)
            assert "Why." in str(refused.value)

    def test_is_nothing_of_an_upload_that_is_gone(self, s3: S3) -> None:
        s3.stub.add_client_error("complete_multipart_upload", "NoSuchUpload")
        assert s3.uploads.complete(IN_PARTS, PARTS, None) is None

    @pytest.mark.parametrize(
        ("lost", "kind"),
        [
            # The request has arrived, and S3 is at work.
            (ReadTimeoutError(endpoint_url="s3"), StillCompletingError),
            (ConnectTimeoutError(endpoint_url="s3"), NoAnswerError),
            (ConnectionClosedError(endpoint_url="s3"), NoAnswerError),
        ],
    )
    def test_takes_long_or_is_not_begun(self, lost: Exception, kind: type[Exception]) -> None:
        def complete(**_: object) -> None:
            raise lost

        once: Any = SimpleNamespace(complete_multipart_upload=complete)
        with pytest.raises(kind):
            MultipartUploads(lambda: client("s3"), lambda: once, "files").complete(IN_PARTS, PARTS, None)


class TestAListOfParts:
    def test_is_read_to_its_end(self, s3: S3) -> None:
        s3.lists([1, 2], 0, IsTruncated=True, NextPartNumberMarker=2)
        s3.lists([3], 2, IsTruncated=False)
        assert [part.number for part in s3.uploads.parts(ID, "upload") or []] == [1, 2, 3]

    @pytest.mark.parametrize("told", [{}, {"IsTruncated": True}, {"IsTruncated": True, "NextPartNumberMarker": 0}])
    def test_is_none_where_its_end_is_not_told(self, s3: S3, told: dict[str, Any]) -> None:
        s3.lists([1], 0, **told)
        with pytest.raises(ThrottledError):
            s3.uploads.parts(ID, "upload")

    def test_has_ten_pages_at_most(self, s3: S3) -> None:
        """S3 has a thousand parts a page, and ten thousand in all."""
        for page in range(10):
            s3.lists([page + 1], page, IsTruncated=True, NextPartNumberMarker=page + 1)
        with pytest.raises(ThrottledError, match="does not come to its end"):
            s3.uploads.parts(ID, "upload")

    def test_is_none_of_an_upload_that_is_gone_and_of_no_other(self, s3: S3) -> None:
        s3.stub.add_client_error("list_parts", "NoSuchUpload")
        assert s3.uploads.parts(ID, "upload") is None
        s3.stub.add_client_error("list_parts", "AccessDenied")
        with pytest.raises(StorageError, match="AccessDenied"):
            s3.uploads.parts(ID, "upload")

    def test_may_be_empty(self, s3: S3) -> None:
        s3.stub.add_response("list_parts", {"IsTruncated": False})
        assert s3.uploads.parts(ID, "upload") == []


class TestDropping:
    @pytest.mark.parametrize(("code", "is_done"), [("NoSuchUpload", True), ("SlowDown", False), ("503", False)])
    def test_is_done_where_s3_says_so(self, s3: S3, code: str, is_done: bool) -> None:
        s3.stub.add_client_error("abort_multipart_upload", code)
        assert s3.uploads.abort(ID, "upload") is is_done

    def test_is_not_done_where_s3_refuses(self, s3: S3) -> None:
        s3.stub.add_client_error("abort_multipart_upload", "AccessDenied")
        with pytest.raises(StorageError, match="AccessDenied"):
            s3.uploads.abort(ID, "upload")

    def test_is_done_once_nothing_is_left(self, s3: S3) -> None:
        """A part that was on its way may have come after all."""
        for left in (True, False):
            s3.stub.add_response("abort_multipart_upload", {})
            if left:
                s3.lists([], 0, IsTruncated=False)
            else:
                s3.stub.add_client_error("list_parts", "NoSuchUpload")
            assert s3.uploads.end([(ID, "upload")]) == ({ID} if left else set())


class TestTheListOfUploads:
    """Of all that the bucket has."""

    BEGUN = datetime(2026, 1, 1, tzinfo=UTC)

    def pages(self, s3: S3, *answers: dict[str, Any]) -> list[str]:
        marker: dict[str, str] = {}
        for number, answer in enumerate(answers):
            found = [{"Key": f"{number}", "UploadId": "u", "Initiated": self.BEGUN}]
            s3.stub.add_response("list_multipart_uploads", {"Uploads": found, **answer}, {"Bucket": "files", **marker})
            marker = {
                "KeyMarker": answer.get("NextKeyMarker", ""),
                "UploadIdMarker": answer.get("NextUploadIdMarker", ""),
            }
        return [each.key for page in s3.uploads.unfinished() for each in page]

    def test_is_read_page_by_page(self, s3: S3) -> None:
        first = {"IsTruncated": True, "NextKeyMarker": "0", "NextUploadIdMarker": "u"}
        second = {"IsTruncated": True, "NextKeyMarker": "1"}
        assert self.pages(s3, first, second, {"IsTruncated": False}) == ["0", "1", "2"]

    @pytest.mark.parametrize("last", [{}, {"IsTruncated": False, "NextKeyMarker": "0"}, {"IsTruncated": True}])
    def test_ends_where_s3_says_so_or_not_how_to_go_on(self, s3: S3, last: dict[str, Any]) -> None:
        assert self.pages(s3, last) == ["0"]

    def test_has_ten_pages_at_most(self, s3: S3) -> None:
        pages = [{"IsTruncated": True, "NextKeyMarker": str(number)} for number in range(10)]
        assert self.pages(s3, *pages) == [str(number) for number in range(10)]

    def test_may_be_empty(self, s3: S3) -> None:
        s3.stub.add_response("list_multipart_uploads", {"IsTruncated": False}, {"Bucket": "files"})
        assert list(s3.uploads.unfinished()) == [[]]
