"""An account may keep all of its buckets from everybody: ``make publish`` finds out before it makes one."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops import page_bucket, publish
from ops.errors import OperatorError

OWNER = "123456789012"
OFF = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)


@pytest.fixture
def session() -> Iterator[Any]:
    with mock_aws():
        yield boto3.Session(region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test")


def prepare(session: Any) -> bool:
    return page_bucket.prepare(session, "the-page", OWNER, lambda _: None)


def block(session: Any, **settings: bool) -> None:
    session.client("s3control").put_public_access_block(AccountId=OWNER, PublicAccessBlockConfiguration=OFF | settings)


def buckets(session: Any) -> list[str]:
    return [bucket["Name"] for bucket in session.client("s3").list_buckets()["Buckets"]]


@pytest.mark.parametrize("setting", ["BlockPublicPolicy", "RestrictPublicBuckets"])
def test_an_account_that_lets_nobody_in_is_told_before_anything_is_made(session: Any, setting: str) -> None:
    block(session, **{setting: True})
    with pytest.raises(OperatorError, match=f"its Block Public Access has {setting} on. Turn that off"):
        prepare(session)
    assert buckets(session) == []


@pytest.mark.parametrize("settings", [{}, {"BlockPublicAcls": True, "IgnorePublicAcls": True}])
def test_other_settings_are_not_in_the_way(session: Any, settings: dict[str, bool]) -> None:
    block(session, **settings)
    assert prepare(session) is True
    policy = session.client("s3").get_bucket_policy(Bucket="the-page")["Policy"]
    assert '"Action": "s3:GetObject", "Resource": "arn:aws:s3:::the-page/*"' in policy
    assert prepare(session) is False


def test_an_account_without_such_settings(session: Any) -> None:
    assert prepare(session) is True


def test_a_bucket_of_yours_is_not_asked_about(session: Any) -> None:
    """It may be private on purpose, with a CDN in front."""
    where = {"LocationConstraint": "eu-central-1"}
    session.client("s3").create_bucket(Bucket="the-page", CreateBucketConfiguration=where)
    block(session, BlockPublicPolicy=True)
    assert prepare(session) is False


def test_its_name_says_whose_it_is() -> None:
    """Names of buckets are unique in all of AWS."""
    assert page_bucket.name("Filestore-dev", OWNER, "eu-central-1") == "filestore-dev-page-123456789012-eu-central-1"


def test_a_name_that_s3_does_not_take_is_refused_with_the_way_out() -> None:
    with pytest.raises(OperatorError, match=r"is too long for the name of a bucket\. Name one: BUCKET="):
        page_bucket.name("filestore-of-the-team-with-the-long-name", OWNER, "ap-southeast-1")


@pytest.mark.parametrize(
    ("region", "address"),
    [
        ("eu-central-1", "https://the-page.s3.eu-central-1.amazonaws.com"),
        ("us-east-1", "https://the-page.s3.us-east-1.amazonaws.com"),
        ("cn-north-1", "https://the-page.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_address_is_that_of_its_region(region: str, address: str) -> None:
    """S3 answers under the global one with a redirect, which browsers refuse on a preflight."""
    session = boto3.Session(region_name=region, aws_access_key_id="test", aws_secret_access_key="test")
    assert page_bucket.address(session, "the-page") == address


def test_the_address_of_an_endpoint_of_ones_own_has_the_bucket_in_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    session = boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    assert page_bucket.address(session, "the-page") == "http://127.0.0.1:4566/the-page"


def test_the_page_of_a_closed_stack_needs_a_back_end(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Published without one it could upload nothing."""
    deployed = SimpleNamespace(parameters={"PublicUpload": "False"}, outputs={})
    monkeypatch.setattr(publish, "describe", lambda *_: deployed)
    monkeypatch.setattr(boto3, "Session", lambda: session)
    with pytest.raises(OperatorError, match="Say BACKEND_URL="):
        publish.publish(stack="closed", bucket=None, backend_url=None, api_root_url=None)
    assert session.client("s3").list_buckets()["Buckets"] == []
