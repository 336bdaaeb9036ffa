"""Deploys template.yaml, as it is, to the embedded AWS: packaged as ``sam package`` does, through a change set."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse

from local.emulator import ROOT, Emulator
from local.errors import LocalError

STACK_NAME = "filestore"

_DEPLOYMENT_BUCKET = "filestore-deployments"
_DEPLOYED_WITHIN = 60
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


def read_yaml(name: str) -> dict[str, Any]:
    """A YAML file of the repository, its CloudFormation tags in their long form."""
    parsed: dict[str, Any] = yaml_parse((ROOT / name).read_text(encoding="utf-8"))
    return parsed


def deploy(aws: Emulator, parameters: Mapping[str, str]) -> dict[str, str]:
    """Create or update the stack; answers its outputs. Parameters that are not given have their default.

    Raises LocalError with the first thing that failed.
    """
    cloudformation = aws.client("cloudformation")
    status = _status(cloudformation)
    if status == "ROLLBACK_COMPLETE":
        cloudformation.delete_stack(StackName=STACK_NAME)
        _settle(cloudformation)
        status = None
    try:
        change_set = cloudformation.create_change_set(
            StackName=STACK_NAME,
            ChangeSetName=f"deployment-{time.time_ns()}",
            ChangeSetType="CREATE" if status in (None, "REVIEW_IN_PROGRESS") else "UPDATE",
            TemplateURL=_package(aws),
            Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )["Id"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise LocalError(f"The template cannot be deployed: {error.response['Error']['Message']}") from None
    if _is_worth_executing(cloudformation, change_set):
        cloudformation.execute_change_set(ChangeSetName=change_set)
        status = _settle(cloudformation)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise LocalError(f"The deployment failed ({status}): {_reason(cloudformation)}")
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def functions(aws: Emulator) -> dict[str, str]:
    """The functions' names by logical id."""
    resources = aws.client("cloudformation").describe_stack_resources(StackName=STACK_NAME)["StackResources"]
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


def _package(aws: Emulator) -> str:
    """The address of the template, uploaded like what its local paths name, under names that follow the contents."""
    template = read_yaml("template.yaml")
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=_DEPLOYMENT_BUCKET)

    def upload(contents: bytes) -> str:
        key = hashlib.sha256(contents).hexdigest()
        s3.put_object(Bucket=_DEPLOYMENT_BUCKET, Key=key, Body=contents)
        return f"{_DEPLOYMENT_BUCKET}/{key}"

    template["Globals"]["Function"]["CodeUri"] = f"s3://{upload(_source())}"
    include = template["Resources"]["FilestoreApi"]["Properties"]["DefinitionBody"]["Fn::Transform"]
    swagger = (ROOT / include["Parameters"]["Location"]).read_bytes()
    include["Parameters"]["Location"] = f"s3://{upload(swagger)}"
    # CloudFormation takes templates of this size from S3 alone.
    return f"{aws.url}/{upload(json.dumps(template).encode())}"


def _source() -> bytes:
    """A zip of the functions' source, the same bytes for the same source. The packages they need are around already."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        for path in sorted((ROOT / "source").rglob("*.py")):
            bundle.writestr(zipfile.ZipInfo(str(path.relative_to(ROOT / "source"))), path.read_bytes())
    return archive.getvalue()


def _status(cloudformation: Any) -> str | None:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else str(stack["StackStatus"])


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
            raise LocalError("The embedded AWS does not finish preparing the deployment.")
        time.sleep(0.05)


def _settle(cloudformation: Any) -> str | None:
    deadline = time.monotonic() + _DEPLOYED_WITHIN
    while (status := _status(cloudformation)) is not None and status.endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise LocalError(f"The deployment does not finish: it is still {status}.")
        time.sleep(0.05)
    return status


def _reason(cloudformation: Any) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
    failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
    return next(
        (f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}" for event in failed),
        "no reason given",
    )
