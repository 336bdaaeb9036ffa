"""A store that is refused though its record says that it can be."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from filestore.domain.outcome import Attempt, Problem, Refused
from filestore.use_cases.store import StoreFiles
from tests.unit.test_states import ID, UPLOADED


def test_what_could_be_stored_and_is_refused_all_the_same_is_to_be_tried_again() -> None:
    class Files:
        def of(self, _: str | None) -> "Files":
            return self

        def store(self, ids: Sequence[str], **_: object) -> dict[str, Attempt]:
            return dict.fromkeys(ids, Refused(UPLOADED))

        def record_and_store_uploads(self, *_: object, **__: object) -> dict[str, Attempt]:
            return {}

    settings: Any = SimpleNamespace(store_on_load=False, max_file_size=10)
    bucket: Any = SimpleNamespace(versions=lambda _: {}, content_types=lambda _: {})
    files: Any = Files()
    outcome = StoreFiles(files, bucket, settings, lambda: 1000).store([ID], owner=None)
    assert (outcome.ids, outcome.problems) == ((), {ID: Problem.TRY_AGAIN})
