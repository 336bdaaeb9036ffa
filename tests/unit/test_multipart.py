"""Uploads in parts that the sweep ends: what S3 may still have of them is asked for again another time."""

import pytest

from tests.unit.test_multipart_limits import S3, s3
from tests.unit.test_states import ID

__all__ = ["s3"]


@pytest.mark.parametrize("throttled", ["abort_multipart_upload", "list_parts"])
def test_is_not_taken_for_gone_where_s3_does_not_say_so(s3: S3, throttled: str) -> None:
    if throttled == "list_parts":
        s3.stub.add_response("abort_multipart_upload", {})
    s3.stub.add_client_error(throttled, "SlowDown", http_status_code=503)
    assert s3.uploads.end([(ID, "upload")]) == {ID}


def test_is_gone_where_s3_does(s3: S3) -> None:
    s3.stub.add_response("abort_multipart_upload", {})
    s3.stub.add_client_error("list_parts", "NoSuchUpload", http_status_code=404)
    assert s3.uploads.end([(ID, "upload")]) == set()
