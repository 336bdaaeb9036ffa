"""POST /file of what is large, or wants to come in parts."""

from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from filestore.storage.repository import FileRepository
from tests.parts import MIB, begin, crc64nvme
from tests.support import Reply, call, counted_calls
from tests.unit.test_parts import client

pytestmark = pytest.mark.usefixtures("emulator_aws")

THRESHOLD = 100 * MIB
GIB = 1024 * MIB
SHA256 = {"algorithm": "SHA256", "value": "0bKln76n4gB3r5+Rsn6V6GUGGycL4D/1Oas7c1h4gug="}
WHOLE = {"algorithm": "CRC64NVME", "value": crc64nvme(b"contents")}


def ask(**declared: Any) -> Reply:
    return call("upload", {"name": "film.mp4", **declared})


@pytest.mark.parametrize(
    ("declared", "is_in_parts"),
    [
        ({"size": THRESHOLD}, False),
        ({"size": THRESHOLD + 1}, True),
        ({"size": THRESHOLD + 1, "multipart": False}, False),
        ({"size": 0, "multipart": True}, True),
        ({"size": 8, "multipart": False}, False),
        ({"type": "video/mp4"}, False),
        ({"type": "video/mp4", "multipart": False}, False),
        # S3 can check it of one PUT alone, and took it before there were parts.
        ({"size": THRESHOLD + 1, "checksum": SHA256}, False),
        ({"size": THRESHOLD + 1, "checksum": WHOLE}, True),
    ],
)
def test_comes_in_parts_where_it_is_large_or_its_client_wishes(declared: dict[str, Any], is_in_parts: bool) -> None:
    body = ask(**declared).body
    expected = {"id", "token", "part_size", "part_count", "expires_at"}
    assert set(body) == (expected if is_in_parts else {"id", "method", "url", "headers", "token", "expires_at"})


def test_a_name_alone_is_one_put(configure: Any) -> None:
    """The contract of 2019."""
    configure(MULTIPART_THRESHOLD="1")
    assert set(ask().body) == {"id", "url"}


@pytest.mark.parametrize(
    ("declared", "path"),
    [
        ({"multipart": True}, "/size"),
        ({"multipart": True, "size": 8, "checksum": SHA256}, "/checksum/algorithm"),
    ],
)
def test_says_what_parts_need(declared: dict[str, Any], path: str) -> None:
    reply = ask(**declared)
    assert (reply.status, [error["path"] for error in reply.body["errors"]]) == (400, [path])


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ({"size": 5 * GIB}, 200),
        ({"size": 5 * GIB + 1}, 200),
        ({"size": 5 * GIB, "multipart": False}, 200),
        ({"size": 5 * GIB + 1, "multipart": False}, 400),
        ({"size": 53_687_091_200_000}, 200),
        ({"size": 53_687_091_200_001}, 400),
        ({"size": 53_687_091_200_001, "multipart": False}, 400),
        ({"size": 10**40}, 400),
    ],
)
def test_takes_what_s3_takes(configure: Any, declared: dict[str, Any], status: int) -> None:
    """5 GiB in one PUT, 10,000 parts of 5 GiB."""
    configure(MAX_FILE_SIZE="53687091200000")
    reply = ask(**declared)
    assert reply.status == status
    assert status == 200 or reply.body["code"] == "file_too_large"


def test_of_an_sha256_it_takes_no_more_than_one_put(configure: Any) -> None:
    configure(MAX_FILE_SIZE="53687091200000")
    reply = ask(size=5 * GIB + 1, checksum=SHA256)
    assert (reply.status, reply.body["errors"][0]["path"]) == (400, "/checksum/algorithm")


def test_more_than_max_file_size_is_refused_in_parts_too(configure: Any) -> None:
    configure(MAX_FILE_SIZE="1000")
    assert ask(size=1000, multipart=True).status == 200
    reply = ask(size=1001, multipart=True)
    assert (reply.status, reply.body["code"]) == (400, "file_too_large")


def test_one_put_makes_no_call_of_s3() -> None:
    with counted_calls() as calls:
        ask(size=THRESHOLD)
    assert calls == {"PutItem": 1}


def test_s3_is_told_the_type_and_which_checksum_there_will_be() -> None:
    """Where none is named in the beginning S3 takes a wrong one in the end."""
    asked: dict[str, Any] = {}
    s3 = aws.s3_once()

    def note(params: dict[str, Any], **_: object) -> None:
        asked.update(params)

    s3.meta.events.register("provide-client-params.s3.CreateMultipartUpload", note)
    upload = begin(8)
    s3.meta.events.unregister("provide-client-params.s3.CreateMultipartUpload", note)
    assert asked == {
        "Bucket": wiring.settings().bucket_name,
        "Key": upload["id"],
        "ContentType": "video/mp4",
        "ChecksumAlgorithm": "CRC64NVME",
    }


def test_s3s_id_of_the_upload_is_told_to_nobody(record: Any) -> None:
    upload = begin(8)
    assert str((record(upload["id"]) or {})["upload_id"]) not in str(upload)
    details = call("info", [upload["id"]], query={"nonstored": "yes"}).body
    assert not {"upload_id", "part_size"} & set(details[0])


def test_an_interruption_between_its_calls_leaves_no_record(monkeypatch: pytest.MonkeyPatch, record_count: Any) -> None:
    """And an upload without parts, which costs nothing; the sweep ends it."""

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(FileRepository, "create", fail)
        with pytest.raises(KeyboardInterrupt):
            begin(8)
    assert record_count() == 0
    listed = client().list_multipart_uploads(Bucket=wiring.settings().bucket_name)["Uploads"]
    assert len(listed) == 1
