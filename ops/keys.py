"""The API keys of a stack's back ends: those on its usage plan.

A key tells one back end from another and bounds what it may ask for; it is no proof of who is calling (SECURITY.md).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops.errors import OperatorError
from ops.stack import Clients, describe

TAG = "filestore:stack"
"""Says in a key's tags for which stack it was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key, without its value."""

    id: str
    name: str
    enabled: bool
    created: datetime
    is_ours: bool
    """Made here for this stack, and not brought along from elsewhere."""


def create(clients: Clients, stack: str, name: str) -> str:
    """Make a key for a back end; returns its value. A name that is taken is refused, so that names stay clear."""
    if any(key.name == name for key in listed(clients, stack)):
        raise OperatorError(f"There is a key {name} already. Choose another name, or revoke that one first.")
    gateway = clients("apigateway")
    key = gateway.create_api_key(name=name, enabled=True, tags={TAG: stack})
    try:
        gateway.create_usage_plan_key(usagePlanId=_usage_plan(clients, stack), keyId=key["id"], keyType="API_KEY")
    except Exception:
        gateway.delete_api_key(apiKey=key["id"])
        raise
    return str(key["value"])


def listed(clients: Clients, stack: str) -> list[Key]:
    """The keys, by name."""
    gateway = clients("apigateway")
    keys = [gateway.get_api_key(apiKey=member["id"]) for member in _members(gateway, _usage_plan(clients, stack))]
    return sorted(
        (
            Key(
                id=key["id"],
                name=key["name"],
                enabled=key["enabled"],
                created=key["createdDate"],
                is_ours=key.get("tags", {}).get(TAG) == stack,
            )
            for key in keys
        ),
        key=lambda key: key.name,
    )


def revoke(clients: Clients, stack: str, name: str) -> None:
    """Delete a key. It takes effect within moments."""
    found = [key for key in listed(clients, stack) if key.name == name]
    if not found:
        raise OperatorError(f"There is no key {name}. See: make keys")
    for key in found:
        clients("apigateway").delete_usage_plan_key(usagePlanId=_usage_plan(clients, stack), keyId=key.id)
    delete_ours(clients, found)


def delete_ours(clients: Clients, found: Iterable[Key]) -> None:
    """Delete the keys that were made for a stack that is gone, and its plan with it."""
    gateway = clients("apigateway")
    for key in found:
        if key.is_ours:
            gateway.delete_api_key(apiKey=key.id)


def _usage_plan(clients: Clients, stack: str) -> str:
    return describe(clients, stack).outputs["UsagePlanId"]


def _members(gateway: Any, usage_plan: str) -> Iterator[Any]:
    for page in gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=usage_plan):
        yield from page["items"]
