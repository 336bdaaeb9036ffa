"""The bucket of the page, which everybody may read.

S3 keeps new buckets from that, and accounts and organisations may keep all of theirs (S3 user guide, Blocking public
access). A bucket that was made here says so in a tag, and is put right by the next run; any other is left as it is.
"""

import json
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops import buckets
from ops.errors import OperatorError

_OURS = {"Key": "filestore", "Value": "page"}
# What S3 calls the two settings that a policy for everybody comes up against.
_IN_THE_WAY = ("BlockPublicPolicy", "RestrictPublicBuckets")
# Amazon S3 user guide, bucket naming rules.
_LONGEST_NAME = 63
# A new policy reaches all of S3 within moments, not at once. Seconds.
_PATIENCE = 60


def name(stack: str, owner: str, region: str) -> str:
    """The bucket of a stack's page, unless another is named. Raises OperatorError where S3 takes no name so long."""
    bucket = f"{stack}-page-{owner}-{region}".lower()
    if len(bucket) > _LONGEST_NAME:
        raise OperatorError(f"{bucket} is too long for the name of a bucket. Name one: BUCKET=...")
    return bucket


def address(session: Any, bucket: str) -> str:
    """Returns the regional address of a bucket, under the endpoint that the SDK is configured for.

    The global address would answer for a bucket elsewhere with a redirect, which browsers refuse on a preflight.
    """
    config = Config(
        signature_version=UNSIGNED, s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    )
    s3 = session.client("s3", config=config)
    return str(s3.generate_presigned_url("head_bucket", Params={"Bucket": bucket})).rstrip("/")


def prepare(session: Any, bucket: str, owner: str, say: Callable[[str], None]) -> bool:
    """Make the bucket, or put right what an earlier run did not finish. Returns whether anything was done.

    Raises OperatorError where S3 would not let everybody read it, and for the bucket of another account.
    """
    s3 = session.client("s3")
    known = _exists(s3, bucket, owner)
    if known and not _is_unfinished(s3, bucket):
        return False
    _expect_no_block(session, owner)
    if not known:
        say(f"Making the bucket {bucket} ...")
        buckets.create(s3, bucket)
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [_OURS]})
    try:
        _open(s3, bucket, s3.meta.partition)
    except ClientError as error:
        if _status(error) != HTTPStatus.FORBIDDEN:
            raise
        said = error.response["Error"]["Message"].rstrip(".")
        raise OperatorError(
            f"The bucket {bucket} cannot be opened to everybody: {said}. Either you may not change its policy, or"
            " Block Public Access is on for the account or the organisation: turn BlockPublicPolicy and"
            " RestrictPublicBuckets off there (S3 console, Block Public Access settings for this account) and publish"
            " again."
        ) from None
    return True


def expect_readable(url: str, *, changed: bool) -> None:
    """Fetch the page as anybody would. Raises OperatorError if S3 does not give it; waits for what was just changed."""
    deadline = time.monotonic() + (_PATIENCE if changed else 0)
    while (refused := _refusal(url)) is not None:
        if time.monotonic() > deadline:
            raise OperatorError(
                f"The page is in its bucket, but {url} answers {refused}. For everybody to see it, the bucket's"
                " policy has to allow s3:GetObject to everybody, and BlockPublicPolicy and RestrictPublicBuckets"
                " have to be off in the Block Public Access of the bucket and of the account. A bucket that stays"
                " private needs a CDN in front."
            )
        time.sleep(1)


def _exists(s3: Any, bucket: str, owner: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner)
    except ClientError as error:
        if _status(error) == HTTPStatus.NOT_FOUND:
            return False
        raise OperatorError(f"The bucket {bucket} cannot be used: {error.response['Error']['Message']}") from None
    return True


def _is_unfinished(s3: Any, bucket: str) -> bool:
    """Whether the bucket was made here and has no policy yet. One that does not tell is not ours."""
    tags = _answer(s3.get_bucket_tagging, bucket, none=("NoSuchTagSet", "AccessDenied"))
    if tags is None or _OURS not in tags["TagSet"]:
        return False
    return _answer(s3.get_bucket_policy, bucket, none=("NoSuchBucketPolicy",)) is None


def _answer(ask: Callable[..., dict[str, Any]], bucket: str, *, none: tuple[str, ...]) -> dict[str, Any] | None:
    try:
        return ask(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in none:
            raise
        return None


def _expect_no_block(session: Any, owner: str) -> None:
    """Ask before anything is made. Who may not ask is told by S3 itself, later."""
    client = session.client("s3control", config=Config(retries={"total_max_attempts": 1}))
    try:
        block = client.get_public_access_block(AccountId=owner)["PublicAccessBlockConfiguration"]
    except (BotoCoreError, ClientError):
        return
    if found := [setting for setting in _IN_THE_WAY if block.get(setting)]:
        raise OperatorError(
            f"S3 shows nothing of this account to everybody: its Block Public Access has {' and '.join(found)} on. Turn"
            " that off (S3 console, Block Public Access settings for this account) and publish again, or publish from"
            " another account."
        )


def _open(s3: Any, bucket: str, partition: str) -> None:
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    statement = {
        "Sid": "EverybodyReadsThePage",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:{partition}:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def _refusal(url: str) -> str | None:
    """What came instead of the page: a status, or why there was no answer. None for the page."""
    try:
        answer = requests.get(url, timeout=10)
    except requests.RequestException as error:
        return f"nothing ({error})"
    return None if answer.ok else str(answer.status_code)


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
