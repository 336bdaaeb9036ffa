"""The demo back end's database: damaged, its copy takes its place, or it is said what to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from local import database
from local.errors import LocalError
from tests.unit.test_state import DAMAGES


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "applications.sqlite"
    submit(path, 200)
    return path


def submit(file: Path, count: int) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS applications (name TEXT)")
        connection.executemany("INSERT INTO applications VALUES (?)", [["x" * 100]] * count)


def submitted(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM applications").fetchone()[0])


class TestDatabase:
    def test_that_was_not_made_yet_is_as_it_should_be(self, tmp_path: Path) -> None:
        assert database.check(tmp_path / "applications.sqlite", "applications") is None

    def test_that_is_whole_is_left_alone(self, file: Path) -> None:
        assert database.check(file, "applications") is None
        submit(file, 1)
        assert database.check(file, "applications") is None
        assert submitted(file) == 201

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_that_is_damaged_leaves_its_place_to_its_copy(self, file: Path, damage: str) -> None:
        database.check(file, "applications")
        submit(file, 1)
        DAMAGES[damage](file)
        note = database.check(file, "applications")
        assert note
        assert note.startswith(f"{file} is ")
        assert note.endswith("A copy of the last start takes its place; what was submitted since is not in it.")
        assert submitted(file) == 200

    @pytest.mark.parametrize("damage", ["cut to half", "garbage"])
    def test_that_is_damaged_and_has_no_copy_is_told_with_the_way_out(self, file: Path, damage: str) -> None:
        DAMAGES[damage](file)
        with pytest.raises(LocalError) as refused:
            database.check(file, "applications")
        assert str(refused.value) == f"{file} is damaged. Put it back, or start anew: mv {file} {file}.damaged"
        file.rename(f"{file}.damaged")
        assert database.check(file, "applications") is None
