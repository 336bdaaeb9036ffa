"""Presigned URLs."""

import hmac
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import botocore.session
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from filestore.domain.disposition import attachment
from filestore.domain.file import Checksum
from filestore.storage import aws, links
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


_OVERRIDES = {
    "response-content-encoding": "identity",
    "response-cache-control": "no-store",
    "response-expires": "Thu, 01 Jan 1970 00:00:00 GMT",
    "response-content-language": "und",
}


class TestTheSdksSigner:
    """It is the reference for Signature Version 4: every URL is the very one that it makes at that second."""

    @pytest.fixture(params=["", "http://127.0.0.1:4566", "https://S3.example:443", "http://[::1]:80/base/"])
    def root(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
        endpoint: str = request.param
        if not endpoint:
            return "https://files.example.s3.eu-central-1.amazonaws.com"
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        return f"{endpoint.rstrip('/')}/files.example"

    @pytest.fixture(params=[None, "of+a/role==", "%"])
    def token(self, request: pytest.FixtureRequest) -> str | None:
        token: str | None = request.param
        return token

    @pytest.fixture
    def sdk(self, root: str, token: str | None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
        """Signs the same with the SDK, at the second that a URL of ours says."""

        def sign(url: str, method: str, key: str, *, headers: dict[str, str], query: dict[str, str]) -> str:
            (date,) = parse_qs(urlsplit(url).query)["X-Amz-Date"]
            monkeypatch.setattr(auth, "get_current_datetime", lambda: datetime.strptime(date, "%Y%m%dT%H%M%S%z"))
            request = AWSRequest(method=method, url=f"{root}/{quote(key)}", headers=headers, params=query)
            credentials = Credentials("AKIDEXAMPLE", "secret", token)
            auth.S3SigV4QueryAuth(credentials.get_frozen_credentials(), "s3", "eu-central-1", 900).add_auth(request)
            return str(request.url)

        return sign

    @pytest.mark.parametrize("key", ["0123456789abcdef" * 2, "a b/ü?#+~"])
    def test_agrees_on_uploads(self, sdk: Callable[..., str], token: str | None, key: str) -> None:
        ours = signer("eu-central-1", **({} if token is None else {"token": token}))
        url = ours.upload(key).url
        assert url == sdk(url, "PUT", key, headers={}, query={})
        checksum = Checksum("SHA256", "0bKln76n4gB3r5+Rsn6V6GUGGycL4D/1Oas7c1h4gug=")
        url = ours.upload(key, size=8, content_type='text/plain;  charset="utf-8" ', checksum=checksum).url
        declared = {
            "Content-Type": 'text/plain;  charset="utf-8" ',
            "x-amz-checksum-sha256": checksum.value,
            "Content-Length": "8",
        }
        assert url == sdk(url, "PUT", key, headers=declared, query={})

    @pytest.mark.parametrize("name", ["report.pdf", "é 日本 \U0001f600 ~'()*!&=+%", "x" * 255])
    def test_agrees_on_downloads(self, sdk: Callable[..., str], token: str | None, name: str) -> None:
        ours = signer("eu-central-1", **({} if token is None else {"token": token}))
        url = ours.download("key", version_id="v+1/=", content_type='a/b; c="&"', content_disposition=attachment(name))
        query = {
            **_OVERRIDES,
            "response-content-disposition": attachment(name),
            "response-content-type": 'a/b; c="&"',
            "versionId": "v+1/=",
        }
        assert url == sdk(url, "GET", "key", headers={}, query=query)


class Clock:
    """The part of ``time`` that signing looks at, standing still."""

    strftime = staticmethod(time.strftime)

    def __init__(self, now: int) -> None:
        self._now = now

    def gmtime(self) -> time.struct_time:
        return time.gmtime(self._now)


class TestTheSigningKey:
    """Four of the five HMACs of a signature are the same all day, for the same credentials."""

    def test_is_made_once_a_day(self, monkeypatch: pytest.MonkeyPatch) -> None:
        digests: list[str] = []

        def digest(key: bytes, message: bytes, algorithm: str) -> bytes:
            digests.append(algorithm)
            return hmac.digest(key, message, algorithm)

        for module in (aws, links):
            monkeypatch.setattr(module, "hmac", SimpleNamespace(digest=digest))
        midnight = 1_767_225_600
        session = botocore.session.Session()
        session.set_config_variable("region", "us-east-1")
        session.set_credentials("AKIDEXAMPLE", "a secret of this test's own")
        ours = LinkSigner(session, "files", 900)
        counts = []
        for now in (midnight, midnight + 1, midnight + 86_399, midnight + 86_400):
            monkeypatch.setattr(links, "time", Clock(now))
            ours.upload("key")
            counts.append(len(digests))
        assert counts == [5, 6, 7, 12]

    def test_is_made_anew_for_other_credentials(self) -> None:
        """Those of a role end, and the SDK brings others: a URL of the old ones would work no longer."""
        session = botocore.session.Session()
        session.set_config_variable("region", "us-east-1")
        session.set_credentials("AKIDFIRST", "secret", "first")
        ours = LinkSigner(session, "files", 900)
        credentials: Any = session.get_credentials()
        assert "AKIDFIRST%2F" in ours.upload("key").url
        credentials.access_key, credentials.secret_key, credentials.token = "AKIDSECOND", "another", "second"
        url = ours.upload("key").url
        assert "AKIDSECOND%2F" in url
        assert "X-Amz-Security-Token=second&" in url
