"""What a sweep costs in calls of AWS."""

from typing import Any

import pytest

from filestore import wiring
from filestore.storage import aws
from tests.support import counted_calls, invoke, sample_event


@pytest.mark.usefixtures("emulator_aws")
class TestSweep:
    def _fill(self, count: int, *, shards: int = 16, due: bool) -> None:
        """Records that are stored, or deleted and due, spread over the first shards."""
        table = wiring.settings().table_name
        state = {"deleted_at": {"S": "x"}, "deletion": {"S": "requested"}} if due else {"stored_at": {"S": "x"}}
        items = [
            {
                "id": {"S": f"{number % shards:x}{number:031x}"},
                "name": {"S": "a"},
                "type": {"S": "text/plain"},
                "created_at": {"S": "2026-01-01T00:00:00.000Z"},
                "url_expires_at": {"N": "0"},
                **state,
                **({"sweep_shard": {"S": f"{number % shards:x}"}, "sweep_at": {"N": "1"}} if due else {}),
            }
            for number in range(count)
        ]
        for start in range(0, count, 25):
            batch: Any = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            aws.dynamodb().batch_write_item(RequestItems={table: batch})

    def test_reads_only_what_is_due_however_full_the_table_is(self) -> None:
        self._fill(500, due=False)
        with counted_calls() as calls:
            invoke("sweep", sample_event("sweep"))
        assert calls == {"Query": 16, "ListMultipartUploads": 1}

    def test_reads_a_page_of_100_at_a_time_and_writes_25_at_a_time(self) -> None:
        self._fill(101, shards=1, due=True)
        with counted_calls() as calls:
            invoke("sweep", sample_event("sweep"))
        assert calls == {
            "Query": 16 + 1,
            "ListMultipartUploads": 1,
            "BatchGetItem": 2,
            "ListObjectVersions": 101,
            "BatchExecuteStatement": 4 + 1,
        }

    def test_a_second_one_writes_nothing(self) -> None:
        self._fill(32, due=True)
        invoke("sweep", sample_event("sweep"))
        with counted_calls() as calls:
            invoke("sweep", sample_event("sweep"))
        assert calls == {"Query": 16, "ListMultipartUploads": 1}
