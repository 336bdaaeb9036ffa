"""Presigned URLs."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest

from filestore.domain.disposition import attachment
from filestore.storage.links import LinkSigner


def signer(region: str, **environment: str) -> LinkSigner:
    session = botocore.session.Session()
    session.set_config_variable("region", region)
    session.set_credentials("AKIDEXAMPLE", "secret", environment.get("token"))
    return LinkSigner(session, "files.example", 900)


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "files.example.s3.us-east-1.amazonaws.com"),
        ("eu-central-1", "files.example.s3.eu-central-1.amazonaws.com"),
        ("cn-north-1", "files.example.s3.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "files.example.s3.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "files.example.s3.eusc-de-east-1.amazonaws.eu"),
    ],
)
def test_name_the_bucket_in_its_region(region: str, host: str) -> None:
    """The global host redirects to the region, and browsers refuse to follow on a preflight."""
    url = urlsplit(signer(region).upload("key").url)
    assert url.hostname == host
    assert f"/{region}/s3/aws4_request" in parse_qs(url.query)["X-Amz-Credential"][0]


def test_honour_the_endpoint_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")
    assert signer("us-east-1").upload("key").url.startswith("http://127.0.0.1:4566/files.example/key?")


def test_take_the_endpoint_of_s3_before_that_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9000/")
    assert signer("us-east-1").upload("key").url.startswith("http://127.0.0.1:9000/files.example/key?")


def test_need_a_region_and_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(RuntimeError, match="region"):
        LinkSigner(session, "files.example", 900)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with pytest.raises(RuntimeError, match="credentials"):
        LinkSigner(botocore.session.Session(), "files.example", 900)


def test_last_as_long_as_they_were_told_to() -> None:
    assert parse_qs(urlsplit(signer("us-east-1").upload("key").url).query)["X-Amz-Expires"] == ["900"]


def test_pin_the_version_of_a_download() -> None:
    url = signer("us-east-1").download("key", version_id="v+1/=", content_type="a/b", content_disposition="attachment")
    query = parse_qs(urlsplit(url).query)
    unsaid = {name: value for name, value in query.items() if not name.startswith(("X-Amz-", "response-"))}
    assert unsaid == {"versionId": ["v+1/="]}


def test_quote_what_a_url_cannot_hold() -> None:
    assert urlsplit(signer("us-east-1").upload("a b/ü?#").url).path == "/a%20b/%C3%BC%3F%23"


def test_give_back_nothing_that_the_uploader_may_have_sent_along() -> None:
    """S3 keeps the headers of a PUT that nobody signed and has them in the answer to a GET; an override is signed."""
    url = signer("us-east-1").download("key", version_id="v", content_type="a/b", content_disposition="attachment")
    query = parse_qs(urlsplit(url).query)
    assert {name: values for name, values in query.items() if name.startswith("response-")} == {
        "response-cache-control": ["no-store"],
        "response-content-disposition": ["attachment"],
        "response-content-encoding": ["identity"],
        "response-content-language": ["und"],
        "response-content-type": ["a/b"],
        "response-expires": ["Thu, 01 Jan 1970 00:00:00 GMT"],
    }


@pytest.mark.parametrize(
    "name", ["\ufdfa" * 255, "😀" * 255, "; " * 127 + "x", "; " * 41 + "日" * 172, "x" * 255], ids=lambda name: name[:2]
)
def test_of_a_download_leave_a_browser_room_for_its_headers(name: str) -> None:
    """S3 takes 8192 bytes of request line and headers, or answers 400 RequestHeaderSectionTooLarge."""
    url = signer("eusc-de-east-1", token="+" * 680).download(
        "0" * 32,
        version_id="v" * 32,
        content_type="a/b; " + '"' * 250,
        content_disposition=attachment(name),
    )
    assert len(url) <= 7_192


def test_carry_the_token_of_a_roles_credentials() -> None:
    url = signer("us-east-1", token="of a role").upload("key").url
    assert parse_qs(urlsplit(url).query)["X-Amz-Security-Token"] == ["of a role"]


def test_agree_with_the_sdks_own_presigner() -> None:
    """The SDK is the reference for Signature Version 4: both must sign the same, but for the order of the query."""
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    client: Any = session.create_client(
        "s3",
        region_name="eu-central-1",
        config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
    )
    ours: dict[str, list[str]] = {}
    theirs: dict[str, list[str]] = {"": [""]}
    # Both stamp the second at which they sign; the second may turn between the two.
    for _ in range(3):
        session.set_config_variable("region", "eu-central-1")
        ours = parse_qs(
            urlsplit(LinkSigner(session, "files", 900).upload("key", size=3, content_type="text/plain").url).query
        )
        theirs = parse_qs(
            urlsplit(
                client.generate_presigned_url(
                    "put_object",
                    Params={"Bucket": "files", "Key": "key", "ContentLength": 3, "ContentType": "text/plain"},
                    ExpiresIn=900,
                )
            ).query
        )
        if ours["X-Amz-Date"] == theirs["X-Amz-Date"]:
            break
    assert ours == theirs
