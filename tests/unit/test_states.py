"""The life of a file, as the statements have it: DynamoDB itself decides, on the emulator."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from filestore import wiring
from filestore.domain import lifecycle
from filestore.domain.file import Deletion, File, ObjectVersion
from filestore.domain.lifecycle import State, Transition
from filestore.domain.outcome import Applied, Attempt, Refused
from filestore.domain.ports import DueFiles
from filestore.storage.conditions import where
from filestore.storage.repository import FileRepository

ID = "0123456789abcdef0123456789abcdef"
THEN, NOW = "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
VERSION = ObjectVersion(key=ID, version_id="v", size=1, etag="e")
PENDING = File(
    ID, "a", "text/plain", created_at=THEN, url_expires_at=2000, token_hash="h", sweep_at=1000, purge_at=9000
)
UPLOADED = PENDING._replace(uploaded_at=THEN, version_id="u", etag="e", size=2, purge_at=None)
STORED = UPLOADED._replace(stored_at=THEN, sweep_at=None)
FILES = {
    "pending": PENDING,
    "uploaded": UPLOADED,
    "stored": STORED,
    "stored on load": STORED._replace(sweep_at=1000),
    "deleted before it came": PENDING._replace(deleted_at=THEN, deletion=Deletion.REQUESTED),
    "deleted": STORED._replace(deleted_at=THEN, deletion=Deletion.REQUESTED, sweep_at=1000),
    "undone": UPLOADED._replace(deleted_at=THEN, deletion=Deletion.UNDONE),
    "expired": UPLOADED._replace(deleted_at=THEN, deletion=Deletion.EXPIRED),
}
STATES = {
    "pending": "pending",
    "uploaded": "uploaded",
    "stored": "stored",
    "stored on load": "stored",
    "deleted before it came": "deleted",
    "deleted": "deleted",
    "undone": "deleted",
    "expired": "expired",
}

# What each may begin with, and what it ends in; "" is no record.
EXPECTED: Mapping[str, tuple[set[str], str]] = {
    "RECORD": ({"pending"}, "uploaded"),
    "RECORD_AND_STORE": ({"pending"}, "stored"),
    "STORE": ({"uploaded"}, "stored"),
    "DELETE": ({"pending", "uploaded", "stored"}, "deleted"),
    "UNDO": ({"pending", "uploaded"}, "deleted"),
    "UNDO_EVEN_STORED": ({"pending", "uploaded", "stored"}, "deleted"),
    "EXPIRE": ({"uploaded"}, "expired"),
    "ABANDON": ({"pending"}, "expired"),
    "REMOVE_PENDING": ({"pending"}, ""),
}
TRY: Mapping[str, Callable[[FileRepository, DueFiles], Mapping[str, Attempt]]] = {
    "RECORD": lambda files, _: files.record_uploads([VERSION], uploaded_at=NOW, sweep_at=None, max_size=1),
    "RECORD_AND_STORE": lambda files, _: files.record_and_store_uploads([VERSION], at=NOW, max_size=1),
    "STORE": lambda files, _: files.store([ID], stored_at=NOW),
    "DELETE": lambda files, _: files.delete([ID], deleted_at=NOW, sweep_at=1500),
    "UNDO": lambda files, _: {
        ID: files.undo(ID, token_hash="h", deleted_at=NOW, sweep_at=1500, even_stored=False),
    },
    "UNDO_EVEN_STORED": lambda files, _: {
        ID: files.undo(ID, token_hash="h", deleted_at=NOW, sweep_at=1500, even_stored=True),
    },
    "EXPIRE": lambda _, due: due.expire([ID], deleted_at=NOW),
    "ABANDON": lambda _, due: due.abandon([ID], deleted_at=NOW, now=1000),
    "REMOVE_PENDING": lambda _, due: due.remove_pending([ID], now=1000),
}
# What leaves the state as it is.
UPKEEP: Mapping[str, tuple[set[str], Callable[[FileRepository, DueFiles], Mapping[str, Attempt]]]] = {
    "keep pending": ({"pending"}, lambda _, due: due.keep_pending([ID])),
    "finish deletion": ({"deleted", "expired"}, lambda _, due: due.finish_deletion({ID: 5000})),
    "sweep pending later": ({"pending"}, lambda _, due: due.sweep_later({ID: 1500}, lifecycle.PENDING)),
    "sweep uploaded later": ({"uploaded"}, lambda _, due: due.sweep_later({ID: 1500}, lifecycle.UPLOADED)),
    "sweep deleted later": ({"deleted", "expired"}, lambda _, due: due.sweep_later({ID: 1500}, lifecycle.OVER)),
}


@pytest.fixture
def files(emulator_aws: None) -> Any:
    del emulator_aws
    return wiring.store_files().files


@pytest.mark.parametrize("name", FILES)
def test_a_file_tells_its_state(name: str) -> None:
    assert FILES[name].state == STATES[name]


def test_every_transition_is_tried_here_and_begins_and_ends_as_written_here() -> None:
    transitions = {name: each for name, each in vars(lifecycle).items() if isinstance(each, Transition)}
    assert {name: (set(each.before), each.after or "") for name, each in transitions.items()} == EXPECTED
    assert TRY.keys() == EXPECTED.keys()


@pytest.mark.parametrize("transition", EXPECTED)
@pytest.mark.parametrize("name", FILES)
def test_a_transition_happens_where_it_may_and_nowhere_else(files: FileRepository, name: str, transition: str) -> None:
    before, after = EXPECTED[transition]
    files.create(FILES[name])
    (attempt,) = TRY[transition](files, wiring.sweep().due).values()
    found, _ = files.get([ID])
    if STATES[name] in before:
        assert isinstance(attempt, Applied)
        assert (found[ID].state if found else "") == after
        return
    assert attempt == Refused(FILES[name])
    assert found[ID] == FILES[name]


@pytest.mark.parametrize("work", UPKEEP)
@pytest.mark.parametrize("name", FILES)
def test_upkeep_is_done_where_it_is_needed_and_changes_no_state(files: FileRepository, name: str, work: str) -> None:
    states, do = UPKEEP[work]
    files.create(FILES[name])
    (attempt,) = do(files, wiring.sweep().due).values()
    assert isinstance(attempt, Applied) == (STATES[name] in states)
    assert files.get([ID])[0][ID].state == STATES[name]


def test_states_that_no_statement_asks_for_have_no_condition() -> None:
    """A condition that nobody has thought through is none."""
    with pytest.raises(KeyError):
        where(ID, frozenset({State.STORED, State.EXPIRED}))
