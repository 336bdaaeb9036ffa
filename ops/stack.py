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
    try:
        (found,) = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        raise OperatorError(f"There is no stack {stack} in this account and region.") from None
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    missing = sorted(_OUTPUTS - outputs.keys())
    if missing:
        raise OperatorError(f"The stack {stack} is none of Filestore's: it has no output {missing[0]}.")
    return parameters, outputs
