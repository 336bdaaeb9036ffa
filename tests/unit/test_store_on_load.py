"""Files that are stored as they arrive, in parts."""

from collections.abc import Callable

import pytest

from tests.parts import begin, complete, crc64nvme, send
from tests.support import call

pytestmark = pytest.mark.usefixtures("emulator_aws")


def test_have_the_checksum_of_the_whole(configure: Callable[..., None]) -> None:
    """It is written in the same moment: later nobody would ask S3 for it."""
    configure(STORE_ON_LOAD="True")
    upload = begin(8)
    send(upload, b"contents")
    assert complete(upload).status == 200
    (details,) = call("info", [upload["id"]]).body
    assert details["stored_at"] is not None
    assert details["checksum"] == {"algorithm": "CRC64NVME", "value": crc64nvme(b"contents"), "verified": "s3"}
