"""The demo back end's database, looked at before it is used: when it is damaged, its copy takes its place."""

import contextlib
import shlex
import sqlite3
from pathlib import Path

from local import state
from local.errors import LocalError


def check(file: Path, table: str) -> str | None:
    """Copy the database, or go back to its copy; returns what is to be told then.

    Raises LocalError where it is damaged and there is no copy. A database may not have been made yet.
    """
    copy = file.with_name(file.name + ".previous")
    problem = _problem(file, table)
    if problem is None:
        _copy(file, copy)
        return None
    if _problem(copy, table) is None:
        file.with_name(file.name + "-journal").unlink(missing_ok=True)
        _copy(copy, file)
        return f"{file} {problem}. A copy of the last start takes its place; what was submitted since is not in it."
    if not file.exists() or file.stat().st_size == 0:
        return None
    aside = shlex.quote(f"{file}.damaged")
    raise LocalError(f"{file} {problem}. Put it back, or start anew: mv {shlex.quote(str(file))} {aside}")


def _problem(file: Path, table: str) -> str | None:
    if not file.exists():
        return "is missing"
    if file.stat().st_size == 0:
        return "is empty"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        try:
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            connection.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - a name of ours
            ((pages,), (size,)) = (connection.execute(f"PRAGMA page_{what}").fetchone() for what in ("count", "size"))
        except sqlite3.Error:
            return "is damaged"
    # SQLite reads what is cut off as zeros.
    return None if found == "ok" and file.stat().st_size == pages * size else "is damaged"


def _copy(source: Path, target: Path) -> None:
    draft = target.with_name(target.name + ".draft")
    draft.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(source)) as origin, contextlib.closing(sqlite3.connect(draft)) as copy:
        origin.backup(copy)
    state.sync(draft)
    draft.replace(target)
    state.sync(target.parent)
