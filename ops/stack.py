"""A deployed stack, as far as its operator has to do with it."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ops.errors import OperatorError

Clients = Callable[[str], Any]
"""Returns the client of an AWS service."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A stack as CloudFormation describes it."""

    id: str
    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def is_stillborn(self) -> bool:
        """Whether this is a stack of Filestore's whose first deployment failed."""
        return self.status in _NEVER_DEPLOYED and self.parameters.keys() >= _PARAMETERS

    @property
    def is_being_changed(self) -> bool:
        """Whether CloudFormation is at work on it."""
        return self.status.endswith("_IN_PROGRESS")


def stack_name(environment: str) -> str:
    """Returns the name under which samconfig.toml deploys to an environment."""
    environments = tomllib.loads(_SAMCONFIG.read_text(encoding="utf-8"))
    try:
        return str(environments[environment]["global"]["parameters"]["stack_name"])
    except KeyError:
        raise OperatorError(f"samconfig.toml knows no environment {environment}.") from None


def describe(clients: Clients, stack: str) -> Described:
    """Returns a deployed stack of Filestore's. Raises OperatorError where there is none."""
    found = describe_any(clients, stack)
    if found.is_stillborn:
        raise OperatorError(_stillborn(found))
    return found


def describe_any(clients: Clients, stack: str) -> Described:
    """The same, but returns one whose first deployment failed as well."""
    found = _find(clients, stack)
    if found is None:
        raise OperatorError(f"There is no stack {stack} in this account and region.")
    missing = sorted(_OUTPUTS - found.outputs.keys())
    if missing and not found.is_stillborn:
        raise OperatorError(f"The stack {stack} is none of Filestore's: it has no output {missing[0]}.")
    return found


def expect_deployable(clients: Clients, stack: str) -> None:
    """Raise OperatorError where CloudFormation will not deploy over what is there, whatever is tried."""
    found = _find(clients, stack)
    if found is None:
        return
    if found.is_stillborn:
        raise OperatorError(_stillborn(found))
    if found.status == "UPDATE_ROLLBACK_FAILED":
        raise OperatorError(
            f"The last deployment of {stack} failed and could not be taken back. Mend what CloudFormation's events"
            f" name, then: aws cloudformation continue-update-rollback --stack-name {stack}"
        )


def _find(clients: Clients, stack: str) -> Described | None:
    try:
        (found,) = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return None
    return Described(
        id=found["StackId"],
        name=found["StackName"],
        status=found["StackStatus"],
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])},
        outputs={output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])},
    )


def _stillborn(found: Described) -> str:
    return (
        f"The first deployment of {found.name} failed ({found.status}), and CloudFormation deploys nothing over that."
        f" Clear it away, then deploy again: make remove STACK={found.name}"
    )
