"""Removes a stack. What users uploaded outlives it unless the operator says otherwise, and in prod always.

CloudFormation would not delete a bucket that has objects, and a half-deleted stack is no use to anybody; so bucket and
table are retained by the template, and what is to go as well goes here, once nothing can write to it any more.
"""

from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from ops import buckets, keys
from ops.errors import OperatorError
from ops.stack import Clients, Described, describe_any

# Twenty minutes, looking every other second.
_PATIENCE = {"Delay": 2, "MaxAttempts": 600}


class Data(StrEnum):
    """What is to become of the files."""

    KEEP = "keep"
    DELETE = "delete"


def remove(clients: Clients, stack: str, data: Data | None) -> list[str]:
    """Delete the stack and its keys; returns what is left, in words.

    Without ``data`` a stack that has files is refused, and what comes in meanwhile is left. In prod
    ``Data.DELETE`` is refused.
    """
    found = describe_any(clients, stack)
    if found.is_stillborn:
        return _clear(clients, found, data)
    bucket, table = found.outputs["StorageBucketName"], found.outputs["TableName"]
    is_production = found.parameters["EnvironmentParameter"] == "prod"
    if is_production and data is Data.DELETE:
        raise OperatorError(
            f"{stack} is in production: nothing here deletes its files. Say DATA=keep, and then delete"
            f" the bucket {bucket} and the table {table} yourself."
        )
    if data is None and (_has_objects(clients, bucket) or _has_records(clients, table)):
        raise OperatorError(f"{stack} has files. Say DATA=keep to leave them in your account, or DATA=delete.")
    of_back_ends = keys.listed(clients, stack)
    # First: a stack that is protected, or that we may not delete, goes on, and its back ends with it.
    _delete_stack(clients("cloudformation"), found.id)
    keys.delete_ours(clients, of_back_ends)
    left = {
        f"bucket {bucket}": "empty and delete the bucket in the console of S3",
        f"table {table}": f"aws dynamodb delete-table --table-name {table}",
    }
    if data is Data.KEEP or is_production:
        return list(left)
    try:
        if data is None and (_has_objects(clients, bucket) or _has_records(clients, table)):
            return list(left)
        buckets.delete(clients("s3"), bucket)
        del left[f"bucket {bucket}"]
        _delete_table(clients("dynamodb"), table)
    except (OperatorError, BotoCoreError, ClientError) as error:
        raise OperatorError(
            f"The stack {stack} is deleted, but left in the account: {', '.join(left)}. {str(error).rstrip('.')}."
            f" Delete what is left yourself: {'; '.join(left.values())}"
        ) from None
    return []


def _clear(clients: Clients, failed: Described, data: Data | None) -> list[str]:
    """Delete a stack whose creation failed; returns what is left of it, in words.

    CloudFormation has deleted what it had made, as far as it could. What it could not is kept, like all data.
    """
    pages = clients("cloudformation").get_paginator("list_stack_resources").paginate(StackName=failed.id)
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
            f"{failed.name} was never deployed to its end, but has files. Say DATA=keep to leave them in your account."
        )
    _delete_stack(clients("cloudformation"), failed.id)
    return [f"{what} {name}" for what, name in (("bucket", bucket), ("table", table)) if name]


def _has_objects(clients: Clients, bucket: str) -> bool:
    listed = clients("s3").list_object_versions(Bucket=bucket, MaxKeys=1)
    return bool(listed.get("Versions") or listed.get("DeleteMarkers"))


def _has_records(clients: Clients, table: str) -> bool:
    return bool(clients("dynamodb").scan(TableName=table, Limit=1)["Items"])


def _delete_stack(cloudformation: Any, stack_id: str) -> None:
    """Delete a stack, by its id: one that is gone cannot be found by its name."""
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


def _delete_table(dynamodb: Any, table: str) -> None:
    try:
        dynamodb.delete_table(TableName=table)
    except ClientError as error:
        raise OperatorError(f"The table {table} could not be deleted: {error.response['Error']['Message']}") from None
    dynamodb.get_waiter("table_not_exists").wait(TableName=table, WaiterConfig=_PATIENCE)
