"""Which object versions are removed when uploads are recorded together, and which are looked at again."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from filestore.domain.file import ObjectVersion
from filestore.domain.outcome import Applied, Attempt, Refused
from filestore.use_cases.uploaded import RecordUploads
from tests.stubs import ids
from tests.unit.test_states import PENDING

A, B = ids(2)


def version(key: str, version_id: str, size: int = 1) -> ObjectVersion:
    return ObjectVersion(key, version_id, size=size, etag="e")


def recorded(attempts: Mapping[str, Attempt], uploads: Sequence[ObjectVersion]) -> tuple[list[ObjectVersion], Any]:
    """The versions that are removed, and what is told."""
    removed: list[ObjectVersion] = []

    def delete(versions: Sequence[ObjectVersion]) -> set[str]:
        removed.extend(versions)
        return set()

    bucket: Any = SimpleNamespace(delete=delete)
    files: Any = SimpleNamespace(record_uploads=lambda *_, **__: attempts)
    settings: Any = SimpleNamespace(
        store_on_load=False, max_file_size=10, unstored_file_lifetime=1, signed_url_expiration=1
    )
    return removed, RecordUploads(files, bucket, settings, lambda: 1000).record(uploads)


def test_removes_what_belongs_to_no_file_of_each() -> None:
    """In whatever order they come."""
    uploads = [version(A, "1"), version(A, "2"), version(B, "1"), version(B, "2")]
    for first, second in ((A, B), (B, A)):
        attempts: dict[str, Attempt] = {first: Applied(None), second: Refused(None)}
        removed, told = recorded(attempts, uploads)
        assert sorted(removed) == sorted([version(first, "2"), version(second, "1"), version(second, "2")])
        assert (told.recorded, told.removed, told.unfinished) == (1, 3, frozenset())


def test_removes_nothing_that_may_still_be_the_file() -> None:
    removed, told = recorded({A: Refused(PENDING._replace(id=A))}, [version(A, "1"), version(A, "2", size=11)])
    assert removed == [version(A, "2", size=11)]
    assert told.unfinished == {version(A, "1")}
