"""make smoke on stacks that are not as they should be: each thing is noticed in its own row, and nothing is left."""

import argparse
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import deploy, deployment_patches, emulator, running
from local.loopback import free_port
from ops.errors import OperatorError
from ops.smoke import keys, scratch
from ops.smoke.__main__ import main
from ops.smoke.checks import Row, Verdict
from ops.smoke.cleanup import Cleanup
from ops.smoke.deployment import Deployment
from ops.smoke.session import Smoke
from tests.breaks import BROKEN, Break, Ground, off_the_usage_plan
from tests.smoke import is_clean, smoke_on
from tests.support import ROOT


@pytest.fixture(scope="module", autouse=True)
def clients_are_kept() -> Iterator[None]:
    """Making a client is slow, and every run would make nine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(emulator, "client", functools.cache(emulator.client))
        yield


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    aws, state = emulator.Emulator(free_port(), tmp_path_factory.mktemp("account")), tmp_path_factory.mktemp("ground")
    aws.start()
    outputs = deploy.deploy(aws, {"AllowedOrigins": "https://www.example.com,https://app.example.com"})
    functions = deploy.functions(aws)
    swagger, template = deploy.read_yaml("swagger.yaml"), deploy.read_yaml("template.yaml")
    deployment_patches.apply(aws, outputs, swagger=swagger, template=template, functions=functions)
    outputs |= {
        "ApiRootUrl": f"{aws.url}/restapis/{outputs['ApiId']}/dev/_user_request_",
        "AwsEndpointUrl": aws.url,
        "AwsAccessKeyId": aws.key,
    }
    lock = running.claim(state)
    assert lock
    (state / running.OUTPUTS).write_text(json.dumps(outputs))
    yield Ground(aws, state, outputs, functions)
    lock.close()
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
    assert re.fullmatch(
        r"14 functions, twice; [1-9]\d* requests meanwhile, all answered", rows["parameter-change"].said
    )
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
    assert template.count(described) == 3
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
