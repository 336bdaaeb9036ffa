"""What an operator does to a deployed stack, in the account and region of the AWS profile."""

import argparse
import sys
from typing import Any

import boto3

from local.terminal import printable
from ops import keys, removal
from ops.errors import run
from ops.stack import Clients, expect_deployable, stack_name


def main() -> int:
    """Return the exit status: 0 when it is done."""
    options = _options()
    _run(options, options.stack or stack_name(options.env))
    return 0


def _run(options: argparse.Namespace, stack: str) -> None:
    session: Any = boto3.Session()
    clients: Clients = session.client
    match options.command:
        case "key":
            print(keys.create(clients, stack, options.name))
        case "keys":
            for key in keys.listed(clients, stack):
                state = "" if key.enabled else "  disabled"
                print(f"{printable(key.name):<30}  {key.id:<12}  since {key.created:%Y-%m-%d}{state}")
        case "revoke":
            keys.revoke(clients, stack, options.name)
        case "check":
            expect_deployable(clients, stack)
        case "remove":
            left = removal.remove(clients, stack, options.data)
            print(f"{stack} is gone." + (f" Left in the account: {', '.join(left)}." if left else ""))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    parser.add_argument("--env", default="dev", help="environment of samconfig.toml (default dev)")
    parser.add_argument("--stack", help="name of the stack, where it is not the environment's")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, description in (("key", "make an API key, print its value"), ("revoke", "delete an API key")):
        commands.add_parser(command, help=description).add_argument("name", type=_name)
    commands.add_parser("check", help="say what is in the way of a deployment")
    commands.add_parser("keys", help="list the API keys, without their values")
    remove = commands.add_parser("remove", help="delete the stack")
    remove.add_argument("--data", type=removal.Data, choices=list(removal.Data), help="what becomes of the files")
    return parser.parse_args()


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("a key needs a name: NAME=...")
    return text


if __name__ == "__main__":
    sys.exit(run(main))
