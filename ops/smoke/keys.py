"""The key of a run. Its name says that it is one's, its description which stored files to delete with it.

So a run that was killed leaves a note in the account, and the next one does what it could not.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from ops import keys
from ops.ids import is_file_id
from ops.smoke.deployment import Deployment

PREFIX = "filestore-smoke-"
"""Begins the name of everything that a run makes."""

MAY_GO_ON = 60 * 60
"""Seconds after which what a run has made is taken for left behind: two updates of a stack are through by then."""


class Earlier(NamedTuple):
    """The key of another run, and the files that it says it had stored. Whoever may edit keys can name others there."""

    id: str
    name: str
    created: datetime
    files: list[str]


def make(deployment: Deployment, name: str) -> str:
    """Make a key on the stack's usage plan; returns its value."""
    return keys.create(deployment.client, deployment.name, name)


def remember(deployment: Deployment, key: str, files: Sequence[str]) -> None:
    """Write the files that have to be deleted into the key's description."""
    deployment.client("apigateway").update_api_key(
        apiKey=key, patchOperations=[{"op": "replace", "path": "/description", "value": " ".join(files)}]
    )


def of_earlier_runs(deployment: Deployment, name: str) -> list[Earlier]:
    """The keys of other runs on this stack."""
    return [
        Earlier(
            key["id"],
            key["name"],
            key["createdDate"],
            [word for word in key.get("description", "").split() if is_file_id(word)],
        )
        for key in _found(deployment, PREFIX)
        if key["name"] != name
    ]


def may_go_on(made: datetime) -> bool:
    """Whether a run that made something then may still go on."""
    return time.time() - made.timestamp() < MAY_GO_ON


def ids(deployment: Deployment, name: str) -> list[str]:
    """The ids of the keys with this name."""
    return [key["id"] for key in _found(deployment, name) if key["name"] == name]


def delete(deployment: Deployment, found: Iterable[str]) -> None:
    """Delete keys; one that is gone is no error."""
    gateway = deployment.client("apigateway")
    for key in found:
        for call, names in (
            (gateway.delete_usage_plan_key, {"usagePlanId": deployment.outputs["UsagePlanId"], "keyId": key}),
            (gateway.delete_api_key, {"apiKey": key}),
        ):
            try:
                call(**names)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotFoundException":
                    raise


def _found(deployment: Deployment, prefix: str) -> list[dict[str, Any]]:
    """Those of this stack's keys whose names begin so, whether they made it onto the plan or not."""
    pages = deployment.client("apigateway").get_paginator("get_api_keys").paginate(nameQuery=prefix)
    return [
        key
        for page in pages
        for key in page["items"]
        if key["name"].startswith(prefix) and key.get("tags", {}).get(keys.TAG) == deployment.name
    ]
