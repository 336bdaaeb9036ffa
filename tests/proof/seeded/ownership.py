"""Seeded bugs in whose files a key has to do with."""

from collections.abc import Mapping
from typing import Any
from unittest import mock

from filestore.domain.file import File
from filestore.storage import conditions
from filestore.storage.statements import Statements
from filestore.use_cases.content import LinkContent
from filestore.use_cases.info import DescribeFiles
from filestore.use_cases.list import Query
from filestore.use_cases.store import StoreFiles
from filestore.use_cases.update import UpdateFile
from tests.proof.seeded.patching import Bug, change, statement


def _nobodys_condition(*args: Any, owner: str | None = None) -> Any:
    del owner
    return conditions.where(*args)


def _of_stored_files_alone(original: Any, statements: Any, changes: Any) -> Any:
    def is_left_out(each: Any) -> bool:
        return 'SET "deletion"' in each.statement and '"stored_at" IS MISSING' in each.statement

    owned = statements._owner is not None  # noqa: SLF001
    return original(statements, [each for each in changes if not (owned and is_left_out(each))])


BUGS: Mapping[str, Bug] = {
    "the condition of every write forgets the owner": lambda: mock.patch(
        "filestore.storage.statements.where", _nobodys_condition
    ),
    "a key sees the records of all": lambda: mock.patch.object(File, "is_known_to", return_value=True),
    "a refusal brings another's record": lambda: mock.patch(
        "filestore.storage.statements.Statements._known", lambda _, file: file
    ),
    "a key describes the files of all": change(
        DescribeFiles, "describe", lambda original, *args, **values: original(*args, **values | {"owner": None})
    ),
    "a key is led to the contents of all": change(
        LinkContent, "link", lambda original, *args, **values: original(*args, **values | {"owner": None})
    ),
    "every key stores for nobody": change(
        StoreFiles, "store", lambda original, *args, **_: original(*args, owner=None)
    ),
    "an upload whose event was not seen is stored for nobody": change(
        StoreFiles, "_store_unseen", lambda original, store, _, unseen: original(store, store.files, unseen)
    ),
    "the list of a key is that of nobody": lambda: mock.patch(
        "filestore.storage.places.list_shard", lambda digit, _: digit
    ),
    "a file is in the list of nobody": lambda: mock.patch(
        "filestore.storage.items.list_shard", lambda digit, _: digit
    ),
    "a cursor of another key is taken": change(
        Query, "_mark", lambda original, query, place: original(query._replace(owner=None), place)
    ),
    "a file that is stored again gets another owner": statement(
        '"uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING AND "deleted_at" IS MISSING',
        '"uploaded_at" IS NOT MISSING AND "deleted_at" IS MISSING',
    ),
    "uploads that nobody stored cannot be deleted by a key": change(Statements, "execute", _of_stored_files_alone),
    "a key renames the files of all": change(
        UpdateFile, "update", lambda original, *args, **values: original(*args, **values | {"owner": None})
    ),
}  # fmt: skip
