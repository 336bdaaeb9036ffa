"""Whose credentials there are, and the functions' temporary ones.

Left alone, the emulator derives these from names that everybody knows.
"""

import hmac
from collections.abc import Mapping
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import iam, sts


def has_key(key: str) -> bool:
    """Whether a user or a session has this key id."""
    return key in sts._sessions or any(key == each for _, each in iam._access_keys.to_dict())  # noqa: SLF001


def draw_those_of_functions(secret: str) -> None:
    """Have the emulator in this process derive them from this secret as well. To be called before it serves."""

    def digest(purpose: str, about: str) -> str:
        return hmac.digest(secret.encode(), f"{purpose}:{about}".encode(), "sha256").hex()

    def execution_credentials(config: Mapping[str, Any]) -> dict[str, str]:
        function, role = config["FunctionArn"], config["Role"]
        account, role_name = role.split(":")[4], role.rsplit("/", 1)[-1]
        name = config["FunctionName"][:64]
        key = f"ASIA{digest('key', f'{function}:{role}')[:16].upper()}"
        secret_key, token = digest("secret", f"{function}:{role}"), digest("token", f"{function}:{role}")
        sts.register_session(
            key,
            {
                "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{name}",
                "UserId": f"{role_name}:{name}",
                "SecretAccessKey": secret_key,
                "SessionToken": token,
            },
        )
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret_key, "AWS_SESSION_TOKEN": token}

    lambda_runtime.execution_credentials = execution_credentials
