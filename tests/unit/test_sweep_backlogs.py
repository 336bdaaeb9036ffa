"""The sweep of more than one page, and what it says of what is due."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from filestore.storage.statements import Statements
from tests.support import Clock, Context, call, counted_calls, invoke, put, upload_event
from tests.sweeping import NOTHING, sweep

pytestmark = pytest.mark.usefixtures("emulator_aws")

Versions = Callable[[], list[tuple[str, str]]]


class TestBacklogs:
    @staticmethod
    def upload(count: int) -> list[str]:
        uploads = [call("upload", {"name": "a"}).body for _ in range(count)]
        invoke("uploaded", upload_event(*(put(upload["url"], b"x") for upload in uploads)))
        return [upload["id"] for upload in uploads]

    def test_are_paged_through(self, clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("filestore.storage.due._PAGE", 2)
        self.upload(60)
        clock.advance(7200)
        assert sweep()["expired"] == 60
        assert versions() == []

    def test_that_take_too_long_are_gone_on_with_by_the_next_sweep(
        self, clock: Clock, versions: Versions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("filestore.storage.due._PAGE", 2)
        self.upload(60)
        clock.advance(7200)
        first = sweep(Context(itertools.chain([300_000] * 3, itertools.repeat(1_000))))
        assert first["finished"] is False
        assert 0 < first["expired"] < 60
        second = sweep()
        assert second["finished"] is True
        assert first["expired"] + second["expired"] == 60
        assert versions() == []

    def test_are_not_swept_twice(self, clock: Clock) -> None:
        self.upload(10)
        call("upload", {"name": "placeholder"})
        call("delete", self.upload(2))
        clock.advance(7200)
        sweep()
        with counted_calls() as calls:
            assert sweep() == NOTHING
        assert calls == {"Query": 16, "ListMultipartUploads": 1}


class TestGauges:
    """What the alarms look at."""

    def test_say_how_many_are_due_and_for_how_long(self, clock: Clock, log: Callable[[], list[dict[str, Any]]]) -> None:
        for _ in range(3):
            call("upload", {"name": "a"})
            clock.advance(100)
        clock.advance(3660)
        sweep()
        assert (log()[-1]["DueFiles"], log()[-1]["OldestDueAge"]) == ([3.0], [300.0])

    def test_are_zero_where_nothing_is_due(self, log: Callable[[], list[dict[str, Any]]]) -> None:
        sweep()
        assert (log()[-1]["DueFiles"], log()[-1]["OldestDueAge"]) == ([0.0], [0.0])

    def test_are_not_there_where_what_is_due_could_not_be_read(
        self, clock: Clock, log: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Throttled for good: the sweep must not say that all is well."""
        call("upload", {"name": "a"})
        clock.advance(3660)
        monkeypatch.setattr(Statements, "read", lambda _, ids: ({}, set(ids)))
        with pytest.raises(ExceptionGroup, match="not swept"):
            invoke("sweep", {})
        assert not {"DueFiles", "OldestDueAge"} & log()[-1].keys()
