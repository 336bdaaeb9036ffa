"""What is due to the second, and how values are laid out that no file has."""

from typing import Any

import pytest

from filestore import wiring
from filestore.domain.outcome import Applied, Refused
from filestore.storage.items import from_item, to_attribute
from filestore.storage.repository import FileRepository
from tests.unit.test_states import ID, NOW, PENDING

IN_PARTS = PENDING._replace(upload_id="upload", part_size=5)


@pytest.fixture
def files(emulator_aws: None) -> Any:
    del emulator_aws
    return wiring.store_files().files


@pytest.mark.parametrize(("now", "is_due"), [(998, False), (999, False), (1000, True), (1001, True)])
class TestAPendingFileThatIsDueAt1000:
    def test_is_abandoned_from_then_on(self, files: FileRepository, now: int, is_due: bool) -> None:
        files.create(IN_PARTS)
        attempt = wiring.sweep().due.abandon([ID], deleted_at=NOW, now=now)[ID]
        found = files.get([ID])[0][ID]
        if is_due:
            assert isinstance(attempt, Applied)
            # As long as parts may be there TTL must not drop the record.
            assert (found.deleted_at, found.purge_at, found.sweep_at) == (NOW, None, 1000)
        else:
            assert attempt == Refused(IN_PARTS)
            assert found == IN_PARTS

    def test_is_removed_from_then_on(self, files: FileRepository, now: int, is_due: bool) -> None:
        files.create(PENDING)
        wiring.sweep().due.remove_pending([ID], now=now)
        assert (ID not in files.get([ID])[0]) == is_due


class TestValues:
    @pytest.mark.parametrize(("value", "kind"), [(1.5, "float"), ([], "list"), (None, "NoneType"), (b"", "bytes")])
    def test_that_no_file_has_are_not_written(self, value: object, kind: str) -> None:
        with pytest.raises(TypeError, match=f"no attribute type for {kind}$"):
            to_attribute(value)

    def test_that_no_release_has_written_are_not_read(self) -> None:
        with pytest.raises(TypeError, match="an attribute of type L is none of ours"):
            from_item({"id": {"S": ID}, "size": {"L": []}})
