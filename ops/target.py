"""The stack that a tool works on: one on AWS by its name, or the one that runs on this machine."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3

from local import emulator, running
from ops.stack import Described, describe


class Target:
    """A stack's outputs, clients of the AWS that it is deployed to and, where it was asked, what that says of it."""

    def __init__(
        self, outputs: Mapping[str, str], client: Callable[[str], Any], stack: Described | None = None
    ) -> None:
        self.outputs = outputs
        self.client = client
        self.stack = stack


def parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser with the options that every tool has."""
    options = argparse.ArgumentParser(description=description)
    options.add_argument("--stack", metavar="NAME", help="a stack on AWS, in the shell's account and region")
    add_state_dir(options, "otherwise the stack that runs here")
    return options


def add_state_dir(options: argparse.ArgumentParser, help: str) -> None:  # noqa: A002 - as argparse calls it
    """Add the option that tells one stack on this machine from another."""
    options.add_argument("--state-dir", type=Path, default=Path(".local"), help=f"{help} (default .local)")


def find(options: argparse.Namespace) -> Target:
    """Returns the stack that the options mean. Raises OperatorError or LocalError where there is none."""
    if options.stack:
        session: Any = boto3.Session()
        stack = describe(session.client, options.stack)
        return Target(stack.outputs, session.client, stack)
    return here(options.state_dir)


def here(state: Path) -> Target:
    """Returns the stack that runs on this machine with this state folder. Raises LocalError where none does."""
    outputs = running.outputs(state)
    return Target(
        outputs, lambda service: emulator.client(outputs["AwsEndpointUrl"], service, outputs["AwsAccessKeyId"])
    )
