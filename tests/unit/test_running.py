"""Whether a stack runs on this machine: its lock says so, and not the file that it leaves when it is killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import running
from local.errors import LocalError

NONE = r"^No stack runs here\. Try: make run$"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "outputs.json").write_text('{"AwsEndpointUrl": "http://127.0.0.1:4566"}')
    return tmp_path


@pytest.fixture
def locked(state: Path) -> Iterator[Path]:
    """A state folder as a running stack has it."""
    lock = running.claim(state)
    assert lock
    yield state
    lock.close()


def test_one_that_runs_has_outputs(locked: Path) -> None:
    assert running.outputs(locked) == {"AwsEndpointUrl": "http://127.0.0.1:4566"}


def test_one_that_was_killed_has_none(state: Path) -> None:
    """The port may be another program's by now, and the key of the emulator's root is not for it."""
    lock = running.claim(state)
    assert lock
    # As the end of a process does it.
    lock.close()
    with pytest.raises(LocalError, match=NONE):
        running.outputs(state)


def test_one_that_is_starting_has_none_yet(locked: Path) -> None:
    (locked / "outputs.json").unlink()
    with pytest.raises(LocalError, match=NONE):
        running.outputs(locked)


@pytest.mark.parametrize("folder", [".", "none", "outputs.json"])
def test_where_none_ever_ran_there_is_none(state: Path, folder: str) -> None:
    with pytest.raises(LocalError, match=NONE):
        running.outputs(state / folder)


def test_two_do_not_run_in_one_folder(locked: Path) -> None:
    assert running.claim(locked) is None
    assert running.outputs(locked)


def test_who_looks_keeps_nobody_from_starting(state: Path) -> None:
    with pytest.raises(LocalError, match=NONE):
        running.outputs(state)
    lock = running.claim(state)
    assert lock
    lock.close()


def test_a_folder_with_files_of_somebody_is_not_a_stacks(tmp_path: Path) -> None:
    """A start clears a folder in it, and keeps others out of all of it."""
    assert not running.is_foreign(tmp_path / "none")
    assert not running.is_foreign(tmp_path)
    (tmp_path / "tmp").mkdir()
    assert running.is_foreign(tmp_path)


def test_a_folder_that_a_stack_had_is_one_whatever_is_in_it(locked: Path) -> None:
    assert not running.is_foreign(locked)
