"""A page of another site, open in the developer's browser while ``make run`` is up, tries every way in.

Here both are on the loopback, where Chromium asks nobody before a page reaches it: what keeps it out is ours.
"""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from bench.processes import free_port
from local.emulator import Emulator
from tests.browser.conftest import Complaints, Site
from tests.stack import Stack, eventually

TRY_EVERY_WAY = (Path(__file__).parent / "hostile.js").read_text()
REQUEST = re.compile(r"request (\S+) (\S+) (\d{3}) [\d.]+$")
# A page asks before it sends this one, and the emulator's own answer to that is "everything is allowed".
ASKS_FIRST = {"asked"}

FETCH = """
async ([method, url, headers, body]) => {
  try {
    const answer = await fetch(url, { method, headers, body });
    return [answer.status, await answer.text()];
  } catch (error) {
    return [0, String(error)];
  }
}
"""


def root(service: str, key: str = "000000000000") -> str:
    """The header of a request that is signed by root, as far as the emulator looks."""
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20261125/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
    )


def code(returned: str) -> bytes:
    """The zip of a function that returns this."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.writestr("index.py", f"def handler(*_):\n    return {returned!r}\n")
    return archive.getvalue()


def takeovers(function: str, bucket: str) -> Iterator[tuple[str, str, dict[str, str], str | None]]:
    """Requests that would run code here, read what is not the page's, or break something: method, path, headers, body."""
    body = json.dumps({"ZipFile": base64.b64encode(code("taken")).decode()})
    path = f"/2015-03-31/functions/{function}/code"
    for key in ("000000000000", "test", "123456789012"):
        yield "PUT", path, {"Authorization": root("lambda", key)}, body
        for name in ("X-Amz-Credential", "x-amz-credential"):
            for service in ("lambda", "s3"):
                yield "PUT", f"{path}?{name}={key}/20261125/us-east-1/{service}/aws4_request", {}, body
        yield "PUT", f"{path}?AWSAccessKeyId={key}", {}, body
        yield "PUT", f"/%32015-03-31/functions/{function}/code", {"Authorization": root("lambda", key)}, body
        yield "PUT", "/taken", {"Authorization": root("s3", key)}, None
        yield "PUT", f"/taken?x-amz-credential={key}/20261125/us-east-1/s3/aws4_request", {}, None
        yield "GET", f"/{bucket}?versions", {"Authorization": root("s3", key)}, None
        yield "POST", "/apikeys", {"Authorization": root("apigateway", key)}, '{"name": "taken", "enabled": true}'
        yield (
            "POST",
            "/",
            {"Authorization": root("iam", key), "Content-Type": "application/x-www-form-urlencoded"},
            "Action=CreateUser&UserName=taken&Version=2010-05-08",
        )
    yield "POST", "/_ministack/config", {}, '{"lambda_svc.LAMBDA_EXECUTOR": "docker"}'
    yield "GET", f"/_ministack/lambda-code/{function}", {}, None
    yield "GET", "/_ministack/health", {}, None
    yield "GET", "/_aws/sqs/messages", {}, None
    yield "POST", "/_ministack/reset", {}, None


class Target:
    """An emulator under attack: what there is in it, and what has been asked of it."""

    def __init__(self, port: int, log: Path, client: Callable[[str], Any], function: str, bucket: str) -> None:
        self.port = port
        self.function = function
        self.bucket = bucket
        self.client = client
        self._log = log

    def contents(self) -> dict[str, Any]:
        """Everything that a stranger might change."""
        functions = self.client("lambda").list_functions()["Functions"]
        versions = self.client("s3").list_object_versions(Bucket=self.bucket)
        return {
            "functions": {each["FunctionName"]: each["CodeSha256"] for each in functions},
            "buckets": [each["Name"] for each in self.client("s3").list_buckets()["Buckets"]],
            "objects": [(each["Key"], each["VersionId"]) for each in versions.get("Versions", [])],
            "keys": sorted(each["name"] for each in self.client("apigateway").get_api_keys()["items"]),
            "users": [each["UserName"] for each in self.client("iam").list_users()["Users"]],
            "queues": self.queues(),
        }

    def queues(self) -> set[str]:
        return {url.rsplit("/", 1)[-1] for url in self.client("sqs").list_queues().get("QueueUrls", [])}

    def requests(self) -> list[tuple[str, str, int]]:
        """Method, path and status of every request so far."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        found = [(line, REQUEST.search(line)) for line in lines]
        return [(match[1], match[2], int(match[3])) for _, match in found if match]


@pytest.fixture
def target(stack: Stack) -> Target:
    """What ``make run`` starts."""
    return Target(
        stack.aws_port,
        stack.state / "engine.log",
        stack.client,
        stack.outputs["Functions"]["UploadFunction"],
        stack.outputs["StorageBucketName"],
    )


@pytest.fixture
def ungated(tmp_path: Path) -> Iterator[Target]:
    """An emulator without its gate, with a function and a bucket."""

    class Ungated(Emulator):
        module = "tests.browser.ungated"

    emulator = Ungated(free_port(), tmp_path / "state")
    emulator.start()
    try:
        emulator.client("s3").create_bucket(Bucket="bucket")
        emulator.client("lambda").create_function(
            FunctionName="function",
            Runtime="python3.13",
            Handler="index.handler",
            Role="arn:aws:iam::000000000000:role/none",
            Code={"ZipFile": code("ours")},
        )
        yield Target(emulator.port, emulator.log, emulator.client, "function", "bucket")
    finally:
        emulator.stop()


@pytest.fixture(params=["another site", "another port", "a name that leads here", "the emulator itself"])
def hostile(request: pytest.FixtureRequest, page: Page, site: Site, complaints: Complaints) -> Callable[[int], str]:
    """Opens the hostile page against an emulator's port; answers the emulator's address as the page uses it."""
    complaints.expect(".")
    path = site.add("hostile.html", "<!doctype html><title>Kittens</title>").rsplit("/", 1)[-1]

    def open_against(port: int) -> str:
        host, own, base = {
            "another site": ("evil.example", site.port, f"http://127.0.0.1:{port}"),
            "another port": ("127.0.0.1", site.port, f"http://localhost:{port}"),
            # It was a server of theirs until the page was loaded.
            "a name that leads here": ("evil.example", port, f"http://evil.example:{port}"),
            # As if an upload were shown by its address.
            "the emulator itself": ("127.0.0.1", port, f"http://127.0.0.1:{port}"),
        }[request.param]
        address = f"http://{host}:{own}/{path}"
        page.route(address, lambda route: route.fulfill(body=site.pages[path], content_type="text/html"))
        # The emulator has no server of theirs that redirects.
        page.route(f"http://{host}:{port}/redirect*", lambda route: route.abort())
        page.goto(address)
        return base

    return open_against


def test_it_gets_nowhere(page: Page, hostile: Callable[[int], str], target: Target, stack: Stack) -> None:
    stored = stack.store(b"contents")
    version = stack.versions(stored["id"])[0]
    before = target.contents()
    seen = len(target.requests())

    base = hostile(target.port)
    ways = page.evaluate(TRY_EVERY_WAY, base)
    assert len(ways) >= 25
    answers = [
        page.evaluate(FETCH, [method, base + path, headers, body])
        for method, path, headers, body in (
            *takeovers(target.function, target.bucket),
            ("GET", f"/{target.bucket}/{stored['id']}?versionId={version}", {}, None),
            ("DELETE", f"/{target.bucket}/{stored['id']}?versionId={version}", {"Authorization": root("s3")}, None),
        )
    ]
    assert {status for status, _ in answers} <= {0, 403}
    assert not [text for _, text in answers if "contents" in text]
    asked = eventually(lambda: len(found := target.requests()[seen:]) >= len(ways) + len(answers) - 2 and found)
    assert {status for _, _, status in asked} == {403}
    assert page.evaluate("window.opened") == 0
    assert target.contents() == before
    assert stack.download(stored["id"]) == b"contents"


def test_it_gets_nowhere_when_it_leads_there(page: Page, hostile: Callable[[int], str], target: Target) -> None:
    before = target.contents()
    base = hostile(target.port)
    query = "Action=CreateQueue&QueueName=link&Version=2012-11-05&X-Amz-Credential=test/20261125/us-east-1/sqs/a"
    with page.expect_navigation() as led:
        page.evaluate("url => { location.href = url; }", f"{base}/?{query}")
    assert led.value.status == 403
    # As a link in a mail is opened.
    assert (answer := page.goto(f"http://127.0.0.1:{target.port}/?{query}")) and answer.status == 403
    assert target.contents() == before


def test_it_may_upload_what_it_asked_for(
    page: Page, hostile: Callable[[int], str], target: Target, stack: Stack
) -> None:
    """As on AWS: whose pages may, says the parameter AllowedOrigins."""
    base = hostile(target.port)
    if "evil" in base:
        pytest.xfail("this name is refused whatever is asked")
    api = stack.outputs["ApiRootUrl"].replace("http://127.0.0.1", base.rsplit(":", 1)[0])
    json_type = {"Content-Type": "application/json"}
    status, text = page.evaluate(FETCH, ["POST", f"{api}/file", json_type, '{"name": "a.txt", "size": 8}'])
    assert status == 200
    upload = json.loads(text)
    status, _ = page.evaluate(FETCH, ["PUT", upload["url"], upload["headers"], "contents"])
    assert status == 200
    assert page.evaluate(FETCH, ["DELETE", upload["url"], {}, None])[0] in (0, 403)
    changed = upload["url"].replace(upload["id"], "0" * 32)
    assert page.evaluate(FETCH, ["PUT", changed, upload["headers"], "contents"])[0] == 403
    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]


def test_without_the_gate_every_way_leads_in(page: Page, hostile: Callable[[int], str], ungated: Target) -> None:
    """What shows that the page of the tests above is hostile enough."""
    before = ungated.contents()
    base = hostile(ungated.port)
    ways = set(page.evaluate(TRY_EVERY_WAY, base))
    leads = set(ways) if str(page.url).endswith("x") else ways
    eventually(lambda: leads <= ungated.queues())
    for method, path, headers, body in list(takeovers(ungated.function, ungated.bucket))[:-1]:
        page.evaluate(FETCH, [method, base + path, headers, body])
    taken = ungated.contents()
    assert taken["functions"] != before["functions"]
    assert "taken" in taken["buckets"]
    assert taken["keys"] == ["taken"]
    assert taken["users"] == ["taken"]
    answer = ungated.client("lambda").invoke(FunctionName=ungated.function)
    assert json.loads(answer["Payload"].read()) == "taken"
