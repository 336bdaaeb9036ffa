"""Uploads in parts as S3 tells of them: page by page, and what its refusals mean."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.stub import Stubber

from filestore.domain.multipart import Part
from filestore.errors import ChecksumMismatchError, StorageError, ThrottledError
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
def test_a_refusal_to_put_parts_together_is_told_by_its_kind(s3: S3, code: str, kind: type[Exception]) -> None:
    s3.stub.add_client_error("complete_multipart_upload", code)
    with pytest.raises(kind):
        s3.uploads.complete(IN_PARTS, PARTS, None)


def test_of_an_upload_that_is_gone_nothing_is_put_together(s3: S3) -> None:
    s3.stub.add_client_error("complete_multipart_upload", "NoSuchUpload")
    assert s3.uploads.complete(IN_PARTS, PARTS, None) is None


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
