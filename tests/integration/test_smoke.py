"""make smoke: green on a stack that is as it should be, and each thing that is not is noticed in its own row."""

import argparse
import functools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from bench.processes import free_port
from local import deploy, emulator, gaps
from ops.errors import OperatorError
from ops.smoke import keys, scratch
from ops.smoke.__main__ import main, run_checks
from ops.smoke.checks import Row, Verdict
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke
from tests.breaks import BROKEN, Break, Ground, off_the_usage_plan
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
EVERY = 51


def smoke_on(outputs: Path, *names: str, patience: float = 20, **options: Any) -> dict[str, Row]:
    """The rows of these checks, in this process."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=outputs))
    rows: list[Row] = []
    # Tests run one after the other: whatever there is was left behind.
    run_checks(Smoke(deployment, Cleanup(lambda _: None), patience=patience, **{"clean": True, **options}), names, rows)
    return {row.name: row for row in rows}


@pytest.fixture(scope="module", autouse=True)
def clients_are_kept() -> Iterator[None]:
    """Making a client is slow, and every run would make nine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "client", functools.cache(emulator.client))
        yield


def is_clean(client: Callable[[str], Any]) -> bool:
    keys = client("apigateway").get_api_keys()["items"]
    buckets = client("s3").list_buckets()["Buckets"]
    return not any(each["name"].startswith("filestore-smoke-") for each in keys) and not any(
        each["Name"].startswith("filestore-smoke-") for each in buckets
    )


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


# ------------------------------------------------------- stacks that are broken


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    aws, state = emulator.Emulator(free_port(), tmp_path_factory.mktemp("account")), tmp_path_factory.mktemp("ground")
    aws.start()
    outputs = deploy.deploy(aws, {"AllowedOrigins": "https://www.example.com,https://app.example.com"})
    functions = deploy.functions(aws)
    swagger, template = deploy.read_yaml("swagger.yaml"), deploy.read_yaml("template.yaml")
    gaps.fill(aws, outputs, swagger=swagger, template=template, functions=functions)
    outputs |= {
        "ApiRootUrl": f"{aws.url}/restapis/{outputs['ApiId']}/dev/_user_request_",
        "AwsEndpointUrl": aws.url,
        "AwsAccessKeyId": aws.key,
    }
    (state / "outputs.json").write_text(json.dumps(outputs))
    yield Ground(aws, state, outputs, functions)
    aws.stop()


def test_origins_that_are_named(ground: Ground) -> None:
    rows = smoke_on(ground.state, "answers-can-be-read", "bucket-preflight", "refusals-can-be-read")
    assert rows["answers-can-be-read"] == Row(
        "answers-can-be-read", Verdict.OK, "https://www.example.com, and not https://stranger.example.org"
    )
    assert rows["bucket-preflight"] == Row("bucket-preflight", Verdict.OK, "https://www.example.com")
    assert rows["refusals-can-be-read"].verdict == "OK"


def test_a_parameter_that_is_changed_and_set_back(ground: Ground) -> None:
    rows = smoke_on(ground.state, "parameter-change", with_update=True)
    assert re.fullmatch(r"7 functions, twice; [1-9]\d* requests meanwhile, all answered", rows["parameter-change"].said)
    (deployed,) = ground.client("cloudformation").describe_stacks(StackName="filestore")["Stacks"]
    assert {"ParameterKey": "UnstoredFileLifetime", "ParameterValue": "3600"} in deployed["Parameters"]
    assert is_clean(ground.client)


def test_what_a_killed_run_left_goes_with_the_next(ground: Ground) -> None:
    """Nobody else knows of its key and of what it had stored; where the next cannot either, the one after that does."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=ground.state))
    killed = Smoke(deployment, Cleanup(lambda _: None))
    killed.make_key()
    file_id = killed.store(b"left behind")["id"]
    assert killed.versions(file_id)
    assert not is_clean(ground.client)
    with off_the_usage_plan(ground):
        helpless = smoke_on(ground.state, "usage-plan", patience=1)["cleanup"]
    assert helpless.verdict == "FAILED"
    assert re.match(r"Left: files named \S+; API key \S+: make revoke STACK=filestore NAME=", helpless.said)
    assert killed.versions(file_id)
    assert smoke_on(ground.state, "usage-plan")["cleanup"].verdict == "OK"
    assert is_clean(ground.client)
    assert killed.versions(file_id) == []


def test_a_file_that_no_run_made_stays(ground: Ground) -> None:
    """Whoever may edit API keys would otherwise choose what the next run deletes."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=ground.state))
    keeper = Smoke(deployment, Cleanup(lambda _: None), clean=True)
    keeper.make_key()
    customers = keeper.store(b"a customer's", name="customer.pdf")["id"]
    ours = keeper.store(b"of the run")["id"]
    assert smoke_on(ground.state, "usage-plan")["cleanup"].verdict == "OK"
    assert is_clean(ground.client)
    assert [len(keeper.versions(file_id)) for file_id in (customers, ours)] == [1, 0]
    assert "deleted_at" not in keeper.record(customers)


def test_two_runs_leave_each_other_alone(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second refuses to start; where both started at once, neither deletes what the other works with."""
    deployment = Deployment(argparse.Namespace(stack=None, state_dir=ground.state))
    first = Smoke(deployment, Cleanup(lambda _: None))
    first.make_key()
    bucket, file_id = scratch.bucket(first), first.store(b"in use")["id"]
    with pytest.raises(OperatorError, match=rf"^The run {first.name} of 0 minutes ago .* it left: CLEAN=yes$"):
        main(["--state-dir", str(ground.state)])
    second = smoke_on(ground.state, "multipart-bare-parts", "parameter-change", with_update=True, clean=False)
    assert second["cleanup"].verdict == "OK"
    assert first.details(file_id)
    assert bucket in [each["Name"] for each in ground.client("s3").list_buckets()["Buckets"]]
    monkeypatch.setattr(keys, "MAY_GO_ON", 0)
    third = smoke_on(ground.state, "parameter-change", with_update=True, clean=False)
    assert third["cleanup"].verdict == "OK"
    assert is_clean(ground.client)
    assert first.versions(file_id) == []


@pytest.mark.parametrize(("broken", "said"), [each[1:] for each in BROKEN], ids=[each[0] for each in BROKEN])
def test_what_is_broken_is_noticed_in_its_row(ground: Ground, broken: Break, said: dict[str, str]) -> None:
    with broken(ground):
        rows = smoke_on(ground.state, *said, patience=1)
    for name, words in said.items():
        assert rows[name].verdict == "FAILED", rows[name]
        assert words in rows[name].said
    mended = smoke_on(ground.state, *said)
    assert {name: row for name, row in mended.items() if row.verdict != "OK"} == {}


def test_without_a_key_that_works_the_rest_is_not_seen(ground: Ground) -> None:
    with off_the_usage_plan(ground):
        rows = smoke_on(ground.state, "download", "revoked-key", patience=1)
    assert {name: row.verdict for name, row in rows.items()} == {
        "key-works": "FAILED", "download": "NOT SEEN", "revoked-key": "NOT SEEN", "cleanup": "OK",
    }  # fmt: skip
    assert rows["download"].said == "it needs an API key, and none works: see key-works"
    assert is_clean(ground.client)


def test_an_operator_with_few_rights_is_told_which_are_missing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only they could see is not seen, and no fault of the stack."""
    iam = ground.client("iam")
    allowed = {"Effect": "Allow", "Action": ["apigateway:*", "cloudformation:*"], "Resource": "*"}
    iam.create_user(UserName="operator")
    iam.put_user_policy(
        UserName="operator",
        PolicyName="few",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    session = boto3.Session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"], region_name=emulator.REGION
    )
    client: Any = session.client
    monkeypatch.setattr(emulator, "client", lambda url, service, _: client(service, endpoint_url=url))
    rows = smoke_on(ground.state, "download", "put-over-stored", "refused-item", "several-sets-and-removes", "sweep")
    assert {name: (row.verdict, row.said) for name, row in rows.items() if row.verdict != "OK"} == {
        "put-over-stored": ("NOT SEEN", "your profile may not ListObjectVersions"),
        "refused-item": ("NOT SEEN", "your profile may not BatchExecuteStatement"),
        "several-sets-and-removes": ("NOT SEEN", "your profile may not GetItem"),
        "sweep": ("NOT SEEN", "your profile may not Invoke"),
    }


def test_parameters_that_do_not_reach_the_functions(ground: Ground, tmp_path: Path) -> None:
    """As where a version's description does not have them. The last test here: it deploys another template."""
    template = (ROOT / "template.yaml").read_text()
    described = "${SignedUrlExpiration} ${UnstoredFileLifetime} "
    assert template.count(described) == 2
    (tmp_path / "template.yaml").write_text(template.replace(described, "${SignedUrlExpiration} "))
    for name in ("source", "swagger.yaml", "monitoring.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    deploy.deploy(ground.aws, {"AllowedOrigins": "https://www.example.com"}, root=tmp_path)
    rows = smoke_on(ground.state, "parameter-change", with_update=True)
    assert rows["parameter-change"].verdict == "FAILED"
    assert "Parameters do not reach the functions" in rows["parameter-change"].said
    assert rows["cleanup"].verdict == "OK"
    (deployed,) = ground.client("cloudformation").describe_stacks(StackName="filestore")["Stacks"]
    assert {"ParameterKey": "UnstoredFileLifetime", "ParameterValue": "3600"} in deployed["Parameters"]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": "source"}
