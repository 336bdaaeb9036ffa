"""What is written when a file is pinned to an object version, and where that is refused."""

import pytest

from filestore.domain.file import ObjectVersion
from filestore.storage.pinning import pin


@pytest.mark.parametrize(("size", "refused"), [(0, False), (4, False), (5, False), (6, True)])
def test_nothing_larger_than_a_file_may_be_is_recorded(size: int, refused: bool) -> None:
    """No record is without its date: a write on the condition that it is never happens."""
    upload = ObjectVersion("key", "version", size=size, etag="etag")
    pinned = pin(upload, at="now", max_size=5, types={}, receipt=None, more="", values=(), removes="")
    assert any('"created_at" IS MISSING' in guard.text for guard in pinned.guards) is refused
