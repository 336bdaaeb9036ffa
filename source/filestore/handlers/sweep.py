"""On a schedule: remove what is due and finish what was interrupted."""

from collections.abc import Mapping
from typing import Any

from filestore import telemetry, wiring

wiring.sweep()

# A page of due files takes a few seconds at the worst.
_RESERVE_MILLISECONDS = 20_000


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Returns what was done, for whoever invokes it by hand; raises, so that an alarm goes off, what could not be."""
    del event
    swept = wiring.sweep().sweep(has_time=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
    for failure in swept.failures:
        telemetry.logger.error("a shard was not swept", exc_info=failure)
    telemetry.report(
        "sweep",
        finished=swept.finished,
        function_request_id=context.aws_request_id,
        counts={
            "UploadsExpired": swept.expired,
            "DeletionsFinished": swept.deleted,
            "UploadsAdopted": swept.adopted,
            "PendingRemoved": swept.pending_removed,
            "VersionsRemoved": swept.versions,
            "MultipartUploadsAborted": swept.aborted,
        },
        # An alarm waits for them, so a sweep that failed has none.
        gauges={} if swept.failures else {"DueFiles": swept.due, "OldestDueAge": swept.oldest},
    )
    if swept.failures:
        raise ExceptionGroup("shards that were not swept", swept.failures)
    return {
        "expired": swept.expired,
        "deletions_finished": swept.deleted,
        "adopted": swept.adopted,
        "pending_removed": swept.pending_removed,
        "versions_removed": swept.versions,
        "multipart_uploads_aborted": swept.aborted,
        "finished": swept.finished,
    }
