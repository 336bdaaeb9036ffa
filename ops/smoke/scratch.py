"""A bucket of the run's own, for what must not lie in the stack's."""

import secrets

from botocore.exceptions import ClientError

from ops import buckets
from ops.smoke.keys import PREFIX
from ops.smoke.session import Smoke


def bucket(smoke: Smoke) -> str:
    """Make a bucket, which goes in the end; what an earlier run left of this stack's goes as well. Returns its name."""
    s3 = smoke.deployment.client("s3")
    prefix = f"{PREFIX}{_stack_part(smoke)}-"
    for left in s3.list_buckets().get("Buckets", []):
        others = left["Name"].startswith(prefix) and left["Name"] not in smoke.scratch
        if others and smoke.is_left(left["CreationDate"]):
            buckets.delete(s3, left["Name"])
    name = f"{prefix}{secrets.token_hex(4)}"
    smoke.cleanup.note(f"bucket {name}", lambda: _delete(smoke, name))
    smoke.scratch.add(name)
    buckets.create(s3, name)
    return name


def _delete(smoke: Smoke, name: str) -> None:
    try:
        buckets.delete(smoke.deployment.client("s3"), name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
    smoke.scratch.discard(name)


def _stack_part(smoke: Smoke) -> str:
    """What tells this stack's buckets from those of another, or of another account."""
    return smoke.deployment.id.rsplit("/", 1)[-1].replace("-", "")[:12]
