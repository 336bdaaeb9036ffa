"""Which object versions are removed when uploads are recorded together, and which are looked at again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest

from filestore.domain.file import File, ObjectVersion
from filestore.domain.outcome import Applied, Attempt, Refused
from filestore.use_cases.uploaded import RecordUploads
from tests.stubs import ids
from tests.unit.test_states import PENDING, THEN, UPLOADED

A, B = ids(2)


def version(key: str, version_id: str, size: int = 1) -> ObjectVersion:
    return ObjectVersion(key, version_id, size=size, etag="e")


class Ports:
    """The table, S3 and the settings; ``removed`` is what S3 was told to delete, ``written`` what the table was."""

    store_on_load = False
    max_file_size = 10
    signed_url_expiration = 100
    unstored_file_lifetime = 100

    def __init__(self, attempts: Mapping[str, Attempt], *, remaining: Collection[str] = ()) -> None:
        self._attempts = attempts
        self._remaining = remaining
        self.removed: list[ObjectVersion] = []
        self.written: list[tuple[list[str], int | None]] = []
        self.types_asked = 0

    def delete(self, versions: Sequence[ObjectVersion]) -> set[str]:
        self.removed += versions
        return set(self._remaining)

    def record_uploads(
        self, uploads: Sequence[ObjectVersion], *, sweep_at: int | None, **_: object
    ) -> dict[str, Attempt]:
        self.written.append(([upload.key for upload in uploads], sweep_at))
        return {upload.key: self._attempts[upload.key] for upload in uploads}

    def content_types(self, _: Sequence[ObjectVersion]) -> dict[str, str | None]:
        self.types_asked += 1
        return {}

    @property
    def uploads(self) -> RecordUploads:
        ports: Any = self
        return RecordUploads(ports, ports, ports, lambda: 1000)


def test_removes_what_belongs_to_no_file_of_each() -> None:
    """In whatever order they come."""
    uploads = [version(A, "1"), version(A, "2"), version(B, "1"), version(B, "2")]
    for first, second in ((A, B), (B, A)):
        ports = Ports({first: Applied(None), second: Refused(None)})
        told = ports.uploads.record(uploads)
        assert sorted(ports.removed) == sorted([version(first, "2"), version(second, "1"), version(second, "2")])
        assert (told.recorded, told.removed, told.unfinished) == (1, 3, frozenset())


def test_counts_what_is_removed_and_comes_back_to_the_others() -> None:
    ports = Ports({A: Refused(None), B: Refused(None)}, remaining=[A])
    told = ports.uploads.record([version(A, "1"), version(B, "1"), version(B, "2")])
    assert (told.removed, told.unfinished) == (2, frozenset([version(A, "1")]))


def test_removes_nothing_that_may_still_be_the_file() -> None:
    ports = Ports({A: Refused(PENDING)})
    told = ports.uploads.record([version(A, "1"), version(A, "2", size=11)])
    assert ports.removed == [version(A, "2", size=11)]
    assert told.unfinished == {version(A, "1")}


@pytest.mark.parametrize(("changes", "removed"), [({}, []), ({"deleted_at": THEN}, [version(A, "u")])])
def test_removes_the_file_itself_once_it_is_deleted(changes: Any, removed: list[ObjectVersion]) -> None:
    ports = Ports({A: Refused(UPLOADED._replace(**changes))})
    ports.uploads.record([version(A, "u")])
    assert ports.removed == removed


@pytest.mark.parametrize(
    ("current", "asked"),
    [
        (PENDING._replace(type_from="name"), 1),
        (PENDING, 0),
        (UPLOADED._replace(type_from="name"), 0),
    ],
)
def test_asks_for_a_type_where_nothing_else_was_in_the_way(current: File, asked: int) -> None:
    """S3 does not say it here: then nothing is written."""
    ports = Ports({A: Refused(current)})
    ports.uploads.record([version(A, "v")])
    assert ports.types_asked == asked
    assert ports.written == [([A], None), ([], None)][: 1 + asked]


@pytest.mark.parametrize(
    ("lifetime", "due", "sweep_at"), [(100, {}, None), (99, {}, 1099), (100, {"are_due": True}, 1100)]
)
def test_is_swept_later_only_where_it_may_have_to_be(lifetime: int, due: Any, sweep_at: int | None) -> None:
    ports = Ports({A: Applied(None)})
    ports.unstored_file_lifetime = lifetime
    ports.uploads.pin([version(A, "v")], {}, **due)
    assert ports.written == [([A], sweep_at)]
