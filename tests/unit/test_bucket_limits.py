"""S3 takes so many at a time and answers in parts: nothing is lost at a limit, in a part or in a refusal."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
from botocore.stub import Stubber

from filestore.domain.file import ObjectVersion
from filestore.errors import StorageError
from filestore.storage.bucket import Bucket
from tests.stubs import WHOLE_CALLS, client, ids


class S3:
    """A bucket that answers as it was told to, and only what it is asked in these words."""

    def __init__(self) -> None:
        self.stub = Stubber(client("s3"))
        self.bucket = Bucket(lambda: client("s3"), "files")

    def deletes(self, versions: Sequence[ObjectVersion], *errors: dict[str, str]) -> None:
        objects = [{"Key": version.key, "VersionId": version.version_id} for version in versions]
        refused = {error["Key"] for error in errors}
        answer: dict[str, Any] = {"Deleted": [each for each in objects if each["Key"] not in refused]}
        if errors:
            answer["Errors"] = list(errors)
        self.stub.add_response("delete_objects", answer, {"Bucket": "files", "Delete": {"Objects": objects}})

    def throttles(self, operation: str = "delete_objects", code: str = "SlowDown") -> None:
        self.stub.add_client_error(operation, code)


@pytest.fixture
def s3() -> Iterator[S3]:
    s3 = S3()
    with s3.stub:
        yield s3


def versions(count: int) -> list[ObjectVersion]:
    return [ObjectVersion(file_id, f"v{number}") for number, file_id in enumerate(ids(count))]


class TestDeletingObjects:
    @pytest.mark.parametrize(
        ("count", "calls"), [(999, [999]), (1000, [1000]), (1001, [1000, 1]), (2000, [1000, 1000])]
    )
    def test_takes_a_thousand_a_call_and_leaves_none_out(self, s3: S3, count: int, calls: list[int]) -> None:
        start = 0
        for size in calls:
            s3.deletes(versions(count)[start : start + size])
            start += size
        assert s3.bucket.delete(versions(count)) == set()
        s3.stub.assert_no_pending_responses()

    def test_asks_for_nothing_where_there_is_nothing(self, s3: S3) -> None:
        assert s3.bucket.delete([]) == set()

    @pytest.mark.parametrize("throttled", [0, 1, 2], ids=["first", "second", "last"])
    def test_says_of_a_call_that_is_throttled_that_all_of_it_remains(self, s3: S3, throttled: int) -> None:
        """Whoever believed that they are gone would forget them: bytes that nobody ever looks for again."""
        every = versions(2500)
        for number in range(3):
            if number == throttled:
                s3.throttles()
            else:
                s3.deletes(every[1000 * number : 1000 * (number + 1)])
        batch = every[1000 * throttled : 1000 * (throttled + 1)]
        assert s3.bucket.delete(every) == {version.key for version in batch}

    def test_says_which_of_a_call_remain(self, s3: S3) -> None:
        refused = [{"Key": ids(3)[number], "VersionId": "v", "Code": "InternalError"} for number in (0, 2)]
        s3.deletes(versions(3), *refused)
        assert s3.bucket.delete(versions(3)) == {ids(3)[0], ids(3)[2]}

    def test_adds_up_what_remains_of_every_call(self, s3: S3) -> None:
        every = versions(1001)
        s3.deletes(every[:1000], {"Key": every[7].key, "Code": "InternalError"})
        s3.throttles()
        assert s3.bucket.delete(every) == {every[7].key, every[1000].key}


class TestListingVersions:
    def page(self, s3: S3, *found: tuple[str, str], marker: str = "", following: str = "") -> None:
        answer: dict[str, Any] = {
            "Versions": [
                {"Key": key, "VersionId": version, "Size": len(version), "ETag": f'"{version}"'}
                for key, version in found
            ],
            "IsTruncated": bool(following),
        }
        asked = {"Bucket": "files", "Prefix": ids(1)[0]}
        if marker:
            asked |= {"KeyMarker": ids(1)[0], "VersionIdMarker": marker}
        if following:
            answer |= {"NextKeyMarker": ids(1)[0], "NextVersionIdMarker": following}
        s3.stub.add_response("list_object_versions", answer, asked)

    def test_reads_every_page_and_turns_the_whole_round(self, s3: S3) -> None:
        """S3 lists a thousand a page, the newest first: the oldest of all is on the last."""
        key = ids(1)[0]
        self.page(s3, *((key, f"v{number}") for number in range(2000, 1000, -1)), following="v1001")
        self.page(s3, *((key, f"v{number}") for number in range(1000, 0, -1)), marker="v1001", following="v1")
        self.page(s3, (key, "v0"), marker="v1")
        found = s3.bucket.versions([key])
        assert [version.version_id for version in found[key]] == [f"v{number}" for number in range(2001)]
        s3.stub.assert_no_pending_responses()

    def test_says_what_each_is(self, s3: S3) -> None:
        key = ids(1)[0]
        self.page(s3, (key, "version"))
        assert s3.bucket.versions([key]) == {key: [ObjectVersion(key, "version", 7, "version")]}

    def test_leaves_out_objects_whose_keys_only_begin_alike(self, s3: S3) -> None:
        key = ids(1)[0]
        self.page(s3, (key, "own"), (f"{key}.jpg", "another's"))
        assert [version.version_id for version in s3.bucket.versions([key])[key]] == ["own"]

    @pytest.mark.parametrize("code", WHOLE_CALLS)
    def test_leaves_out_a_key_that_is_throttled(self, s3: S3, code: str) -> None:
        """It has no empty list: an empty one says that there is nothing."""
        s3.throttles("list_object_versions", code)
        assert s3.bucket.versions(ids(1)) == {}

    def test_raises_what_is_refused_for_good(self, s3: S3) -> None:
        s3.throttles("list_object_versions", "AccessDenied")
        with pytest.raises(StorageError, match="AccessDenied"):
            s3.bucket.versions(ids(1))

    def test_asks_for_nothing_where_there_is_nothing(self, s3: S3) -> None:
        assert s3.bucket.versions([]) == {}


class TestTellingTypes:
    VERSION = ObjectVersion("0" * 32, "v1")
    ASKED: ClassVar = {"Bucket": "files", "Key": VERSION.key, "VersionId": "v1"}

    @pytest.mark.parametrize("told", ["image/png", "binary/octet-stream"])
    def test_says_what_s3_has_of_the_version(self, s3: S3, told: str) -> None:
        s3.stub.add_response("head_object", {"ContentType": told}, self.ASKED)
        assert s3.bucket.content_types([self.VERSION]) == {self.VERSION.key: told}

    def test_of_none_is_no_type_and_not_a_version_that_is_gone(self, s3: S3) -> None:
        s3.stub.add_response("head_object", {}, self.ASKED)
        assert s3.bucket.content_types([self.VERSION]) == {self.VERSION.key: ""}

    def test_says_which_version_is_gone(self, s3: S3) -> None:
        s3.throttles("head_object", "404")
        assert s3.bucket.content_types([self.VERSION]) == {self.VERSION.key: None}

    @pytest.mark.parametrize("code", [*WHOLE_CALLS, "500", "503"])
    def test_leaves_out_what_is_throttled(self, s3: S3, code: str) -> None:
        s3.throttles("head_object", code)
        assert s3.bucket.content_types([self.VERSION]) == {}

    def test_leaves_out_what_is_refused_and_logs_of_which_file(
        self, s3: S3, log: Callable[[], list[dict[str, Any]]]
    ) -> None:
        s3.throttles("head_object", "403")
        assert s3.bucket.content_types([self.VERSION]) == {}
        (line,) = log()
        assert (line["level"], line["message"], line["file_id"]) == (
            "ERROR",
            "S3 refuses to tell a type",
            self.VERSION.key,
        )

    def test_raises_what_is_wrong_otherwise(self, s3: S3) -> None:
        s3.throttles("head_object", "400")
        with pytest.raises(StorageError, match="400"):
            s3.bucket.content_types([self.VERSION])
