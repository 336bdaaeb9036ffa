"""What the sweep decides of what the bucket and S3's list of uploads have, port by port."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from filestore.domain.file import NO_VERSION, Deletion, File, ObjectVersion
from filestore.domain.multipart import Unfinished
from filestore.domain.outcome import Applied, Attempt
from filestore.use_cases.sweep import Sweep, Swept
from filestore.use_cases.uploaded import Recorded
from tests.unit.test_states import ID, PENDING

NOW = 10_000_000_000
MOST = 10
OVER = PENDING._replace(created_at="2026-01-01T00:00:00.000Z", url_expires_at=2000)
IN_PARTS = OVER._replace(upload_id="upload", part_size=5, size=6)
WHOLE = ObjectVersion(ID, "version", size=6, etag="etag")
LOST = WHOLE._replace(version_id=NO_VERSION)


class Ports:
    """The table and S3 with one file that is due; ``asked`` is what they were asked to change."""

    shards = ("0",)

    def __init__(
        self,
        *due: File,
        versions: Sequence[ObjectVersion] = (),
        unfinished: Sequence[Unfinished] | Exception = (),
        records: Sequence[File] = (),
        is_left: bool = False,
    ) -> None:
        self.asked: list[tuple[str, Any]] = []
        self._due = due
        self._versions = versions
        self._unfinished = unfinished
        self._records = {file.id: file for file in records}
        self._is_left = is_left

    def pages(self, shard: str, *, now: int) -> Iterator[Sequence[File]]:
        assert (shard, now) == ("0", NOW)
        if self._due:
            yield self._due

    def versions(self, ids: Sequence[str]) -> dict[str, Sequence[ObjectVersion]]:
        return dict.fromkeys(ids, self._versions)

    def get(self, _: Sequence[str]) -> tuple[dict[str, File], set[str]]:
        return self._records, set()

    def record(self, *_: object, **__: object) -> Recorded:
        return Recorded(0, 0, 0, frozenset())

    def keep_pending(self, ids: Iterator[str]) -> None:
        """What comes of it is nobody's business here."""

    def sweep_later(self, at: Mapping[str, int], *_: object) -> None:
        self._ask("sweep_later", dict(at))

    def delete(self, versions: Sequence[ObjectVersion]) -> set[str]:
        self._ask("delete", list(versions))
        return set()

    def remove_pending(self, ids: Iterator[str], **_: object) -> dict[str, Attempt]:
        self._ask("remove_pending", list(ids))
        return {}

    def abandon(self, ids: Iterator[str], **_: object) -> dict[str, Attempt]:
        abandoned = list(ids)
        self._ask("abandon", abandoned)
        return dict.fromkeys(abandoned, Applied(None))

    def expire(self, *_: object, **__: object) -> dict[str, Attempt]:
        return {}

    def finish_deletion(self, _: Mapping[str, int | None]) -> dict[str, Attempt]:
        return {}

    def unfinished(self) -> Iterator[Sequence[Unfinished]]:
        if isinstance(self._unfinished, Exception):
            raise self._unfinished
        if self._unfinished:
            yield self._unfinished

    def end(self, uploads: Sequence[tuple[str, str]]) -> set[str]:
        self._ask("end", list(uploads))
        return {key for key, _ in uploads} if self._is_left else set()

    def _ask(self, what: str, about: Any) -> None:
        if about:
            self.asked.append((what, about))

    def sweep(self, *, has_time: bool = True) -> Swept:
        ports: Any = self
        settings: Any = SimpleNamespace(max_file_size=MOST, unstored_file_lifetime=1)
        return Sweep(ports, ports, ports, ports, ports, settings, 0, lambda: NOW).sweep(lambda: has_time)


class TestUploadsThatAreOver:
    def test_in_parts_end_where_the_bucket_has_none(self) -> None:
        ports = Ports(IN_PARTS)
        assert ports.sweep().expired == 1
        assert ports.asked == [("abandon", [ID]), ("end", [(ID, "upload")])]

    def test_in_parts_are_left_where_the_bucket_has_one_that_is_not_recorded_yet(self) -> None:
        ports = Ports(IN_PARTS, versions=[WHOLE])
        assert ports.sweep().expired == 0
        assert ports.asked == []

    @pytest.mark.parametrize(("versions", "later"), [([], True), ([LOST], True), ([WHOLE], False)])
    def test_are_looked_at_again_only_when_they_can_come(self, versions: list[ObjectVersion], later: bool) -> None:
        ports = Ports(OVER._replace(url_expires_at=NOW), versions=versions)
        ports.sweep()
        assert (("sweep_later" in dict(ports.asked)), len(ports.asked)) == (later, int(later))

    @pytest.mark.parametrize(("size", "hopeless"), [(MOST - 1, False), (MOST, False), (MOST + 1, True)])
    def test_lose_what_has_no_version_once_nothing_there_may_be_the_file(self, size: int, hopeless: bool) -> None:
        ports = Ports(OVER, versions=[WHOLE._replace(size=size), LOST])
        assert ports.sweep().versions == int(hopeless)
        assert ports.asked == ([("delete", [LOST])] if hopeless else [])

    @pytest.mark.parametrize(("is_left", "aborted"), [(False, 1), (True, 0)])
    def test_count_once_s3_has_nothing_of_them(self, is_left: bool, aborted: int) -> None:
        deleted = IN_PARTS._replace(deleted_at=OVER.created_at, deletion=Deletion.UNDONE)
        assert Ports(deleted, is_left=is_left).sweep().aborted == aborted


class TestUploadsWithoutARecord:
    @pytest.mark.parametrize(("age", "ended"), [(3599.5, False), (3600, False), (3600.5, True), (3601, True)])
    def test_end_an_hour_after_they_began(self, age: float, ended: bool) -> None:
        ports = Ports(unfinished=[Unfinished(ID, "upload", NOW - age)])
        assert ports.sweep() == Swept(aborted=int(ended))
        assert ports.asked == ([("end", [(ID, "upload")])] if ended else [])

    @pytest.mark.parametrize(
        ("record", "ended"),
        [
            (IN_PARTS, False),
            (IN_PARTS._replace(upload_id="another"), True),
            # Nobody will look at it again.
            (IN_PARTS._replace(sweep_at=None), True),
        ],
    )
    def test_are_those_that_no_record_is_about(self, record: File, ended: bool) -> None:
        ports = Ports(unfinished=[Unfinished(ID, "upload", 0)], records=[record])
        assert ports.sweep().aborted == int(ended)

    def test_are_left_where_there_is_no_time(self) -> None:
        swept = Ports(unfinished=[Unfinished(ID, "upload", 0)]).sweep(has_time=False)
        assert swept == Swept(finished=False)

    def test_say_why_they_are_left(self) -> None:
        failure = RuntimeError("why")
        swept = Ports(unfinished=failure).sweep()
        assert swept == Swept(finished=False, failures=[failure])
        assert failure.__notes__ == ["uploads without a record"]
