"""Uploads in parts on two engines that know nothing of each other: the emulator as ``make run`` has it, and SeaweedFS.

Where both do what Amazon's documentation says, that is one witness more. Each difference is named, with what AWS does.
"""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local import emulator
from local.loopback import free_port
from tests.parts import MIB, crc64nvme

FIRST, LAST = b"x" * 5 * MIB, b"the end"
WHOLE = FIRST + LAST
KEYS = {"accessKey": "seaweed", "secretKey": "seaweed-secret"}


def client_of(url: str, key: str, secret: str) -> Any:
    session: Any = boto3.Session(key, secret, region_name="us-east-1")
    retries: Any = {"total_max_attempts": 1}
    config = Config(retries=retries, s3={"addressing_style": "path"}, signature_version="s3v4")
    return session.client("s3", endpoint_url=url, config=config)


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a SeaweedFS of the module's own, on the loopback alone."""
    folder = tmp_path_factory.mktemp("seaweed")
    identity = {"name": "root", "credentials": [KEYS], "actions": ["Admin", "Read", "Write", "List"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = {name: free_port() for name in ("master", "volume", "filer", "s3")}
    grpc = {f"{name}.port.grpc": free_port() for name in ports}
    options = [f"-{name}.port={port}" for name, port in ports.items()] + [
        f"-{name}={port}" for name, port in grpc.items()
    ]
    process = subprocess.Popen(
        [
            Path(sys.executable).with_name("weed"), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-s3", f"-s3.config={folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0",
            "-master.volumeSizeLimitMB=64", "-volume.max=20", *options,
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    client = client_of(f"http://127.0.0.1:{ports['s3']}", KEYS["accessKey"], KEYS["secretKey"])
    deadline = time.monotonic() + 60
    while True:
        try:
            client.create_bucket(Bucket="parts")
            break
        except (BotoCoreError, ClientError):
            assert process.poll() is None, "SeaweedFS has ended"
            assert time.monotonic() < deadline, "SeaweedFS does not answer"
            time.sleep(0.2)
    yield client
    # It would take half a minute to say goodbye, and nobody needs what it has.
    process.kill()
    process.wait(30)


@pytest.fixture(params=["emulator", "seaweed"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def s3(engine: str, request: pytest.FixtureRequest) -> Any:
    """A client of the engine, whose bucket ``parts`` is versioned."""
    if engine == "seaweed":
        client = request.getfixturevalue("seaweed")
    else:
        client = client_of(request.getfixturevalue("emulator_url"), os.environ["AWS_ACCESS_KEY_ID"], emulator.SECRET)
        client.create_bucket(Bucket="parts")
    client.put_bucket_versioning(Bucket="parts", VersioningConfiguration={"Status": "Enabled"})
    return client


@pytest.fixture
def upload(s3: Any) -> dict[str, str]:
    key = secrets.token_hex(16)
    begun = s3.create_multipart_upload(Bucket="parts", Key=key, ChecksumAlgorithm="CRC64NVME")
    return {"Bucket": "parts", "Key": key, "UploadId": begun["UploadId"]}


def send(s3: Any, upload: dict[str, str], *contents: bytes) -> dict[str, Any]:
    """Send parts; returns what names them when they are put together."""
    sent = [
        s3.upload_part(**upload, PartNumber=number, Body=each, ChecksumCRC64NVME=crc64nvme(each))["ETag"]
        for number, each in enumerate(contents, 1)
    ]
    return {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(sent, 1)]}


def refusal(call: Any, **asked: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as refused:
        call(**asked)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def test_the_checksum_of_the_whole_is_compared_and_told(s3: Any, upload: dict[str, str]) -> None:
    parts = send(s3, upload, FIRST, LAST)
    wrong = {"ChecksumCRC64NVME": crc64nvme(b"others"), "ChecksumType": "FULL_OBJECT"}
    assert refusal(s3.complete_multipart_upload, **upload, MultipartUpload=parts, **wrong) == (400, "BadDigest")
    right = {"ChecksumCRC64NVME": crc64nvme(WHOLE), "ChecksumType": "FULL_OBJECT"}
    done = s3.complete_multipart_upload(**upload, MultipartUpload=parts, MpuObjectSize=len(WHOLE), **right)
    assert done["ChecksumCRC64NVME"] == crc64nvme(WHOLE)
    assert done["VersionId"]
    assert s3.get_object(Bucket="parts", Key=upload["Key"])["Body"].read() == WHOLE


def test_a_small_part_that_is_not_the_last_is_refused(s3: Any, upload: dict[str, str]) -> None:
    parts = send(s3, upload, LAST, LAST)
    assert refusal(s3.complete_multipart_upload, **upload, MultipartUpload=parts) == (400, "EntityTooSmall")


def test_a_part_that_is_not_there_is_refused(s3: Any, upload: dict[str, str]) -> None:
    parts = send(s3, upload, FIRST)
    parts["Parts"].append({"PartNumber": 2, "ETag": parts["Parts"][0]["ETag"]})
    assert refusal(s3.complete_multipart_upload, **upload, MultipartUpload=parts) == (400, "InvalidPart")


def test_another_size_is_refused(s3: Any, upload: dict[str, str], engine: str) -> None:
    parts = send(s3, upload, LAST)
    asked = {**upload, "MultipartUpload": parts, "MpuObjectSize": len(LAST) + 1}
    if engine == "seaweed":
        # It does not look at the size.
        assert s3.complete_multipart_upload(**asked)["ETag"]
    else:
        assert refusal(s3.complete_multipart_upload, **asked)[0] == 400


def test_parts_are_listed_with_their_checksums(s3: Any, upload: dict[str, str], engine: str) -> None:
    send(s3, upload, FIRST, LAST)
    listed = s3.list_parts(**upload)["Parts"]
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, len(FIRST)), (2, len(LAST))]
    # SeaweedFS lists none.
    told = [None, None] if engine == "seaweed" else [crc64nvme(FIRST), crc64nvme(LAST)]
    assert [part.get("ChecksumCRC64NVME") for part in listed] == told


def test_a_part_of_other_contents_than_declared_is_refused(s3: Any, upload: dict[str, str]) -> None:
    asked = {**upload, "PartNumber": 1, "Body": LAST, "ChecksumCRC64NVME": crc64nvme(b"others")}
    assert refusal(s3.upload_part, **asked) == (400, "BadDigest")


def test_a_checksum_that_was_not_signed_is_refused(s3: Any, upload: dict[str, str]) -> None:
    url = s3.generate_presigned_url("upload_part", Params={**upload, "PartNumber": 1})
    headers = {"x-amz-checksum-crc64nvme": crc64nvme(LAST)}
    sent = urllib.request.Request(url, data=LAST, headers=headers, method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(sent)
    refused.value.close()
    assert refused.value.code == 403


def test_what_was_aborted_is_gone(s3: Any, upload: dict[str, str]) -> None:
    send(s3, upload, LAST)
    s3.abort_multipart_upload(**upload)
    assert refusal(s3.list_parts, **upload) == (404, "NoSuchUpload")
    assert not s3.list_multipart_uploads(Bucket="parts", Prefix=upload["Key"]).get("Uploads")


def test_to_abort_what_is_complete_is_no_error(s3: Any, upload: dict[str, str]) -> None:
    parts = send(s3, upload, LAST)
    s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert s3.abort_multipart_upload(**upload)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object(Bucket="parts", Key=upload["Key"])["Body"].read() == LAST
