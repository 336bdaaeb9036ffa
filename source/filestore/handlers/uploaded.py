"""S3 object created, by way of SQS: record uploads.

A message that cannot be handled is answered as a failure of its own (ReportBatchItemFailures, Lambda developer guide),
so that it comes again, and in the end lies in the dead-letter queue, without holding up the others.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from filestore import telemetry, wiring
from filestore.domain.file import NO_VERSION, ObjectVersion, is_file_id

wiring.record_uploads()

# DynamoDB's numbers have 38 digits; S3's sizes fit in 64 bits.
_TOO_LARGE = 2**63


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Returns the ids of the messages that have to come again."""
    uploads: dict[str, list[ObjectVersion]] = {}
    failed: set[str] = set()
    foreign = 0
    for message in event["Records"]:
        try:
            created = list(_created_objects(message["body"]))
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            # Neither the text of the error nor a traceback: they quote the body.
            reason = type(error).__name__
            telemetry.logger.error("unreadable message", message_id=message["messageId"], reason=reason)
            failed.add(message["messageId"])
            continue
        ours = [version for version in created if is_file_id(version.key)]
        foreign += len(created) - len(ours)
        uploads[message["messageId"]] = [version for version in ours if version.is_lasting]
        if not all(version.is_lasting for version in ours):
            # Which object it is about cannot be told: nothing is recorded or removed for it.
            telemetry.logger.error("upload without a version", message_id=message["messageId"])
            failed.add(message["messageId"])
    recorded = wiring.record_uploads().record(version for versions in uploads.values() for version in versions)
    failed.update(message for message, versions in uploads.items() if not recorded.unfinished.isdisjoint(versions))
    telemetry.report(
        "S3 object created",
        messages=len(event["Records"]),
        failed=len(failed),
        file_ids=[version.key for versions in uploads.values() for version in versions] or None,
        function_request_id=context.aws_request_id,
        counts={
            "UploadsRecorded": recorded.recorded,
            "BytesUploaded": recorded.bytes,
            "FilesStored": recorded.recorded if wiring.settings().store_on_load else 0,
            "VersionsRemoved": recorded.removed,
            "ForeignObjects": foreign,
        },
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(failed)]}


def _created_objects(body: str) -> Iterator[ObjectVersion]:
    """The object versions in a notification of S3. The test notification that S3 sends once has none."""
    notification = json.loads(body)
    if notification.get("Event") == "s3:TestEvent":
        return
    for record in notification["Records"]:
        created = record["s3"]["object"]
        upload = ObjectVersion(
            key=unquote_plus(created["key"]),
            # Versioning that was just switched on may take 15 minutes to reach all of S3 (Amazon S3 user guide).
            version_id=created.get("versionId") or NO_VERSION,
            size=created["size"],
            etag=created["eTag"].strip('"'),
        )
        # What DynamoDB cannot take would make it refuse the whole batch.
        if not (
            isinstance(upload.version_id, str)
            and f"{upload.version_id}{upload.etag}".isprintable()
            and isinstance(upload.size, int)
            and 0 <= upload.size < _TOO_LARGE
        ):
            raise ValueError("S3 creates no such object")
        yield upload
