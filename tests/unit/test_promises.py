"""What the documents promise in figures is what the code does: neither changes without the other."""

import base64
import random
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from filestore import api, wiring
from tests.support import ROOT, SWAGGER, TEMPLATE, Clock, call, invoke, put, sample_event, upload_event

Record = Callable[[str], dict[str, Any] | None]

SCHEMAS = SWAGGER["components"]["schemas"]
RESOURCES = TEMPLATE["Resources"]
NUMBERS = {"a": 1, "four": 4, "five": 5, "ten": 10, "seven": 7}
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 24 * 3600, "week": 7 * 24 * 3600}


def said(document: str, pattern: str) -> int:
    """The one figure that a document gives in these words; a duration in seconds."""
    text = " ".join((ROOT / document).read_text().split())
    found = {match.groups() for match in re.finditer(pattern, text)}
    assert len(found) == 1, f"{document} says it in {len(found)} ways: {pattern}"
    number, *unit = found.pop()
    amount = NUMBERS[number] if number in NUMBERS else int(number)
    return amount * SECONDS[unit[0].rstrip("s")] if unit else amount


def whole_numbers(parameter: str) -> tuple[int, int]:
    """The first and the last that a parameter takes."""
    first, last = re.findall(r"\d+", TEMPLATE["Parameters"][parameter]["ConstraintDescription"])
    return int(first), int(last)


@pytest.mark.usefixtures("moto_aws")
class TestSecrets:
    def test_a_token_has_as_many_random_bits_as_is_said(self) -> None:
        """It is all that keeps a stranger from taking back an upload, and a plain hash of it is kept."""
        bits = said("SECURITY.md", r"token of (\d+) random bits")
        assert bits == 256
        for _ in range(20):
            token = call("upload", {"name": "a", "size": 1}).body["token"]
            assert len(base64.b64decode(token + "=", altchars="-_", validate=True)) * 8 == bits

    def test_an_id_has_as_many_random_bits_as_is_said(self) -> None:
        bits = said("SECURITY.md", r"Ids are guessed \| (\d+) bits from a cryptographic source")
        assert bits == said("docs/from-2019.md", r"(\d+) random bits") == 128
        for _ in range(20):
            file_id = call("upload", {"name": "a"}).body["id"]
            assert re.fullmatch("[0-9a-f]+", file_id)
            assert len(file_id) * 4 == bits

    def test_neither_follows_from_what_a_generator_said_before(self) -> None:
        seen = set()
        for _ in range(3):
            random.seed(1)
            body = call("upload", {"name": "a", "size": 1}).body
            seen |= {body["id"], body["token"]}
        assert len(seen) == 6

    def test_every_bit_of_them_varies(self) -> None:
        """As many as there are would be no good if most were the same each time."""
        uploads = [call("upload", {"name": "a", "size": 1}).body for _ in range(64)]
        for bits, values in (
            (128, [int(upload["id"], 16) for upload in uploads]),
            (256, [int.from_bytes(base64.urlsafe_b64decode(upload["token"] + "=")) for upload in uploads]),
        ):
            assert all(len({value >> bit & 1 for value in values}) == 2 for bit in range(bits))


@pytest.mark.usefixtures("moto_aws")
class TestLimits:
    @pytest.mark.parametrize("operation", ["store", "info", "delete"])
    def test_as_many_ids_as_are_promised_are_taken_and_no_more(self, operation: str) -> None:
        most = said("swagger.yaml", r"There are up to (\d+) of them")
        assert most == said("docs/back-end.md", r"up to (\d+), duplicates")
        assert most == api.MAX_IDS == 100
        assert call(operation, [f"no id {number}" for number in range(most)]).status == 200
        assert call(operation, [f"no id {number}" for number in range(most + 1)]).body["code"] == "too_many_ids"

    def test_as_much_meta_as_is_promised_is_taken_and_no_more(self) -> None:
        meta = SCHEMAS["UploadRequest"]["properties"]["meta"]
        pairs, key, value, octets = map(int, re.findall(r"\b\d+\b", meta["description"].split("octets")[0]))
        assert (pairs, key, value, octets) == (50, 64, 512, 2048)
        assert octets == said("docs/back-end.md", r"values of 512 characters, (\d+) octets in UTF-8 together")

        def status(count: int, keys: int, values: int) -> int:
            return call(
                "upload", {"name": "a", "meta": {str(n).zfill(keys): "x" * values for n in range(count)}}
            ).status

        assert {status(pairs, 2, 2), status(1, key, value)} == {200}
        assert {status(pairs + 1, 2, 1), status(1, key + 1, value), status(1, key, value + 1)} == {400}
        assert (status(4, key, 448), status(4, key, 449)) == (200, 400)

    def test_the_algorithms_that_are_promised_are_those_that_are_taken(self) -> None:
        digests = {"SHA256": 32, "CRC32": 4, "CRC64NVME": 8, "SHA1": 20, "CRC32C": 4, "MD5": 16, "SHA512": 64}
        taken = [
            algorithm
            for algorithm, octets in digests.items()
            if call(
                "upload",
                {
                    "name": "a",
                    "checksum": {"algorithm": algorithm, "value": base64.b64encode(bytes(octets)).decode()},
                },
            ).status
            == 200
        ]
        checksum = SCHEMAS["UploadRequest"]["properties"]["checksum"]
        assert checksum["properties"]["algorithm"]["enum"] == taken == ["SHA256", "CRC32", "CRC64NVME"]

    def test_what_is_signed_lives_as_long_as_is_said(self, configure: Callable[..., None], clock: Clock) -> None:
        configure(SIGNED_URL_EXPIRATION="77")
        body = call("upload", {"name": "a", "size": 1}).body
        assert "X-Amz-Expires=77" in body["url"]
        assert datetime.fromisoformat(body["expires_at"]).timestamp() == int(clock()) + 77


@pytest.mark.usefixtures("emulator_aws")
class TestTimes:
    def test_a_url_is_given_a_minute_more_than_it_lives(self, requested: dict[str, Any], record: Record) -> None:
        margin = said("docs/operations.md", r"`SignedUrlExpiration` and (a) (minute) are over")
        assert margin == 60
        item = record(requested["id"]) or {}
        assert int(item["sweep_at"]) - int(item["url_expires_at"]) == margin

    def test_ttl_drops_what_the_sweep_left_a_week_after_the_longest_margin(
        self, requested: dict[str, Any], record: Record
    ) -> None:
        backstop = said("docs/operations.md", r"the table's TTL would, (a) (week) after the longest margin")
        assert backstop == 7 * 24 * 3600
        item = record(requested["id"]) or {}
        _, longest = whole_numbers("LateUploadMargin")
        assert int(item["purge_at"]) - int(item["sweep_at"]) == longest + backstop

    @pytest.mark.parametrize("taken_back", [False, True])
    def test_the_record_of_what_was_never_stored_is_kept_for_30_days(
        self, uploaded: dict[str, Any], clock: Clock, record: Record, taken_back: bool
    ) -> None:
        kept = said("docs/operations.md", r"the record is dropped after (\d+) (days)")
        assert kept == said("docs/back-end.md", r"kept for (\d+) (days) after they were removed") == 30 * 24 * 3600
        if taken_back:
            call("undo", file_id=uploaded["id"], headers={"x-upload-token": uploaded["token"]})
        clock.advance(3600 + int(TEMPLATE["Parameters"]["LateUploadMargin"]["Default"]))
        invoke("sweep", sample_event("sweep"))
        assert int((record(uploaded["id"]) or {})["purge_at"]) == int(clock()) + kept

    def test_an_upload_that_nobody_stores_lives_as_long_as_the_parameter_says(
        self, configure: Callable[..., None], clock: Clock
    ) -> None:
        configure(UNSTORED_FILE_LIFETIME="100", SIGNED_URL_EXPIRATION="10")
        upload = call("upload", {"name": "a"}).body
        invoke("uploaded", upload_event(put(upload["url"], b"x")))
        clock.advance(99)
        assert invoke("sweep", {})["expired"] == 0
        clock.advance(1)
        assert invoke("sweep", {})["expired"] == 1

    def test_messages_come_again_as_often_and_lie_as_long_as_is_said(self) -> None:
        attempts = said("docs/operations.md", r"could not be handled in (\w+) attempts")
        assert attempts == said("docs/monitoring.md", r"could not be handled in (\w+) attempts") == 5
        assert RESOURCES["UploadedQueue"]["Properties"]["RedrivePolicy"]["maxReceiveCount"] == attempts
        kept = said("docs/operations.md", r"Messages are kept for (\d+) (days)")
        assert RESOURCES["UploadedDeadLetterQueue"]["Properties"]["MessageRetentionPeriod"] == kept


class TestParameters:
    ROWS = re.findall(r"^\| (`\w+`(?: `\w+`)*) \| ([^|]*) \|", (ROOT / "docs/parameters.md").read_text(), re.MULTILINE)

    def test_have_the_defaults_that_the_guide_gives(self) -> None:
        """Of each that stands in a row of its own, and is a number or a word."""
        given = {
            names.strip("`"): default.strip("` ")
            for names, default in self.ROWS
            if names.strip("`") in TEMPLATE["Parameters"]
        }
        told = {name: text for name, text in given.items() if text not in ("none", "made up")}
        assert told == {name: str(TEMPLATE["Parameters"][name]["Default"]) for name in told}
        assert {"SignedUrlExpiration", "UnstoredFileLifetime", "MaxFileSize", "SweepSchedule"} <= told.keys()

    def test_allow_no_more_than_aws_does(self) -> None:
        assert whole_numbers("MaxFileSize") == (1, 10_000 * 5 * 1024**3)
        assert whole_numbers("MultipartThreshold") == (1, 5 * 1024**3)
        assert whole_numbers("SignedUrlExpiration") == (1, 7 * 24 * 3600)


@pytest.mark.usefixtures("moto_aws")
def test_settings_are_what_the_template_sets(configure: Callable[..., None]) -> None:
    configure(
        ALLOWED_ORIGINS=" https://a.example ,https://b.example",
        SIGNED_URL_EXPIRATION="1",
        UNSTORED_FILE_LIFETIME="2",
        MAX_FILE_SIZE="3",
        STORE_ON_LOAD="True",
        KEY_ISOLATION="True",
        TABLE_NAME="table",
        BUCKET_NAME="bucket",
    )
    assert wiring.settings()._asdict() == {
        "table_name": "table",
        "bucket_name": "bucket",
        "allowed_origins": frozenset({"https://a.example", "https://b.example"}),
        "signed_url_expiration": 1,
        "unstored_file_lifetime": 2,
        "store_on_load": True,
        "key_isolation": True,
        "max_file_size": 3,
    }
    assert set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]) >= {
        "TABLE_NAME",
        "BUCKET_NAME",
        "ALLOWED_ORIGINS",
        "SIGNED_URL_EXPIRATION",
        "UNSTORED_FILE_LIFETIME",
        "STORE_ON_LOAD",
        "KEY_ISOLATION",
        "MAX_FILE_SIZE",
    }
