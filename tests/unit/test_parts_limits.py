"""Uploads in parts: at the limits of their requests, and what is logged and counted of them."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from filestore import wiring
from filestore.domain.multipart import Part
from filestore.domain.plan import MAX_PARTS, MAX_SIZE, Plan
from tests.parts import MIB, begin, complete, crc64nvme, parts, send, sign
from tests.support import Clock, call
from tests.sweeping import sweep
from tests.unit.test_telemetry import counts

pytestmark = pytest.mark.usefixtures("emulator_aws")

Log = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def sent() -> dict[str, Any]:
    """An upload of which all parts are there."""
    upload = begin(8)
    send(upload, b"contents")
    return upload


class TestAList:
    """Of parts to be signed."""

    @pytest.mark.parametrize(("count", "status"), [(1, 200), (99, 200), (100, 200), (101, 400), (200, 400)])
    def test_has_at_most_a_hundred(self, configure: Callable[..., None], count: int, status: int) -> None:
        configure(MAX_FILE_SIZE=str(200 * 16 * MIB))
        reply = sign(begin(200 * 16 * MIB), [{"part_number": number} for number in range(1, count + 1)])
        assert reply.status == status
        if status == 200:
            assert [part["part_number"] for part in reply.body["parts"]] == list(range(1, count + 1))
        else:
            assert [error["path"] for error in reply.body["errors"]] == ["/parts"]

    def test_has_every_number_that_s3_has(self, configure: Callable[..., None]) -> None:
        configure(MAX_FILE_SIZE=str(MAX_SIZE))
        upload = begin(MAX_SIZE)
        assert upload["part_count"] == MAX_PARTS == 10_000
        assert sign(upload, [{"part_number": 10_000}]).body["parts"][0]["part_number"] == 10_000
        assert sign(upload, [{"part_number": 10_001}]).body["errors"][0]["path"] == "/parts/0"


class TestWhatCompletesAnUpload:
    @pytest.mark.parametrize(
        ("body", "path"),
        [
            ([], ""),
            ({"size": 8}, ""),
            ({"checksum": "AAAA"}, "/checksum"),
            ({"checksum": None}, "/checksum"),
        ],
    )
    def test_says_where_its_body_is_wrong(self, sent: dict[str, Any], body: object, path: str) -> None:
        # An empty list is a body, too.
        raw = "[]" if body == [] else None
        reply = call("complete", body, raw=raw, file_id=sent["id"], headers={"x-upload-token": sent["token"]})
        assert (reply.status, reply.body["code"]) == (400, "invalid_body")
        assert [error["path"] for error in reply.body["errors"]] == [path]


def test_a_part_of_which_s3_tells_no_checksum_has_none(monkeypatch: pytest.MonkeyPatch, sent: dict[str, Any]) -> None:
    known, silent = Part(1, 5, "etag", crc64nvme(b"y")), Part(2, 1, "etag", None)
    there = SimpleNamespace(show=lambda *_: (Plan(6, 5), [known, silent]))
    monkeypatch.setattr(wiring, "show_parts", lambda: there)
    assert parts(sent).body["parts"] == [
        {"part_number": 1, "size": 5, "checksum": crc64nvme(b"y")},
        {"part_number": 2, "size": 1},
    ]


class TestALogLine:
    def test_names_the_file(self, sent: dict[str, Any], log: Log) -> None:
        sign(sent, [{"part_number": 1}])
        parts(sent)
        complete(sent)
        messages = ["POST /file/{id}/parts", "GET /file/{id}/parts", "POST /file/{id}/complete"]
        assert [(line["message"], line.get("file_id")) for line in log()] == [(each, sent["id"]) for each in messages]

    @pytest.mark.parametrize(("store_on_load", "stored"), [("False", {}), ("True", {"FilesStored": 1})])
    def test_counts_what_was_completed_once(
        self,
        configure: Callable[..., None],
        sent: dict[str, Any],
        log: Log,
        store_on_load: str,
        stored: dict[str, float],
    ) -> None:
        configure(STORE_ON_LOAD=store_on_load)
        assert complete(sent).status == 200
        assert counts(log()[-1]) == {"UploadsRecorded": 1, "BytesUploaded": 8} | stored
        assert complete(sent).status == 200
        assert counts(log()[-1]) == {}

    def test_counts_what_nobody_completed(self, sent: dict[str, Any], clock: Clock, log: Log) -> None:
        del sent
        clock.advance(3600 + 60 + 1)
        sweep()
        line = log()[-1]
        assert line["MultipartUploadsAborted"] == [1]
        assert "MultipartUploadsAborted" in [each["Name"] for each in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]
