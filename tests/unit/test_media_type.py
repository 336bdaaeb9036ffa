"""The type of an upload that declared none: what its uploader sent to S3, or else what its name says."""

import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from filestore import wiring
from filestore.storage import aws
from tests.support import Clock, call, counted_calls, invoke, put, sample_event, upload_event

pytestmark = pytest.mark.usefixtures("emulator_aws")

Record = Callable[[str], dict[str, Any] | None]
Versions = Callable[[], list[tuple[str, str]]]
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
NOTHING_FAILED: dict[str, list[object]] = {"batchItemFailures": []}


def sent(name: str, content_type: str | None) -> dict[str, Any]:
    """An upload with its name alone, as the contract has always had it, and what the browser says to S3."""
    upload: dict[str, Any] = call("upload", {"name": name}).body
    upload["object"] = put(upload["url"], b"contents", {"Content-Type": content_type or ""})
    return upload


def type_of(upload: dict[str, Any]) -> str:
    (described,) = call("info", [upload["id"]], query={"nonstored": "yes"}).body
    return str(described["type"])


def by_event(upload: dict[str, Any], _: Clock) -> None:
    assert invoke("uploaded", upload_event(upload["object"])) == NOTHING_FAILED


def by_store(upload: dict[str, Any], _: Clock) -> None:
    assert call("store", [upload["id"]]).body == [upload["id"]]


def by_sweep(_: dict[str, Any], clock: Clock) -> None:
    clock.advance(3660)
    assert invoke("sweep", sample_event("sweep"))["adopted"] == 1


@pytest.mark.parametrize("seen", [by_event, by_store, by_sweep])
class TestHoweverTheUploadIsSeen:
    def test_is_what_was_sent(self, seen: Callable[[dict[str, Any], Clock], None], clock: Clock) -> None:
        """The name says nothing of many types that browsers know."""
        upload = sent("letter.docx", WORD)
        seen(upload, clock)
        assert type_of(upload) == WORD

    def test_is_what_the_name_says_where_nothing_was_sent(
        self, seen: Callable[[dict[str, Any], Clock], None], clock: Clock
    ) -> None:
        upload = sent("letter.pdf", None)
        seen(upload, clock)
        assert type_of(upload) == "application/pdf"


def test_is_what_was_sent_where_files_are_stored_as_they_arrive(
    configure: Callable[..., None], clock: Clock, record: Record
) -> None:
    configure(STORE_ON_LOAD="True")
    upload = sent("letter.docx", WORD)
    by_event(upload, clock)
    item = record(upload["id"]) or {}
    assert (item["type"], "stored_at" in item, "type_from" in item) == (WORD, True, False)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("image/webp", "image/webp"),
        ("text/plain;charset=UTF-8", "text/plain"),
        ("multipart/form-data; boundary=7a3f", "multipart/form-data"),
        ("text/html", "text/html"),
        ("", "application/pdf"),
        ("binary/octet-stream", "application/pdf"),
        ("application/octet-stream", "application/pdf"),
        ("Application/Octet-Stream; charset=binary", "application/pdf"),
        ("application/x-www-form-urlencoded", "application/pdf"),
        ("application/x-www-form-urlencoded; charset=UTF-8", "application/pdf"),
        ("pdf", "application/pdf"),
        ("image/png, text/html", "application/pdf"),
        ("image/<script>", "application/pdf"),
        ("image/\xe9", "application/pdf"),
        (f"image/{'x' * 128}", "application/pdf"),
        (f"image/{'x' * 127}", f"image/{'x' * 127}"),
        (f"{'x' * 127}/{'y' * 127}", f"{'x' * 127}/{'y' * 127}"),
    ],
)
def test_is_a_type_that_one_may_declare_too_and_says_something(content_type: str, expected: str, clock: Clock) -> None:
    """The header is a stranger's: it ends in a record, in answers, and in a header of downloads."""
    upload = sent("letter.pdf", content_type)
    by_event(upload, clock)
    assert type_of(upload) == expected


def test_is_shown_by_the_name_while_nothing_is_recorded() -> None:
    assert type_of(sent("letter.pdf", WORD)) == "application/pdf"


def test_stays_when_another_upload_says_otherwise(clock: Clock, versions: Versions) -> None:
    upload = sent("a", "image/png")
    by_event(upload, clock)
    again = put(upload["url"], b"CONTENTS", {"Content-Type": "text/html"})
    assert invoke("uploaded", upload_event(again, upload["object"])) == NOTHING_FAILED
    assert type_of(upload) == "image/png"
    assert versions() == [(upload["id"], upload["object"]["versionId"])]


def test_of_a_record_of_an_earlier_release_stays(clock: Clock) -> None:
    """Its type counts as declared, as it always has."""
    upload = sent("letter.docx", WORD)
    aws.dynamodb().update_item(
        TableName=wiring.settings().table_name, Key={"id": {"S": upload["id"]}}, UpdateExpression="REMOVE type_from"
    )
    with counted_calls() as calls:
        by_event(upload, clock)
    assert calls == {"BatchExecuteStatement": 1}
    assert type_of(upload) == "application/octet-stream"


class TestCosts:
    """A HEAD and one more statement, for uploads that declared no type and for no others."""

    def test_of_events(self) -> None:
        uploads = [sent("a", "image/png") for _ in range(10)]
        with counted_calls() as calls:
            invoke("uploaded", upload_event(*(upload["object"] for upload in uploads)))
        assert calls == {"BatchExecuteStatement": 2, "HeadObject": 10}
        with counted_calls() as calls:
            invoke("uploaded", upload_event(*(upload["object"] for upload in uploads)))
        assert calls == {"BatchExecuteStatement": 1}

    def test_of_a_store_before_the_event(self) -> None:
        upload = sent("a", "image/png")
        with counted_calls() as calls:
            assert call("store", [upload["id"]]).body == [upload["id"]]
        assert calls == {"BatchExecuteStatement": 2, "ListObjectVersions": 1, "HeadObject": 1}

    def test_of_a_store_of_a_declared_one_before_the_event(self, requested: dict[str, Any]) -> None:
        put(requested["url"], b"contents", requested["headers"])
        with counted_calls() as calls:
            assert call("store", [requested["id"]]).body == [requested["id"]]
        assert calls == {"BatchExecuteStatement": 2, "ListObjectVersions": 1}

    def test_of_what_is_too_large(self, configure: Callable[..., None]) -> None:
        configure(MAX_FILE_SIZE="7")
        upload = sent("a", "image/png")
        with counted_calls() as calls:
            invoke("uploaded", upload_event(upload["object"]))
        assert calls == {"BatchExecuteStatement": 1, "DeleteObjects": 1}


class TestWhereS3DoesNotTell:
    @pytest.fixture
    def refuse(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        """Has S3 answer every HEAD with an error."""
        client = aws.s3()
        original = client._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - below it the SDK would retry

        def change(code: str) -> None:
            def make_api_call(name: str, parameters: dict[str, Any]) -> Any:
                if name == "HeadObject":
                    raise ClientError({"Error": {"Code": code, "Message": ""}}, name)
                return original(name, parameters)

            monkeypatch.setattr(client, "_make_api_call", make_api_call)

        return change

    @pytest.mark.parametrize("code", ["503", "500", "SlowDown", "403"])
    def test_the_upload_is_tried_again_and_holds_up_no_other(
        self, refuse: Callable[[str], None], requested: dict[str, Any], code: str, record: Record
    ) -> None:
        """403 is said of a version that is gone, and of a right that is missing: either way nothing is known."""
        upload = sent("a", "image/png")
        declared = put(requested["url"], b"contents", requested["headers"])
        refuse(code)
        answer = invoke("uploaded", upload_event(upload["object"], declared))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-0"}]}
        assert "uploaded_at" in (record(requested["id"]) or {})
        body = call("store", [upload["id"]], query={"problems": "yes"}).body
        assert body["problems"][upload["id"]]["code"] == "try_again"
        assert "uploaded_at" not in (record(upload["id"]) or {})

    def test_as_it_is_gone_nothing_is_pinned(self, record: Record, clock: Clock) -> None:
        upload = sent("a", "image/png")
        other = put(upload["url"], b"CONTENTS", {"Content-Type": "image/webp"})
        aws.s3().delete_object(
            Bucket=wiring.settings().bucket_name, Key=upload["id"], VersionId=upload["object"]["versionId"]
        )
        by_event(upload, clock)
        assert "uploaded_at" not in (record(upload["id"]) or {})
        # Beside another, that one may be the file: it comes again.
        answer = invoke("uploaded", upload_event(upload["object"], other))
        assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
        assert invoke("uploaded", upload_event(other)) == NOTHING_FAILED
        assert type_of(upload) == "image/webp"

    def test_as_it_is_gone_when_it_is_to_be_stored(self, refuse: Callable[[str], None]) -> None:
        upload = sent("a", "image/png")
        refuse("404")
        body = call("store", [upload["id"]], query={"problems": "yes"}).body
        assert body["problems"][upload["id"]]["code"] == "not_uploaded"


@pytest.mark.parametrize("media_type", ["text/x-a; charset=utf-8", None])
def test_a_download_has_the_type_that_was_declared(
    finish: Callable[[dict[str, Any]], str], media_type: str | None
) -> None:
    file_id = finish({"name": "a.png"} | ({"type": media_type} if media_type else {}))
    with urllib.request.urlopen(call("info", [file_id]).body[0]["url"]) as response:
        assert response.headers["Content-Type"] == (media_type or "image/png")
