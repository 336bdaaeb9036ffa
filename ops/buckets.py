"""Makes buckets, and deletes them with all that they hold."""

from typing import Any

from ops.errors import OperatorError

# The one region that must not be named (CreateBucket in the Amazon S3 API reference).
_UNNAMED_REGION = "us-east-1"


def create(s3: Any, bucket: str) -> None:
    """Make a bucket in the client's region."""
    region = s3.meta.region_name
    where = {} if region == _UNNAMED_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)


def delete(s3: Any, bucket: str) -> None:
    """Empty a bucket and delete it. Raises OperatorError where S3 keeps something in it."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        versions = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in (*page.get("Versions", []), *page.get("DeleteMarkers", []))
        ]
        if versions:
            answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})
            if answer.get("Errors"):
                raise OperatorError(f"The bucket {bucket} could not be emptied: {answer['Errors'][0]['Message']}")
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.delete_bucket(Bucket=bucket)
