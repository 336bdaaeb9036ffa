"""What a request costs, where it can be counted: AWS calls, log lines and bytes, modules. Time is for make bench.

The functions run out of the artifact, in a process of their own, against an AWS that answers at once.
"""

import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bench.cost import INDEX_WRITES
from bench.events import OPERATIONS, event
from bench.processes import Container, Loopback, environment
from filestore import wiring
from filestore.storage import aws
from tests.support import TEMPLATE, call, invoke, put, sample_event, upload_event


@pytest.fixture(scope="module")
def loopback() -> Iterator[str]:
    with Loopback() as aws:
        yield aws.url


@pytest.fixture(scope="module")
def container(unpacked: Path, loopback: str) -> Iterator[Container]:
    with Container(unpacked, environment(loopback), count=True) as container:
        yield container


CALLS: dict[tuple[str, int], dict[str, int]] = {
    ("upload", 1): {"PutItem": 1},
    ("sign", 1): {"BatchExecuteStatement": 1},
    ("parts", 1): {"BatchGetItem": 1, "ListParts": 1},
    ("complete", 1): {
        "BatchGetItem": 1,
        "ListParts": 1,
        "CompleteMultipartUpload": 1,
        "BatchExecuteStatement": 1,
    },
    ("undo", 1): {"BatchExecuteStatement": 1, "DeleteObjects": 1},
    ("uploaded", 1): {"BatchExecuteStatement": 1},
    ("uploaded", 10): {"BatchExecuteStatement": 1},
    ("store", 1): {"BatchExecuteStatement": 1},
    ("store", 25): {"BatchExecuteStatement": 1},
    ("store", 26): {"BatchExecuteStatement": 2},
    ("store", 100): {"BatchExecuteStatement": 4},
    ("info", 1): {"BatchGetItem": 1},
    ("info", 100): {"BatchGetItem": 1},
    # One a shard, whatever is in the table.
    ("list", 1): {"Query": 16, "BatchGetItem": 1},
    ("list", 101): {"Query": 16, "BatchGetItem": 2},
    ("list", 1000): {"Query": 16, "BatchGetItem": 10},
    ("show", 1): {"BatchGetItem": 1},
    ("content", 1): {"BatchGetItem": 1},
    ("update", 1): {"BatchExecuteStatement": 1},
    ("delete", 1): {"BatchExecuteStatement": 1, "DeleteObjects": 1},
    ("delete", 25): {"BatchExecuteStatement": 1, "DeleteObjects": 1},
    ("delete", 26): {"BatchExecuteStatement": 2, "DeleteObjects": 1},
    ("delete", 100): {"BatchExecuteStatement": 4, "DeleteObjects": 1},
    # One a shard: the first page, which is the only one where nothing is due.
    ("sweep", 1): {"Query": 16, "ListMultipartUploads": 1},
}


@pytest.mark.parametrize(("operation", "files"), CALLS, ids=str)
def test_makes_exactly_the_aws_calls_that_it_needs(container: Container, operation: str, files: int) -> None:
    reply = container.call(operation, event(operation, files))
    assert Counter(name for name, _ in reply["calls"]) == CALLS[operation, files]


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_measures_what_succeeds(container: Container, operation: str) -> None:
    result = container.call(operation, event(operation))["result"]
    assert result.get("statusCode", 200) in (200, 204, 302)
    assert result.get("batchItemFailures", []) == []


@pytest.mark.parametrize(("operation", "files"), CALLS, ids=str)
def test_logs_one_line_of_at_most_600_bytes(container: Container, operation: str, files: int) -> None:
    """Logs were the greater part of what the service cost once."""
    log = container.call(operation, event(operation, files))["log"]
    assert log.count("\n") == 1
    # A batch of events is that many files, and names each.
    named = 40 * (files - 1) if operation == "uploaded" else 0
    assert len(log.encode()) <= 600 + named


def test_logs_one_line_of_at_most_600_bytes_for_a_request_that_is_refused(container: Container) -> None:
    refused = event("store") | {"body": json.dumps(["x" * 129] * 100)}
    reply = container.call("store", refused)
    assert reply["result"]["statusCode"] == 400
    assert reply["log"].count("\n") == 1
    assert len(reply["log"].encode()) <= 600


def test_marks_the_first_line_of_an_instance(unpacked: Path, loopback: str) -> None:
    with Container(unpacked, environment(loopback)) as container:
        lines = [json.loads(container.call("info", event("info"))["log"]) for _ in range(3)]
    assert [line.get("cold_start") for line in lines] == [True, None, None]


_ALL = (
    "domain domain.file domain.lifecycle domain.outcome errors handlers settings storage storage.aws"
    " storage.conditions"
    " storage.creating storage.items storage.pinning storage.repository storage.statements telemetry use_cases wiring"
)
_API = f"{_ALL} api api.caller api.endpoint api.errors api.request api.response"
_PARTS = "domain.multipart domain.plan storage.multipart"
_BUCKET = "storage.at_once storage.bucket"
MODULES = {
    "upload": f"{_API} domain.idempotency {_PARTS} api.checksums api.declared domain.clock domain.media_type"
    " use_cases.upload storage.links",
    "sign": f"{_API} api.checksums domain.clock domain.multipart domain.plan storage.links use_cases.opened"
    " use_cases.sign",
    "parts": f"{_API} {_PARTS} {_BUCKET} domain.clock use_cases.opened use_cases.parts",
    "complete": f"{_API} {_PARTS} {_BUCKET} api.checksums domain.clock domain.media_type use_cases.complete"
    " use_cases.opened use_cases.types use_cases.uploaded",
    "undo": f"{_API} {_PARTS} {_BUCKET} domain.clock use_cases.delete use_cases.undo",
    "store": f"{_API} {_BUCKET} domain.clock domain.media_type use_cases.store use_cases.types",
    "info": f"{_API} domain.disposition use_cases.info storage.links",
    "list": f"{_API} domain.disposition use_cases.info use_cases.list storage.links storage.places",
    "show": f"{_API} domain.disposition use_cases.info use_cases.show storage.links",
    "content": f"{_API} domain.disposition domain.media_type use_cases.content storage.links",
    "update": f"{_API} api.declared domain.disposition use_cases.info use_cases.update storage.links",
    "delete": f"{_API} {_BUCKET} domain.clock use_cases.delete",
    "uploaded": f"{_ALL} {_BUCKET} domain.clock domain.media_type use_cases.types use_cases.uploaded",
    "sweep": f"{_ALL} {_PARTS} {_BUCKET} domain.clock domain.media_type storage.due use_cases.sweep use_cases.types"
    " use_cases.uploaded",
}


class TestImports:
    """A module that a cold start does not load costs nothing; one more line here is a cold start that got slower."""

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_function_imports_only_its_own_modules(self, imported: dict[str, list[str]], operation: str) -> None:
        ours = {name.removeprefix("filestore.") for name in imported[operation] if name.startswith("filestore.")}
        assert ours == {f"handlers.{operation}", *MODULES[operation].split()}

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_function_imports_no_package_but_these(self, imported: dict[str, list[str]], operation: str) -> None:
        packages = {name.split(".")[0] for name in imported[operation]} - sys.stdlib_module_names - {"__main__"}
        assert packages == {
            "aws_lambda_powertools",
            "botocore",
            "dateutil",
            "filestore",
            "jmespath",
            "six",
            "typing_extensions",
            "urllib3",
        }

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_function_imports_few_modules(self, imported: dict[str, list[str]], operation: str) -> None:
        """Those of the packages; how many of the standard library come along depends on its version."""
        theirs = [name for name in imported[operation] if name.split(".")[0] not in sys.stdlib_module_names]
        assert len(theirs) <= 220

    @pytest.fixture(scope="class")
    def imported(self, unpacked: Path, loopback: str) -> dict[str, list[str]]:
        """The modules that each function has imported once it has answered a request."""
        modules = {}
        for operation in OPERATIONS:
            with Container(unpacked, environment(loopback)) as container:
                modules[operation] = container.call(operation, event(operation))["modules"]
        return modules


@pytest.mark.usefixtures("moto_aws")
class TestSigning:
    @pytest.mark.parametrize("operation", ["upload", "info"])
    def test_no_client_of_s3_is_made_to_sign_a_url(self, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
        monkeypatch.setattr(aws, "s3", _refuse)
        assert invoke(operation, sample_event(operation))["statusCode"] == 200


@pytest.mark.usefixtures("emulator_aws")
class TestS3:
    def test_is_not_asked_when_an_upload_that_was_told_of_is_stored(
        self, monkeypatch: pytest.MonkeyPatch, configure: Any, requested: dict[str, Any]
    ) -> None:
        monkeypatch.setattr(aws, "s3", _refuse)
        configure()
        told = event("uploaded")
        body = json.loads(told["Records"][0]["body"])
        body["Records"][0]["s3"]["object"]["key"] = requested["id"]
        told["Records"][0]["body"] = json.dumps(body)
        assert invoke("uploaded", told) == {"batchItemFailures": []}
        stored = invoke("store", sample_event("store") | {"body": json.dumps([requested["id"]])})
        assert json.loads(stored["body"]) == [requested["id"]]


@pytest.mark.usefixtures("emulator_aws")
class TestIndexWrites:
    """Each is billed like a write of the record: none for a place that stays, two for one that moves."""

    def test_are_two_for_a_file_that_is_stored_in_time(
        self, record: Callable[[str], dict[str, Any] | None], configure: Callable[..., None]
    ) -> None:
        default = {name: str(parameter["Default"]) for name, parameter in TEMPLATE["Parameters"].items()}
        configure(
            SIGNED_URL_EXPIRATION=default["SignedUrlExpiration"],
            UNSTORED_FILE_LIFETIME=default["UnstoredFileLifetime"],
        )
        indexes = {
            index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
            for index in TEMPLATE["Resources"]["FilesTable"]["Properties"]["GlobalSecondaryIndexes"]
            if index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        }

        def places(file_id: str) -> dict[str, list[Any] | None]:
            item = record(file_id) or {}
            return {
                index: [item[key] for key in keys] if set(keys) <= item.keys() else None
                for index, keys in indexes.items()
            }

        upload = call("upload", {"name": "a"}).body
        told = [dict.fromkeys(indexes), places(upload["id"])]
        invoke("uploaded", upload_event(put(upload["url"], b"contents")))
        told.append(places(upload["id"]))
        assert call("store", [upload["id"]]).body == [upload["id"]]
        told.append(places(upload["id"]))
        assert call("delete", [upload["id"]]).body == [upload["id"]]
        told.append(places(upload["id"]))
        writes = {
            index: [
                0 if before[index] == after[index] else (before[index] is not None) + (after[index] is not None)
                for before, after in itertools.pairwise(told)
            ]
            for index in indexes
        }
        assert writes == {"due": [1, 0, 1, 1], "listed": [0, 0, 1, 0]}
        assert list(INDEX_WRITES.values()) == [1, 0, 2]


@pytest.mark.usefixtures("emulator_aws")
class TestWriteUnits:
    """Of 1 kB of the record each, at every change; strangers say how large it is."""

    def test_are_four_for_the_largest_record_that_anybody_can_have_made(self) -> None:
        upload = call(
            "upload",
            {
                "name": "\ufdfa" * 255,
                "type": "a" * 127 + "/" + "b" * 127,
                "size": 8,
                "checksum": {"algorithm": "SHA256", "value": "0bKln76n4gB3r5+Rsn6V6GUGGycL4D/1Oas7c1h4gug="},
                "meta": {f"{number:02}": "x" * 38 for number in range(50)} | {"48": "x" * 62, "49": "x" * 62},
            },
        ).body
        invoke("uploaded", upload_event(put(upload["url"], b"contents", upload["headers"])))
        assert call("store", [upload["id"]]).body == [upload["id"]]
        assert call("delete", [upload["id"]]).body == [upload["id"]]
        table = wiring.settings().table_name
        item = aws.dynamodb().get_item(TableName=table, Key={"id": {"S": upload["id"]}})["Item"]
        size = sum(len(name.encode()) + _size(value) for name, value in item.items())
        assert math.ceil(size / 1024) == 4


def _size(value: Any) -> int:
    """Octets of an attribute (DynamoDB developer guide, item sizes and formats)."""
    match value:
        case {"S": str() as text}:
            return len(text.encode())
        case {"N": str() as digits}:
            return math.ceil(len(digits) / 2) + 1
        case {"M": dict() as members}:
            return 3 + sum(1 + len(name.encode()) + _size(member) for name, member in members.items())
    raise AssertionError(value)


def _refuse() -> NoReturn:
    raise AssertionError("a client of S3 is made")
