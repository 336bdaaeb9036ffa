"""The clients that a function makes while it starts, as every one of its requests needs them."""

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.unit.test_wiring import watched


@pytest.mark.usefixtures("moto_aws")
@pytest.mark.parametrize(
    ("operation", "clients"),
    [("show_parts", {"s3"}), ("complete_upload", {"s3", "s3_once"}), ("undo_upload", {"s3"}), ("delete_files", {"s3"})],
)
def test_are_there_before_the_first_request(operation: str, clients: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made: set[str] = set()
    for name in ("s3", "s3_once"):
        monkeypatch.setattr(aws, name, watched(name, getattr(aws, name), made))
    getattr(wiring, operation).__wrapped__()
    assert made == clients
