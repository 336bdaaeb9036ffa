"""A deployed stack, as far as its operator has to do with it."""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import OperatorError

Clients = Callable[[str], Any]
"""Answers the client of an AWS service."""

_OUTPUTS = {"ApiRootUrl", "StorageBucketName", "TableName"}
# Of a creation that failed. Such a stack can only be deleted (CloudFormation user guide, stack status codes).
_NEVER_DEPLOYED = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
# By these a stack without outputs is known; the app of 2019 had no UnstoredFileLifetime.
_PARAMETERS = {
    "EnvironmentParameter",
    "StorageBucketName",
    "SignedUrlExpiration",
    "StoreOnLoad",
    "UnstoredFileLifetime",
}
_SAMCONFIG = Path(__file__).parents[1] / "samconfig.toml"


def stack_name(environment: str) -> str:
    """The name under which samconfig.toml deploys to an environment."""
    environments = tomllib.loads(_SAMCONFIG.read_text(encoding="utf-8"))
    try:
        return str(environments[environment]["global"]["parameters"]["stack_name"])
    except KeyError:
        raise OperatorError(f"samconfig.toml knows no environment {environment}.") from None


def describe(clients: Clients, stack: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The parameters and the outputs of a stack. Raises OperatorError where there is none of Filestore's."""
    found = _find(clients, stack)
    if found is None:
        raise OperatorError(f"There is no stack {stack} in this account and region.")
    if is_stillborn(found):
        raise OperatorError(_stillborn(found))
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    missing = sorted(_OUTPUTS - outputs.keys())
    if missing:
        raise OperatorError(f"The stack {stack} is none of Filestore's: it has no output {missing[0]}.")
    return _parameters(found), outputs


def stillborn(clients: Clients, stack: str) -> Mapping[str, Any] | None:
    """The stack as CloudFormation describes it, if it is Filestore's and its first deployment failed."""
    found = _find(clients, stack)
    return found if found is not None and is_stillborn(found) else None


def is_stillborn(found: Mapping[str, Any]) -> bool:
    """Whether this is a stack of Filestore's that was never deployed."""
    return found["StackStatus"] in _NEVER_DEPLOYED and _parameters(found).keys() >= _PARAMETERS


def expect_deployable(clients: Clients, stack: str) -> None:
    """Raise OperatorError where CloudFormation will not deploy over what is there, whatever is tried."""
    found = _find(clients, stack)
    if found is None:
        return
    if is_stillborn(found):
        raise OperatorError(_stillborn(found))
    if found["StackStatus"] == "UPDATE_ROLLBACK_FAILED":
        raise OperatorError(
            f"The last deployment of {stack} failed and could not be taken back. Mend what CloudFormation's events"
            f" name, then: aws cloudformation continue-update-rollback --stack-name {stack}"
        )


def _find(clients: Clients, stack: str) -> Mapping[str, Any] | None:
    try:
        (found,) = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    described: Mapping[str, Any] = found
    return described


def _parameters(found: Mapping[str, Any]) -> Mapping[str, str]:
    return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}


def _stillborn(found: Mapping[str, Any]) -> str:
    name = found["StackName"]
    return (
        f"The first deployment of {name} failed ({found['StackStatus']}), and CloudFormation deploys nothing over that."
        f" Clear it away, then deploy again: make remove STACK={name}"
    )
