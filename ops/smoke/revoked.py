"""The end of this run's key."""

import time
from http import HTTPStatus

from ops.smoke.checks import CheckFailed, check
from ops.smoke.session import UNKNOWN_ID, Smoke

_IN_A_ROW = 3


@check(source="API Gateway developer guide: it does not say how soon")
def revoked_key(smoke: Smoke) -> str:
    """How soon a revoked key stops working: this run's own, once its files are deleted."""
    headers = smoke.key_headers()
    smoke.delete_files()
    smoke.revoke_key()
    started = time.monotonic()

    def refused() -> bool:
        replies = (smoke.call("POST", "/files", [UNKNOWN_ID], headers=headers) for _ in range(_IN_A_ROW))
        return all(reply.status_code == HTTPStatus.FORBIDDEN for reply in replies)

    if not smoke.wait(refused):
        raise CheckFailed(
            expected=f"403 within {smoke.patience:.0f} s",
            came="the key still works",
            do="Until it does not, a leaked key is stopped by taking its stage off the usage plan.",
        )
    return f"after {time.monotonic() - started:.1f} s"
