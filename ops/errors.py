"""What can go wrong, each in one line for the operator."""

import os
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)

from local.errors import LocalError
from local.terminal import printable

_HERE = "127.0.0.1"


class OperatorError(Exception):
    """It was not done; the message says why and what to do."""


def run(main: Callable[[], int]) -> int:
    """Returns the exit status of a program: its own, or 1 where it failed, with the reason in one line."""
    status = 1
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads it has enough. Python would try to write the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    except (OperatorError, LocalError, BotoCoreError, ClientError) as error:
        print(f"error: {printable(' '.join(_reason(error).split()))}", file=sys.stderr)
    return status


def _reason(error: Exception) -> str:
    match error:
        case NoRegionError() | NoCredentialsError() | ProfileNotFound():
            said = str(error).rstrip(".")
            return (
                f"{said}. Choose an AWS profile: AWS_PROFILE=... make ..., or set AWS_DEFAULT_REGION and the variables"
                " of a key (aws configure makes a profile)"
            )
        # It ended just now.
        case EndpointConnectionError() if urlsplit(error.kwargs["endpoint_url"]).hostname == _HERE:
            return "No stack runs here. Try: make run"
    return str(error)
