"""POST /file/{id}/complete, and all that comes before it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.parts import MIB, begin, complete, crc64nvme, send
from tests.support import call, get, invoke, upload_event

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
