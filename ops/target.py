"""The stack that a tool works on: one on AWS by its name, or the one that runs on this machine."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import emulator


class Target:
    """A stack's outputs, and clients of the AWS that it is deployed to."""

    def __init__(self, outputs: dict[str, str], client: Callable[[str], Any]) -> None:
        self.outputs = outputs
        self.client = client


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every tool has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--stack", metavar="NAME", help="a stack on AWS, in the shell's account and region")
    options.add_argument(
        "--state-dir", type=Path, default=Path(".local"), help="otherwise the stack that runs here (default .local)"
    )
    return options


def find(options: argparse.Namespace) -> Target:
    """The stack that the options mean. Ends the program where there is none."""
    if options.stack:
        session: Any = boto3.Session()
        try:
            (stack,) = session.client("cloudformation").describe_stacks(StackName=options.stack)["Stacks"]
        except (BotoCoreError, ClientError) as error:
            sys.exit(f"error: {error}")
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        return Target(outputs, session.client)
    published = options.state_dir / "outputs.json"
    if not published.exists():
        sys.exit(
            f"error: no stack runs here ({published} is not there). Start one with make run, or name one: STACK=..."
        )
    outputs = json.loads(published.read_text())
    return Target(outputs, lambda service: emulator.client(outputs["AwsEndpointUrl"], service))
