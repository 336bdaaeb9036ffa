"""How often the table is asked to take an upload back, and what its refusals mean."""

from types import SimpleNamespace
from typing import Any

import pytest

from filestore.domain.file import Deletion, File, ObjectVersion, hash_token
from filestore.domain.outcome import Applied, Attempt, Refused
from filestore.errors import AlreadyStoredError, FilestoreError, InvalidTokenError, TryAgainError
from filestore.use_cases.undo import UndoUpload
from tests.unit.test_states import ID, PENDING, STORED, THEN

PUT = PENDING._replace(token_hash=hash_token("token"))
IN_PARTS = PUT._replace(upload_id="upload", part_size=5, size=6)
DELETED = IN_PARTS._replace(deleted_at=THEN, deletion=Deletion.UNDONE, sweep_at=None)


class Table:
    """Answers one attempt after the other; ``asked`` is whether they were to take back what is stored, too."""

    def __init__(self, *answers: Attempt) -> None:
        self._answers = list(answers)
        self.asked: list[bool] = []

    def undo(self, file_id: str, *, even_stored: bool, **_: object) -> Attempt:
        assert file_id == ID
        self.asked.append(even_stored)
        return self._answers.pop(0)

    def take_back(self, *, store_on_load: bool) -> None:
        files: Any = self
        rest: Any = SimpleNamespace(
            store_on_load=store_on_load, abort=lambda *_: True, delete=lambda _: dict[str, list[ObjectVersion]]()
        )
        UndoUpload(files, rest, rest, rest, lambda: 1000).undo(ID, "token")


@pytest.mark.parametrize("store_on_load", [True, False])
@pytest.mark.parametrize("file", [PUT, IN_PARTS])
def test_what_can_be_taken_back_is_so_at_once(store_on_load: bool, file: File) -> None:
    table = Table(Applied(file))
    table.take_back(store_on_load=store_on_load)
    assert table.asked == [store_on_load]


def test_parts_go_on_when_their_urls_do_not() -> None:
    table = Table(Refused(IN_PARTS), Applied(IN_PARTS))
    table.take_back(store_on_load=True)
    assert table.asked == [True, False]


@pytest.mark.parametrize(
    ("current", "store_on_load", "error"),
    [
        (PUT, True, InvalidTokenError),
        (PUT, False, TryAgainError),
        (IN_PARTS, False, TryAgainError),
        (STORED._replace(token_hash=PUT.token_hash, upload_id="upload"), True, AlreadyStoredError),
    ],
)
def test_what_is_refused_is_asked_for_once(current: File, store_on_load: bool, error: type[FilestoreError]) -> None:
    table = Table(Refused(current))
    with pytest.raises(error):
        table.take_back(store_on_load=store_on_load)
    assert table.asked == [store_on_load]


def test_what_is_taken_back_already_stays_so() -> None:
    table = Table(Refused(DELETED))
    table.take_back(store_on_load=True)
    assert table.asked == [True]
