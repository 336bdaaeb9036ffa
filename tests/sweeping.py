"""The sweep, as the unit tests run it."""

from typing import Any

from tests.support import Context, invoke, sample_event

NOTHING = {
    "expired": 0,
    "deletions_finished": 0,
    "adopted": 0,
    "pending_removed": 0,
    "versions_removed": 0,
    "multipart_uploads_aborted": 0,
    "finished": True,
}
"""What a sweep says that found nothing to do."""


def sweep(context: Context | None = None) -> dict[str, Any]:
    swept: dict[str, Any] = invoke("sweep", sample_event("sweep"), context)
    return swept
