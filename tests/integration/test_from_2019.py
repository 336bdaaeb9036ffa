"""Whoever comes from the Filestore of 2019, with its README in hand or with a stack of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from local import deploy, deployment_patches
from local.emulator import ROOT, Emulator
from local.loopback import free_port
from tests.stack import Stack
from tests.support import SWAGGER, TEMPLATE, UNKNOWN_ID

BIN = Path(sys.executable).parent
ARTEFACTS = "artefacts"
REFUSAL = (
    "Leave SwaggerLocation out, swagger.yaml is part of the build. If this is an update of a stack of 2019, "
    "deploy a new one beside it instead (docs/from-2019.md)."
)

GUIDE = ROOT / "docs/from-2019.md"
CONTENTS = {"report.pdf": b"%PDF-1.4", "empty.txt": b"", 'Überblick "final".bin': b"\0" * 100_000}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account with a bucket for what is deployed."""
    emulator = Emulator(free_port(), tmp_path_factory.mktemp("account"))
    emulator.start()
    emulator.client("s3").create_bucket(Bucket=ARTEFACTS)
    yield emulator
    emulator.stop()


@pytest.fixture(scope="module")
def run(aws: Emulator) -> Run:
    """Runs a program in the repository's folder, for that account."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_ACCESS_KEY_ID": aws.key,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.2",
        "MAKEFLAGS": "",
    }

    def run_(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=ROOT, env=environment | variables, capture_output=True, text=True, timeout=300, check=False
        )

    return run_


@pytest.fixture(scope="module")
def packaged(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template after ``sam package``. What a build adds, the functions' packages, is here already."""
    template = tmp_path_factory.mktemp("dist") / "packaged.yaml"
    done = run(
        BIN / "sam", "package", "--s3-bucket", ARTEFACTS,
        "--template-file", "template.yaml", "--output-template-file", template,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return template


@pytest.fixture(scope="module")
def deploy_stack(run: Run, packaged: Path) -> Run:
    """Deploys as ``aws cloudformation deploy`` does, by the same calls: ``sam deploy`` is made of it."""

    def deploy_(name: str, *overrides: str) -> subprocess.CompletedProcess[str]:
        return run(
            BIN / "sam", "deploy", "--template-file", packaged, "--stack-name", name, "--s3-bucket", ARTEFACTS,
            "--capabilities", "CAPABILITY_NAMED_IAM",
            *(("--parameter-overrides", *overrides) if overrides else ()),
        )  # fmt: skip

    return deploy_


def test_the_steps_of_2019_end_in_a_stack_that_works(aws: Emulator, deploy_stack: Run, run: Run) -> None:
    name = "FilestoreAppStack"
    overrides = ("StorageBucketName=filestore-project", "EnvironmentParameter=dev", "StoreOnLoad=False")
    deployed = deploy_stack(name, *overrides)
    assert deployed.returncode == 0, deployed.stderr

    (described,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}
    assert re.fullmatch(r"https://\w+\.execute-api\.us-east-1\.amazonaws\.com/dev", outputs["ApiRootUrl"])
    gateway = aws.client("apigateway")
    key = gateway.create_api_key(name="back-end", enabled=True)
    gateway.create_usage_plan_key(keyType="API_KEY", usagePlanId=outputs["UsagePlanId"], keyId=key["id"])

    deployment_patches.apply(aws, outputs, swagger=SWAGGER, template=TEMPLATE, functions=deploy.functions(aws, name))
    here = f"{aws.url}/restapis/{outputs['ApiId']}/dev/_user_request_"
    tested = run(
        BIN / "tavern-ci", "tests/integration/test_store_file.tavern.yaml", TEST_HOST=here, TEST_API_KEY=key["value"]
    )
    assert tested.returncode == 0, tested.stdout
    assert aws.client("s3").list_objects_v2(Bucket="filestore-project")["KeyCount"] == 1


def test_who_names_a_swagger_location_is_told_to_leave_it_out(deploy_stack: Run) -> None:
    refused = deploy_stack("named", "SwaggerLocation=s3://artefacts/swagger.yaml")
    assert refused.returncode == 1
    assert refused.stderr.strip().splitlines()[-1].endswith(REFUSAL)


def test_who_runs_the_unit_test_of_2019_is_told_what_there_is_now(run: Run) -> None:
    told = run(sys.executable, "-m", "unittest", "tests.unit.file")
    assert (told.returncode, told.stderr) == (1, "The unit tests run with pytest: make unit\n")


def test_files_move_with_the_script_of_the_guide(stack: Stack, run: Run, tmp_path: Path) -> None:
    """From one stack to the same: in all that the script asks for the old API is no other."""
    script = re.search("<!-- move -->\n```python\n(.*)```\n<!-- /move -->", GUIDE.read_text(), re.DOTALL)
    assert script
    move = tmp_path / "move.py"
    move.write_text(script[1])
    names = {stack.store(contents, name=name)["id"]: name for name, contents in CONTENTS.items()}
    unstored = stack.upload()["id"]
    ids = tmp_path / "ids"
    ids.write_text("\n".join([*names, unstored, UNKNOWN_ID]))

    here = {"API": stack.outputs["ApiRootUrl"], "KEY": stack.outputs["ApiKey"]}
    variables = {f"{side}_{name}": value for side in ("OLD", "NEW") for name, value in here.items()}
    moved = run("sh", "-c", f'"{sys.executable}" "{move}" < "{ids}"', **variables)
    assert moved.returncode == 0, moved.stderr
    pairs = dict(line.split() for line in moved.stdout.splitlines())
    assert list(pairs) == list(names)
    for old, new in pairs.items():
        before, after = stack.details(old), stack.details(new)
        assert before
        assert after
        assert [after[key] for key in ("name", "type", "size")] == [before[key] for key in ("name", "type", "size")]
        assert stack.download(new) == CONTENTS[names[old]]


class TestAStackOf2019:
    """An update would succeed, and leave its keys on no plan and its table to nobody."""

    @pytest.fixture(scope="class")
    def old(self, aws: Emulator) -> str:
        """What an update knows such a stack by, its parameters, and what would be lost, its table."""
        table = {
            "TableName": "Files",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        }
        template = {
            "Parameters": {name: {"Type": "String"} for name in ("SwaggerLocation", "StorageBucketName")},
            "Resources": {"FilesTable": {"Type": "AWS::DynamoDB::Table", "Properties": table}},
        }
        values = {"SwaggerLocation": "s3://artefacts/swagger.yaml", "StorageBucketName": "old-files"}
        cloudformation = aws.client("cloudformation")
        cloudformation.create_stack(
            StackName="old",
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        )
        cloudformation.get_waiter("stack_create_complete").wait(StackName="old", WaiterConfig={"Delay": 1})
        return "old"

    def tables(self, aws: Emulator) -> list[Any]:
        resources = aws.client("cloudformation").describe_stack_resources(StackName="old")["StackResources"]
        return [(resource["LogicalResourceId"], resource["PhysicalResourceId"]) for resource in resources]

    def test_is_not_updated_by_hand(self, aws: Emulator, deploy_stack: Run, old: str) -> None:
        refused = deploy_stack(old)
        assert refused.returncode == 1
        assert refused.stderr.strip().splitlines()[-1].endswith(REFUSAL)
        assert self.tables(aws) == [("FilesTable", "Files")]

    def test_is_not_updated_by_make(self, aws: Emulator, run: Run, old: str) -> None:
        refused = run("make", "--no-print-directory", "deploy", f"STACK={old}", "BUILT=template.yaml")
        assert refused.returncode == 2
        assert REFUSAL in refused.stderr
        assert self.tables(aws) == [("FilesTable", "Files")]
