"""The stack that is looked at: its parameters and outputs, and clients of the AWS it is deployed to."""

import argparse
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops import target
from ops.errors import OperatorError
from ops.stack import describe

_SWAGGER = Path(__file__).parents[2] / "swagger.yaml"
# The name under which make run deploys.
_HERE = "filestore"


class Deployment:
    """A stack of Filestore's. Raises OperatorError where it is none, or is not ready."""

    def __init__(self, options: argparse.Namespace) -> None:
        found = target.find(options)
        self.here = not options.stack
        self.name: str = options.stack or _HERE
        self.client: Callable[[str], Any] = cache(found.client)
        deployed = found.stack or describe(self.client, self.name)
        if deployed.is_being_changed:
            raise OperatorError(f"{self.name} is being changed ({deployed.status}). Wait until that is through.")
        self.id = deployed.id
        self.parameters = deployed.parameters
        # Here the API has another address than the one that AWS would give it.
        self.outputs = {**deployed.outputs, **found.outputs}
        self.swagger: dict[str, Any] = yaml.safe_load(_SWAGGER.read_text(encoding="utf-8"))

    @property
    def is_production(self) -> bool:
        """Whether its environment is prod."""
        return self.parameters["EnvironmentParameter"] == "prod"

    @property
    def stores_on_load(self) -> bool:
        """Whether files are stored as they arrive."""
        return self.parameters["StoreOnLoad"] == "True"

    @property
    def upload_is_public(self) -> bool:
        """Whether asking for an upload needs no key."""
        return self.parameters["PublicUpload"] == "True"

    @property
    def api(self) -> dict[str, str]:
        """What names the API in calls to API Gateway."""
        return {"restApiId": self.outputs["ApiId"]}

    @property
    def stage(self) -> str:
        """The API's stage."""
        return self.parameters["EnvironmentParameter"]

    @property
    def origin(self) -> str:
        """An origin whose pages may upload."""
        first = self.parameters["AllowedOrigins"].split(",")[0].strip()
        return "https://smoke.example.org" if first == "*" else first

    @property
    def allowed_origin(self) -> str:
        """What the functions and the bucket say to a page of that origin."""
        return "*" if "*" in self.parameters["AllowedOrigins"].split(",") else self.origin

    def functions(self) -> dict[str, str]:
        """The functions' names by logical id."""
        suffix = "FunctionName"
        return {output.removesuffix("Name"): name for output, name in self.outputs.items() if output.endswith(suffix)}

    def resources(self) -> list[tuple[str, str, str]]:
        """Logical id, type and physical id of everything in the stack."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return [
            (each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])
            for page in pages
            for each in page["StackResourceSummaries"]
        ]
