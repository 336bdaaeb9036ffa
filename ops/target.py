"""The stack that a tool works on: one on AWS by its name, or the one that runs on this machine."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

from local import emulator
from ops.errors import OperatorError
from ops.stack import describe


class Target:
    """A stack's outputs, and clients of the AWS that it is deployed to."""

    def __init__(self, outputs: Mapping[str, str], client: Callable[[str], Any]) -> None:
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
    """The stack that the options mean. Raises OperatorError where there is none."""
    if options.stack:
        session: Any = boto3.Session()
        _, outputs = describe(session.client, options.stack)
        return Target(outputs, session.client)
    published = options.state_dir / "outputs.json"
    if not published.exists():
        raise OperatorError(
            f"No stack runs here ({published} is not there). Start one with make run, or name one: STACK=..."
        )
    here = json.loads(published.read_text())
    return Target(here, lambda service: emulator.client(here["AwsEndpointUrl"], service, here["AwsAccessKeyId"]))
