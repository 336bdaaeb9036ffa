"""A stack in its operator's hands: removed, and what make does of it; its keys made and revoked."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from local.emulator import ROOT, Emulator
from ops import removal
from ops.errors import OperatorError
from tests.deployment import Deployment, everything


class TestRemoval:
    def test_in_dev_leaves_nothing_when_told_so(self, aws: Emulator) -> None:
        before = everything(aws)
        stack = Deployment(aws, "dev")
        assert all(now - then for now, then in zip(everything(aws).values(), before.values(), strict=True))
        stack.store()
        stack.post_file({"name": "never uploaded"})
        stack.client("s3").create_multipart_upload(Bucket=stack.outputs["StorageBucketName"], Key="x")
        assert removal.remove(aws.client, "dev", removal.Data.DELETE) == []
        assert everything(aws) == before

    def test_asks_what_is_to_become_of_files(self, aws: Emulator) -> None:
        stack = Deployment(aws, "asked")
        file_id = stack.store(b"precious")["id"]
        with pytest.raises(OperatorError, match="has files"):
            removal.remove(aws.client, "asked", None)
        assert stack.download(file_id) == b"precious"

    def test_in_prod_never_deletes_files(self, aws: Emulator) -> None:
        stack = Deployment(aws, "prod", EnvironmentParameter="prod")
        file_id = stack.store(b"precious")["id"]
        with pytest.raises(OperatorError, match="in production: nothing here deletes its files"):
            removal.remove(aws.client, "prod", removal.Data.DELETE)
        with pytest.raises(stack.client("dynamodb").exceptions.ClientError, match="protect"):
            stack.client("dynamodb").delete_table(TableName=stack.outputs["TableName"])

        bucket, table = stack.outputs["StorageBucketName"], stack.outputs["TableName"]
        version = (stack.record(file_id) or {})["version_id"]["S"]
        assert removal.remove(aws.client, "prod", removal.Data.KEEP) == [f"bucket {bucket}", f"table {table}"]
        with pytest.raises(OperatorError, match="There is no stack prod"):
            removal.remove(aws.client, "prod", removal.Data.KEEP)
        assert "stored_at" in (stack.record(file_id) or {})
        kept = aws.client("s3").get_object(Bucket=bucket, Key=file_id, VersionId=version)
        assert kept["Body"].read() == b"precious"


class TestMake:
    """As an operator types it."""

    @pytest.fixture(scope="class")
    def make(self, aws: Emulator) -> Callable[..., Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": aws.key,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "MAKEFLAGS": "",
        }

        def run(*arguments: str, region: str = "us-east-1") -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                ["/usr/bin/env", f"AWS_DEFAULT_REGION={region}", "make", "--no-print-directory", *arguments],
                cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
            )  # fmt: skip

        return run

    def test_deploys_makes_keys_revokes_them_and_removes(self, aws: Emulator, make: Callable[..., Any]) -> None:
        before = everything(aws)
        deployed = make("deploy", "ENV=dev")
        assert deployed.returncode == 0, deployed.stderr
        parameters = aws.client("cloudformation").describe_stacks(StackName="filestore-dev")["Stacks"][0]["Parameters"]
        assert {"ParameterKey": "LogRetentionDays", "ParameterValue": "14"} in parameters

        made = make("key", "NAME=shop")
        assert made.returncode == 0, made.stderr
        value = made.stdout.strip()
        listed = make("keys").stdout
        assert listed.split()[0] == "shop"
        assert value not in listed
        assert "error: There is a key shop already" in make("key", "NAME=shop").stderr

        outputs = aws.client("cloudformation").describe_stacks(StackName="filestore-dev")["Stacks"][0]["Outputs"]
        api_id = next(output["OutputValue"] for output in outputs if output["OutputKey"] == "ApiId")

        def status() -> int:
            url = f"{aws.url}/restapis/{api_id}/dev/_user_request_/files"
            return requests.post(url, json=["x"], headers={"x-api-key": value}, timeout=60).status_code

        assert status() == 200
        assert "Nothing differs" in make("audit", "ENV=dev").stdout
        assert make("revoke", "NAME=shop").returncode == 0
        assert status() == 403
        assert "error: There is no key shop" in make("revoke", "NAME=shop").stderr

        removed = make("remove")
        assert removed.stdout == "filestore-dev is gone.\n", removed.stderr
        assert everything(aws) == before
        assert "error: There is no stack filestore-dev" in make("keys").stderr

    def test_a_stack_of_the_same_name_stands_in_another_region(self, make: Callable[..., Any]) -> None:
        sites = ("us-east-1", "eu-west-3")
        for region in sites:
            deployed = make("deploy", "BUILT=template.yaml", region=region)
            assert deployed.returncode == 0, deployed.stderr
        assert make("key", "NAME=shop", region=sites[1]).returncode == 0
        assert [make("keys", region=region).stdout.split()[:1] for region in sites] == [[], ["shop"]]
        assert [make("remove", region=region).stdout for region in sites] == ["filestore-dev is gone.\n"] * 2

    def test_says_how_to_go_on_after_a_first_deployment_that_failed(
        self, aws: Emulator, make: Callable[..., Any], tmp_path: Path
    ) -> None:
        template = (ROOT / "template.yaml").read_text(encoding="utf-8")
        for parameter, value in (
            ("DomainName", "a.example"),
            ("CertificateArn", "arn:aws:acm:x"),
            ("HostedZoneId", "Z"),
        ):
            template = re.sub(rf"(\n  {parameter}:\n(?:    .*\n)*?    Default: )''", rf"\g<1>{value}", template)
        (tmp_path / "template.yaml").write_text(template, encoding="utf-8")
        for name in ("source", "swagger.yaml", "monitoring.yaml"):
            (tmp_path / name).symlink_to(ROOT / name)
        before = everything(aws)
        deploy_it = ("deploy", "STACK=stillborn", f"BUILT={tmp_path}/template.yaml")
        said = (
            "error: The first deployment of stillborn failed (ROLLBACK_COMPLETE), and CloudFormation deploys nothing"
            " over that. Clear it away, then deploy again: make remove STACK=stillborn"
        )
        first = make(*deploy_it)
        assert first.returncode != 0
        assert "No hosted zone" in first.stdout
        assert first.stderr.count(said) == 1
        second = make(*deploy_it)
        assert (second.returncode, second.stdout) == (2, "")
        assert second.stderr.splitlines()[0] == said
        assert make("remove", "STACK=stillborn").stdout == "stillborn is gone.\n"
        assert everything(aws) == before

    def test_knows_two_environments(self, make: Callable[..., Any]) -> None:
        assert "error: ENV is dev or prod, not staging" in make("deploy", "ENV=staging").stderr
        assert "filestore-prod" in make("audit", "ENV=prod").stderr

    def test_asks_for_the_name_of_a_key(self, make: Callable[..., Any]) -> None:
        assert "a key needs a name" in make("key").stderr
