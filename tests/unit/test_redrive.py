"""What an operator sees of a dead letter."""

import json

from ops.redrive import describe
from tests.support import sample_event


def test_an_event_that_came_without_a_version_is_one_of_s3_too() -> None:
    """Versioning that was just switched on may take a quarter of an hour to reach all of S3."""
    (message,) = sample_event("uploaded")["Records"]
    body = json.loads(message["body"])
    created = body["Records"][0]["s3"]["object"]
    del created["versionId"]
    said = describe({"MessageId": "7a1f", "Body": json.dumps(body)})
    assert said == f"7a1f  {created['key']} null ({created['size']} bytes)"
