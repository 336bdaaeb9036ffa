"""Every check, in the order in which they are run."""

from ops.smoke import (
    access,
    cors,
    gateway,
    in_parts,
    metrics,
    multipart,
    records,
    refusals,
    revoked,
    roots,
    routes,
    storage,
    update,
)
from ops.smoke.checks import Check

_ORDER = (
    access,
    gateway,
    cors,
    routes,
    in_parts,
    refusals,
    storage,
    records,
    roots,
    multipart,
    metrics,
    update,
    revoked,
)

CHECKS: dict[str, Check] = {
    found.name: found for module in _ORDER for found in vars(module).values() if isinstance(found, Check)
}
"""By name. The API key comes first, and dies last."""
