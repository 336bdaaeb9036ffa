"""make smoke: green on a stack that is as it should be, and it leaves nothing behind."""

import functools
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from local import emulator
from tests.smoke import is_clean, smoke_on
from tests.stack import Stack
from tests.support import ROOT

NOT_SEEN_HERE = {
    "expired-url": "URLs live for 3600 s here, and this waits for 10 at most",
    "roots": "the emulator has no TLS",
    "multipart-bare-parts": "the emulator's multipart uploads differ from S3's",
    "multipart-wrong-checksum": "the emulator's multipart uploads differ from S3's",
    "multipart-complete-twice": "the emulator's multipart uploads differ from S3's",
    "multipart-abort-after-complete": "the emulator's multipart uploads differ from S3's",
    "metrics-arrive": "the emulator makes no metrics of log lines: metrics-emitted has looked at the lines",
    "parameter-change": "not asked for: UPDATE=yes changes a parameter and sets it back, for some minutes",
}
EVERY = 56


@pytest.fixture(scope="module", autouse=True)
def clients_are_kept() -> Iterator[None]:
    """Making a client is slow, and every run would make nine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "client", functools.cache(emulator.client))
        yield


def records_of_smoke(stack: Stack) -> list[dict[str, Any]]:
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs["TableName"])
    return [item for page in pages for item in page["Items"] if item["name"]["S"].startswith("filestore-smoke-")]


class TestOnWhatMakeRunRuns:
    @pytest.fixture(scope="class")
    def rows(self, stack: Stack) -> dict[str, tuple[str, str]]:
        """Verdict and words by row, as an operator reads them."""
        command = [sys.executable, "-m", "ops.smoke", "--state-dir", str(stack.state)]
        shown = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
        table, _, bill = shown.stdout.partition("It made ")
        assert re.match(r"\d+ requests to the API, \d+ uploads to S3, .*: 0\.\d\d cents at most\.\n", bill), (
            shown.stderr
        )
        joined = re.sub(r"\n {10,}", " ", table)
        found = re.findall(r"^(OK|FAILED|NOT SEEN) +(\S+) +(.*)$", joined, re.MULTILINE)
        return {name: (verdict, said) for verdict, name, said in found}

    def test_everything_holds_that_can_be_seen(self, rows: dict[str, tuple[str, str]]) -> None:
        assert len(rows) == EVERY
        wrong = {name: row for name, row in rows.items() if row[0] == "FAILED"}
        assert wrong == {}
        assert {name: said for name, (verdict, said) in rows.items() if verdict == "NOT SEEN"} == NOT_SEEN_HERE

    @pytest.mark.parametrize(("name", "status"), [("put-chunked", "501"), ("put-unsigned-header", "403")])
    def test_the_emulator_refuses_what_s3_refuses(
        self, rows: dict[str, tuple[str, str]], name: str, status: str
    ) -> None:
        assert rows[name] == ("OK", status)

    def test_nothing_stays_but_the_records_of_deleted_files(
        self, stack: Stack, rows: dict[str, tuple[str, str]]
    ) -> None:
        verdict, said = rows["cleanup"]
        count = re.fullmatch(
            r"keys, files and buckets of this run are gone; (\d+) records of deleted files stay, as always", said
        )
        assert verdict == "OK"
        assert count
        assert is_clean(stack.client)
        ours = records_of_smoke(stack)
        assert len(ours) == int(count[1])
        assert [record for record in ours if "deleted_at" not in record] == []
        assert [version for record in ours for version in stack.versions(record["id"]["S"])] == []

    def test_ctrl_c_leaves_nothing_behind(self, stack: Stack) -> None:
        command = [sys.executable, "-m", "ops.smoke", "--state-dir", str(stack.state)]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            # Of several files that are stored by then one is about to be deleted.
            assert any("] delete-at-once" in line for line in running.stderr)
            running.send_signal(signal.SIGINT)
            table, _ = running.communicate(timeout=60)
        assert running.returncode == 130
        assert re.search(r"^OK +store-before-event ", table, re.MULTILINE)
        assert re.search(r"^OK +cleanup ", table, re.MULTILINE)
        assert is_clean(stack.client)
        alive = [record for record in records_of_smoke(stack) if "deleted_at" not in record]
        # Nobody got the answer to the request that was interrupted: its record holds nothing, and the sweep removes it.
        assert [record["id"] for record in alive if "uploaded_at" in record] == []
        assert len(alive) <= 1


def test_a_stack_that_stores_files_as_they_arrive(storing_stack: Stack) -> None:
    rows = smoke_on(
        storing_stack.state, "event", "store-before-event", "details-and-flags", "problems", "undo", "delete",
        "delete-at-once", "too-many-ids", "put-over-stored", "download", "several-sets-and-removes",
    )  # fmt: skip
    assert {name: row.verdict for name, row in rows.items() if row.verdict != "OK"} == {}
    assert len(rows) == 13


def test_urls_that_expire_soon(hasty_stack: Stack) -> None:
    assert smoke_on(hasty_stack.state, "expired-url")["expired-url"].said == "after 2 s"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "source"}
