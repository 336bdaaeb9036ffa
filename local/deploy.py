"""Deploys template.yaml, as it is, to the emulator: packaged as ``sam package`` does, through a change set."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import intrinsics_multi_constructor

from local.emulator import ROOT, Emulator
from local.errors import LocalError

STACK_NAME = "filestore"

_DEPLOYMENT_BUCKET = "filestore-deployments"
_DEPLOYED_WITHIN = 60
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # whichever there is
    """libyaml's takes a tenth of the time. It does not have to be there."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def read_yaml(name: str, root: Path = ROOT) -> dict[str, Any]:
    """A YAML file of the repository, its CloudFormation tags in their long form."""
    parsed: dict[str, Any] = yaml.load((root / name).read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one
    return parsed


def read_template(root: Path = ROOT) -> dict[str, Any]:
    """template.yaml with the resources that it includes."""
    template = read_yaml("template.yaml", root)
    include = template["Resources"].pop("Fn::Transform", None)
    if include is not None:
        template["Resources"] |= read_yaml(include["Parameters"]["Location"], root)
    return template


def deploy(
    aws: Emulator, parameters: Mapping[str, str], *, stack: str = STACK_NAME, root: Path = ROOT
) -> dict[str, str]:
    """Create or update the stack; returns its outputs. Parameters that are not given have their default.

    ``root`` is the folder of the release: template.yaml, what it includes, and source.

    Raises LocalError with the first thing that failed.
    """
    cloudformation = aws.client("cloudformation")
    status = _status(cloudformation, stack)
    if status == "ROLLBACK_COMPLETE":
        cloudformation.delete_stack(StackName=stack)
        _settle(cloudformation, stack)
        status = None
    try:
        change_set = cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=f"deployment-{time.time_ns()}",
            ChangeSetType="CREATE" if status in (None, "REVIEW_IN_PROGRESS") else "UPDATE",
            TemplateURL=_package(aws, root),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )["Id"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise LocalError(f"The template cannot be deployed: {error.response['Error']['Message']}") from None
    if _is_worth_executing(cloudformation, change_set):
        cloudformation.execute_change_set(ChangeSetName=change_set)
        status = _settle(cloudformation, stack)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise LocalError(f"The deployment failed ({status}): {_reason(cloudformation, stack)}")
    (deployed,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in deployed["Outputs"]}


def functions(aws: Emulator, stack: str = STACK_NAME) -> dict[str, str]:
    """The functions' names by logical id."""
    resources = aws.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


def api_key(aws: Emulator, usage_plan: str) -> str:
    """The value of this machine's own API key, made once and on the usage plan."""
    gateway = aws.client("apigateway")
    keys = [key for key in gateway.get_api_keys(includeValues=True)["items"] if key["name"] == "local"]
    key = keys[0] if keys else gateway.create_api_key(name="local", enabled=True)
    attached = gateway.get_usage_plan_keys(usagePlanId=usage_plan)["items"]
    if key["id"] not in [other["id"] for other in attached]:
        gateway.create_usage_plan_key(usagePlanId=usage_plan, keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def _package(aws: Emulator, root: Path) -> str:
    """The address of the template, uploaded like what its local paths name, under names that follow the contents."""
    template = read_yaml("template.yaml", root)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=_DEPLOYMENT_BUCKET)

    def upload(contents: bytes) -> str:
        key = hashlib.sha256(contents).hexdigest()
        s3.put_object(Bucket=_DEPLOYMENT_BUCKET, Key=key, Body=contents)
        return f"{_DEPLOYMENT_BUCKET}/{key}"

    template["Globals"]["Function"]["CodeUri"] = f"s3://{upload(_source(root))}"
    resources = template["Resources"]
    for node in (resources, resources["FilestoreApi"]["Properties"]["DefinitionBody"]):
        # Releases up to 1.0.0-rc.1 have no resources elsewhere.
        if "Fn::Transform" in node:
            included = node["Fn::Transform"]["Parameters"]
            included["Location"] = f"s3://{upload((root / included['Location']).read_bytes())}"
    # CloudFormation takes templates of this size from S3 alone.
    return f"{aws.url}/{upload(json.dumps(template).encode())}"


def _source(root: Path) -> bytes:
    """A zip of the functions' source, the same bytes for the same source. The packages they need are around already."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in sorted((root / "source").rglob("*.py")):
            bundle.writestr(zipfile.ZipInfo(str(path.relative_to(root / "source"))), path.read_bytes())
    return archive.getvalue()


def _status(cloudformation: Any, stack: str) -> str | None:
    try:
        (found,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return None if found["StackStatus"] == "DELETE_COMPLETE" else str(found["StackStatus"])


def _is_worth_executing(cloudformation: Any, change_set: str) -> bool:
    deadline = time.monotonic() + _DEPLOYED_WITHIN
    while True:
        described = cloudformation.describe_change_set(ChangeSetName=change_set)
        match described["Status"]:
            case "CREATE_COMPLETE":
                return True
            case "FAILED":
                reason = described.get("StatusReason", "")
                if any(nothing in reason for nothing in _NOTHING_TO_DO):
                    return False
                raise LocalError(f"The template cannot be deployed: {reason}")
        if time.monotonic() > deadline:
            raise LocalError("The emulator does not finish preparing the deployment.")
        time.sleep(0.05)


def _settle(cloudformation: Any, stack: str) -> str | None:
    deadline = time.monotonic() + _DEPLOYED_WITHIN
    while (status := _status(cloudformation, stack)) is not None and status.endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalError(f"The deployment does not finish: it is still {status}.")
        time.sleep(0.05)
    return status


def _reason(cloudformation: Any, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    return next(
        (f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}" for event in failed),
        "no reason given",
    )
