"""Removes a stack. What users uploaded outlives it unless the operator says otherwise, and in prod always.

CloudFormation would not delete a bucket that has objects, and a half-deleted stack is no use to anybody; so bucket and
table are retained by the template, and what is to go as well goes here, once nothing can write to it any more.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ops import keys
from ops.errors import OperatorError
from ops.stack import Clients, describe, stillborn

# Twenty minutes, looking every other second.
_PATIENCE = {"Delay": 2, "MaxAttempts": 600}


class Data(StrEnum):
    """What is to become of the files."""

    KEEP = "keep"
    DELETE = "delete"


def remove(clients: Clients, stack: str, data: Data | None) -> list[str]:
    """Delete the stack and its keys; answers what is left, in words.

    Without ``data`` a stack that has files is refused, and what comes in meanwhile is left. In prod
    ``Data.DELETE`` is refused.
    """
    if (failed := stillborn(clients, stack)) is not None:
        return _clear(clients, failed, data)
    parameters, outputs = describe(clients, stack)
    bucket, table = outputs["StorageBucketName"], outputs["TableName"]
    if parameters["EnvironmentParameter"] == "prod" and data is Data.DELETE:
        raise OperatorError(
            f"{stack} is in production: nothing here deletes its files. Say DATA=keep, and then delete"
            f" the bucket {bucket} and the table {table} yourself."
        )
    if data is None and (_has_objects(clients, bucket) or _has_records(clients, table)):
        raise OperatorError(f"{stack} has files. Say DATA=keep to leave them in your account, or DATA=delete.")
    keys.revoke_all(clients, stack)
    _delete_stack(clients("cloudformation"), stack)
    left = {
        f"bucket {bucket}": "empty and delete the bucket in the console of S3",
        f"table {table}": f"aws dynamodb delete-table --table-name {table}",
    }
    if data is Data.KEEP or parameters["EnvironmentParameter"] == "prod":
        return list(left)
    try:
        if data is None and (_has_objects(clients, bucket) or _has_records(clients, table)):
            return list(left)
        delete_bucket(clients("s3"), bucket)
        del left[f"bucket {bucket}"]
        _delete_table(clients("dynamodb"), table)
    except (OperatorError, BotoCoreError, ClientError) as error:
        raise OperatorError(
            f"The stack {stack} is deleted, but left in the account: {', '.join(left)}. {str(error).rstrip('.')}."
            f" Delete what is left yourself: {'; '.join(left.values())}"
        ) from None
    return []


def _clear(clients: Clients, failed: Mapping[str, Any], data: Data | None) -> list[str]:
    """Delete a stack whose creation failed; returns what is left of it, in words.

    CloudFormation has deleted what it had made, as far as it could. What it could not is kept, like all data.
    """
    stack = failed["StackId"]
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    there = {
        resource["ResourceType"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceStatus"] in ("CREATE_COMPLETE", "DELETE_FAILED", "DELETE_SKIPPED")
    }
    bucket, table = there.get("AWS::S3::Bucket"), there.get("AWS::DynamoDB::Table")
    if data is not Data.KEEP and (
        (bucket and _has_objects(clients, bucket)) or (table and _has_records(clients, table))
    ):
        raise OperatorError(
            f"{failed['StackName']} was never deployed to its end, but has files. Say DATA=keep to leave them in your"
            " account."
        )
    _delete_stack(clients("cloudformation"), stack)
    return [f"{what} {name}" for what, name in (("bucket", bucket), ("table", table)) if name]


def _has_objects(clients: Clients, bucket: str) -> bool:
    listed = clients("s3").list_object_versions(Bucket=bucket, MaxKeys=1)
    return bool(listed.get("Versions") or listed.get("DeleteMarkers"))


def _has_records(clients: Clients, table: str) -> bool:
    return bool(clients("dynamodb").scan(TableName=table, Limit=1)["Items"])


def _delete_stack(cloudformation: Any, stack: str) -> None:
    # By its id: a stack that is gone cannot be found by its name.
    stack_id = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack_id)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=_PATIENCE)
    except WaiterError:
        events = cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"] == "DELETE_FAILED"
        ]
        raise OperatorError(f"The stack could not be deleted. {'; '.join(reasons)}") from None


def delete_bucket(s3: Any, bucket: str) -> None:
    """Empty a bucket and delete it."""
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


def _delete_table(dynamodb: Any, table: str) -> None:
    try:
        dynamodb.delete_table(TableName=table)
    except ClientError as error:
        raise OperatorError(f"The table {table} could not be deleted: {error.response['Error']['Message']}") from None
    dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig=_PATIENCE)
