"""The emulator's S3 refuses and keeps what Amazon S3 does, so that what works here works there."""

import http.client
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.stack import Stack

PAGE = {"Origin": "https://www.example.com"}


def error(answer: requests.Response) -> dict[str, str]:
    """The elements of S3's error, without those that differ each time."""
    assert answer.headers["Content-Type"] == "application/xml"
    elements = dict(re.findall(r"<(\w+)>([^<]*)</\1>", answer.text))
    assert elements.pop("RequestId") == answer.headers["x-amz-request-id"]
    assert elements.pop("HostId") == answer.headers["x-amz-id-2"]
    return elements


@pytest.fixture
def requested(stack: Stack) -> dict[str, Any]:
    body: dict[str, Any] = stack.post_file({"name": "a.txt"}).json()
    return body


class TestAnUpload:
    def test_whose_length_is_not_told_is_refused(self, stack: Stack, requested: dict[str, Any]) -> None:
        """As curl sends what it reads from a pipe."""
        refused = requests.put(requested["url"], data=iter([b"con", b"tents"]), headers=PAGE, timeout=60)
        assert refused.status_code == 501
        assert error(refused) == {
            "Code": "NotImplemented",
            "Message": "A header you provided implies functionality that is not implemented",
            "Header": "Transfer-Encoding",
        }
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert stack.versions(requested["id"]) == []

    def test_without_any_length_is_refused(self, stack: Stack, requested: dict[str, Any]) -> None:
        url = urlsplit(requested["url"])
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connection.putrequest("PUT", f"{url.path}?{url.query}")
        connection.endheaders()
        refused = connection.getresponse()
        assert (refused.status, b"<Code>MissingContentLength</Code>" in refused.read()) == (411, True)
        assert stack.versions(requested["id"]) == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("x-amz-meta-a", "b"),
            ("X-Amz-Acl", "public-read"),
            ("x-amz-tagging", "a=b"),
            ("x-amz-copy-source", "/filestore-deployments/template"),
            ("x-amz-storage-class", "GLACIER"),
        ],
    )
    def test_with_a_header_that_was_not_signed_is_refused(
        self, stack: Stack, requested: dict[str, Any], name: str, value: str
    ) -> None:
        refused = requests.put(requested["url"], data=b"contents", headers=PAGE | {name: value}, timeout=60)
        assert refused.status_code == 403
        assert error(refused) == {
            "Code": "AccessDenied",
            "Message": "There were headers present in the request which were not signed",
            "HeadersNotSigned": name.lower(),
        }
        assert refused.headers["Access-Control-Allow-Origin"] == "*"
        assert stack.versions(requested["id"]) == []

    def test_with_a_header_that_was_signed_is_taken(self, stack: Stack) -> None:
        checksum = {"algorithm": "SHA256", "value": "0bKln76n4gB3r5+Rsn6V6GUGGycL4D/1Oas7c1h4gug="}
        declared = stack.post_file({"name": "a.txt", "size": 8, "checksum": checksum}).json()
        assert [name for name in declared["headers"] if name.startswith("x-amz-")]
        answer = requests.put(declared["url"], data=b"contents", headers=declared["headers"], timeout=60)
        assert answer.status_code == 200, answer.text

    def test_that_began_in_time_is_taken_however_long_it_lasts(self, hasty_stack: Stack) -> None:
        """S3 looks at a URL's expiry when a request begins."""
        requested = hasty_stack.post_file({"name": "a.txt"}).json()
        url = urlsplit(requested["url"])
        with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
            target = f"{url.path}?{url.query}"
            head = f"PUT {target} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 8\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + b"cont")
            expired = requests.put(requested["url"], data=b"", timeout=60)
            while expired.status_code == 200:
                time.sleep(0.2)
                expired = requests.put(requested["url"], data=b"", timeout=60)
            assert (expired.status_code, "Request has expired" in expired.text) == (403, True)
            connection.sendall(b"ents")
            assert connection.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"


SENT = {
    "Cache-Control": "max-age=31536000",
    "Content-Disposition": 'attachment; filename="theirs.exe"',
    "Content-Encoding": "br",
    "Content-Language": "tlh",
    "Content-Type": "text/html",
    "Expires": "Thu, 01 Dec 2994 16:00:00 GMT",
}


class TestADownload:
    """What an uploader adds without a signature S3 keeps, and gives to whoever downloads."""

    @pytest.fixture(scope="class")
    def where(self, stack: Stack) -> dict[str, str]:
        requested = stack.post_file({"name": "a.txt"}).json()
        put = requests.put(requested["url"], data=b"contents", headers=SENT, timeout=60)
        return {
            "Bucket": stack.outputs["StorageBucketName"],
            "Key": requested["id"],
            "VersionId": put.headers["x-amz-version-id"],
        }

    def get(self, stack: Stack, where: dict[str, str], **parameters: str) -> dict[str, str]:
        answer = stack.client("s3").get_object(**where, **parameters)
        assert answer["Body"].read() == b"contents"
        return {name: answer["ResponseMetadata"]["HTTPHeaders"][name.lower()] for name in SENT}

    def test_has_the_uploaders_headers(self, stack: Stack, where: dict[str, str]) -> None:
        assert self.get(stack, where) == SENT
        assert self.get(stack, {name: where[name] for name in ("Bucket", "Key")}) == SENT

    def test_has_those_of_the_url_instead(self, stack: Stack, where: dict[str, str]) -> None:
        wanted = {
            "ResponseCacheControl": "no-store",
            "ResponseContentDisposition": 'attachment; filename="a.txt"',
            "ResponseContentEncoding": "identity",
            "ResponseContentLanguage": "en",
            "ResponseContentType": "text/plain",
            "ResponseExpires": "Thu, 01 Jan 1970 00:00:00 GMT",
        }
        assert self.get(stack, where, **wanted) == {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="a.txt"',
            "Content-Encoding": "identity",
            "Content-Language": "en",
            "Content-Type": "text/plain",
            "Expires": "Thu, 01 Jan 1970 00:00:00 GMT",
        }
