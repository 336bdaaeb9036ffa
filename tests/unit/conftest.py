import io
import json
import sys
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import botocore
import pytest
from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel, StructureShape
from botocore.session import Session
from botocore.validate import ParamValidator
from moto import mock_aws

from filestore import telemetry, wiring
from filestore.storage import aws
from tests import support
from tools import build

SETTINGS = {
    "ALLOWED_ORIGINS": "*",
    "SIGNED_URL_EXPIRATION": "3600",
    "UNSTORED_FILE_LIFETIME": "7200",
    "LATE_UPLOAD_MARGIN": "60",
    "STORE_ON_LOAD": "False",
    "KEY_ISOLATION": "False",
    "MAX_FILE_SIZE": "5368709120",
    "MULTIPART_THRESHOLD": "104857600",
    "PUBLIC_UPLOAD": "True",
}


_validate = ParamValidator.validate


def _look_at_parameters(session: Session) -> None:
    """The client that is deployed does not look at what it sends to DynamoDB, so the tests do at every call."""
    session.get_component("event_emitter").register_last("before-parameter-build.dynamodb", _refuse_wrong_parameters)


def _refuse_wrong_parameters(params: dict[str, Any], model: OperationModel, **_: object) -> None:
    report = _validate(ParamValidator(), params, cast("StructureShape", model.input_shape))
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


botocore.register_initializer(_look_at_parameters)


def _clear_caches(module: ModuleType) -> None:
    for member in vars(module).values():
        if hasattr(member, "cache_clear"):
            member.cache_clear()


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Deploys the stack with other parameters: ``configure(STORE_ON_LOAD="True")``."""

    def change(**settings: str) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        _clear_caches(wiring)

    return change


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> support.Clock:
    clock = support.Clock(time.time())
    monkeypatch.setattr(wiring, "now", clock)
    return clock


@pytest.fixture
def moto_aws(configure: Callable[..., None]) -> Iterator[None]:
    """A deployed stack in moto: quick, and true as long as neither signatures nor PartiQL matter."""
    with mock_aws():
        _use_clients_of("moto")
        _create_stack(configure)
        yield


@pytest.fixture
def emulator_aws(
    emulator_url: str, monkeypatch: pytest.MonkeyPatch, configure: Callable[..., None], clock: support.Clock
) -> None:
    """A deployed stack on the emulator, for what moto would not be true to."""
    del clock
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator_url)
    _use_clients_of("emulator")
    _create_stack(configure)


_clients_of = ""


def _use_clients_of(backend: str) -> None:
    """Making clients is slow, so they are kept from test to test while the backend stays the same."""
    global _clients_of  # noqa: PLW0603 - belongs to the process, like the clients
    if _clients_of != backend:
        _clear_caches(aws)
        _clients_of = backend


def _create_stack(configure: Callable[..., None]) -> None:
    name = f"filestore-{uuid.uuid4()}"
    table = support.TEMPLATE["Resources"]["FilesTable"]["Properties"]
    dynamodb, s3 = aws.dynamodb(), aws.s3()
    # On a busy machine the SDK repeats what took too long, and meets its own effect. The names are drawn.
    with suppress(dynamodb.exceptions.ResourceInUseException):
        kept = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        dynamodb.create_table(TableName=name, **{key: table[key] for key in kept})
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    configure(TABLE_NAME=name, BUCKET_NAME=name, **SETTINGS)


@pytest.fixture
def record() -> Callable[[str], dict[str, Any] | None]:
    """Reads a file's item as it lies in the table, its values without their types."""

    def read(file_id: str) -> dict[str, Any] | None:
        item: dict[str, Any] | None = (
            aws.dynamodb()
            .get_item(TableName=wiring.settings().table_name, Key={"id": {"S": file_id}}, ConsistentRead=True)
            .get("Item")
        )
        return item and {name: next(iter(value.values())) for name, value in item.items()}

    return read


@pytest.fixture
def versions() -> Callable[[], list[tuple[str, str]]]:
    """Lists every object version in the bucket as (key, version id)."""

    def read() -> list[tuple[str, str]]:
        found = aws.s3().list_object_versions(Bucket=wiring.settings().bucket_name)
        return [
            (version["Key"], version["VersionId"])
            for version in (*found.get("Versions", []), *found.get("DeleteMarkers", []))
        ]

    return read


@pytest.fixture
def record_count() -> Callable[[], int]:
    """Counts the records in the table."""
    return lambda: aws.dynamodb().scan(TableName=wiring.settings().table_name, Select="COUNT")["Count"]


@pytest.fixture
def requested() -> dict[str, Any]:
    """An upload that was asked for."""
    declared = {"name": "report.pdf", "size": 8, "type": "application/pdf"}
    body: dict[str, Any] = support.call("upload", declared).body
    return body


@pytest.fixture
def uploaded(requested: dict[str, Any]) -> dict[str, Any]:
    """An upload that has arrived and of which S3 has told."""
    requested["object"] = support.put(requested["url"], b"contents", requested["headers"])
    support.invoke("uploaded", support.upload_event(requested["object"]))
    return requested


@pytest.fixture
def stored(uploaded: dict[str, Any]) -> dict[str, Any]:
    """A file that a back end has stored."""
    assert support.call("store", [uploaded["id"]]).body == [uploaded["id"]]
    return uploaded


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Reads the log lines that the functions have written since the test began."""
    stream = io.StringIO()
    monkeypatch.setattr(telemetry.logger.registered_handler, "stream", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def finish() -> Callable[[dict[str, Any]], str]:
    """Uploads and stores a file declared in this way; answers its id."""

    def upload_and_store(declared: dict[str, Any]) -> str:
        upload = support.call("upload", declared).body
        support.put(upload["url"], b"contents", upload.get("headers"))
        assert support.call("store", [upload["id"]]).body == [upload["id"]]
        return str(upload["id"])

    return upload_and_store


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> build.Artifact:
    """Compiled by the Python that runs the tests, whatever its version: the packages are the same for all."""
    return build.build(tmp_path_factory.mktemp("build"), Path(sys.executable))


@pytest.fixture(scope="session")
def unpacked(artifact: build.Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(artifact.code) as bundle:
        bundle.extractall(folder)
    return folder
