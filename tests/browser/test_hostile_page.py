"""A page of another site, open in the developer's browser while ``make run`` is up, tries every way in.

Here both are on the loopback, where Chromium asks nobody before a page reaches it: what keeps it out is ours.
"""

import base64
import functools
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from local.emulator import Emulator
from local.loopback import free_port
from tests.browser.conftest import Complaints, Site
from tests.stack import Stack, eventually

TRY_EVERY_WAY = (Path(__file__).parent / "hostile.js").read_text()
REFUSED = re.compile(r" request \S+ \S+ 403 [\d.]+$", re.MULTILINE)
FETCH = """
async (requests) => {
  const answers = [];
  for (const [method, url, headers, body] of requests) {
    try {
      const answer = await fetch(url, { method, headers, body });
      answers.push([answer.status, await answer.text()]);
    } catch (error) {
      answers.push([0, String(error)]);
    }
  }
  return answers;
}
"""

Request = tuple[str, str, dict[str, str], str | None]
"""Method, path or address, headers, body."""


def send(page: Page, base: str, requests: Iterable[Request]) -> list[tuple[int, str]]:
    """Have the page send them; answers status and text of what it may read, a status of 0 where it may not."""
    addressed = [(method, path if "://" in path else base + path, *rest) for method, path, *rest in requests]
    return [(status, text) for status, text in page.evaluate(FETCH, addressed)]


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


def takeovers(function: str, bucket: str) -> Iterator[Request]:
    """What would run code here, or read what is not the page's."""
    body = json.dumps({"ZipFile": base64.b64encode(code("taken")).decode()})
    path, algorithm = f"/2015-03-31/functions/{function}/code", "X-Amz-Algorithm=AWS4-HMAC-SHA256"
    for key in ("000000000000", "test", "123456789012"):
        yield "PUT", path, {"Authorization": root("lambda", key)}, body
        for name in ("X-Amz-Credential", "x-amz-credential"):
            for service in ("lambda", "s3"):
                yield "PUT", f"{path}?{algorithm}&{name}={key}/20261125/us-east-1/{service}/aws4_request", {}, body
        yield "PUT", f"{path}?AWSAccessKeyId={key}", {}, body
        yield "PUT", f"/%32015-03-31/functions/{function}/code", {"Authorization": root("lambda", key)}, body
        yield "PUT", "/taken", {"Authorization": root("s3", key)}, None
        yield "PUT", f"/taken?{algorithm}&x-amz-credential={key}/20261125/us-east-1/s3/aws4_request", {}, None
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


class Target:
    """An emulator under attack: what there is in it, and what has been asked of it."""

    def __init__(self, port: int, log: Path, client: Callable[[str], Any], function: str, bucket: str) -> None:
        self.port = port
        self.function = function
        self.bucket = bucket
        self.client = functools.cache(client)
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

    def refused(self) -> int:
        """How many requests were refused so far."""
        return len(REFUSED.findall(self._log.read_text(encoding="utf-8")))


@pytest.fixture
def target(stack: Stack) -> Target:
    """What ``make run`` starts."""
    return Target(
        stack.aws_port,
        stack.state / "emulator.log",
        stack.client,
        stack.outputs["Functions"]["UploadFunction"],
        stack.outputs["StorageBucketName"],
    )


@pytest.fixture
def ungated(tmp_path: Path) -> Iterator[Target]:
    """An emulator without its gate, with a function and a bucket."""

    class Ungated(Emulator):
        program = (sys.executable, "-m", "tests.browser.ungated")

    emulator = Ungated(free_port(), tmp_path / "state")
    emulator.start()
    try:
        emulator.client("s3").create_bucket(Bucket="bucket")
        trust = {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "*"}}
        role = emulator.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        emulator.client("lambda").create_function(
            FunctionName="function",
            Runtime="python3.13",
            Handler="index.handler",
            Role=role["Arn"],
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
    before, refused = target.contents(), target.refused()
    (version,) = [version for key, version in before["objects"] if key == stored["id"]]

    base = hostile(target.port)
    seen: list[int] = []
    page.context.on("response", lambda answer: seen.append(answer.status) if answer.url.startswith(base) else None)
    ways = page.evaluate(TRY_EVERY_WAY, base)
    assert len(ways) == 25
    file = f"/{target.bucket}/{stored['id']}?versionId={version}"
    answers = send(
        page,
        base,
        [
            *takeovers(target.function, target.bucket),
            ("GET", file, {}, None),
            ("DELETE", file, {"Authorization": root("s3")}, None),
            ("POST", "/_ministack/reset", {}, None),
        ],
    )
    assert {status for status, _ in answers} <= {0, 403}
    # One way is a redirect by a server of theirs, which not every page has.
    eventually(lambda: target.refused() - refused >= len(ways) - 1 + len(answers))
    assert page.evaluate("window.opened") == 0
    credential = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test/20261125/us-east-1/sqs/aws4_request"
    query = f"Action=CreateQueue&QueueName=link&{credential}"
    page.evaluate("url => { location.href = url; }", f"{base}/?{query}")
    page.wait_for_url(lambda url: "QueueName=link" in url, wait_until="commit")
    # As a link in a mail is opened.
    page.goto(f"http://127.0.0.1:{target.port}/?{query}")
    assert set(seen) == {403}
    assert target.contents() == before
    assert stack.download(stored["id"]) == b"contents"


@pytest.mark.parametrize("hostile", ["another site", "another port"], indirect=True)
def test_it_may_upload_what_it_asked_for(
    page: Page, hostile: Callable[[int], str], target: Target, stack: Stack
) -> None:
    """As on AWS: whose pages may, says the parameter AllowedOrigins."""
    base = hostile(target.port)
    api = stack.outputs["ApiRootUrl"].replace("http://127.0.0.1", base.rsplit(":", 1)[0])
    json_type = {"Content-Type": "application/json"}
    ((status, text),) = send(page, base, [("POST", f"{api}/file", json_type, '{"name": "a.txt", "size": 8}')])
    assert status == 200
    upload = json.loads(text)
    ours, others = upload["url"], upload["url"].replace(upload["id"], "0" * 32)
    answers = send(
        page,
        base,
        [
            ("PUT", ours, upload["headers"], "contents"),
            ("PUT", others, upload["headers"], "contents"),
            ("DELETE", ours, {}, None),
        ],
    )
    assert [status for status, _ in answers] in ([200, 403, 0], [200, 403, 403])
    assert stack.files("PUT", [upload["id"]]).json() == [upload["id"]]


def test_without_the_gate_every_way_leads_in(page: Page, hostile: Callable[[int], str], ungated: Target) -> None:
    """What shows that the page of the tests above is hostile enough."""
    before = ungated.contents()
    base = hostile(ungated.port)
    ways = set(page.evaluate(TRY_EVERY_WAY, base))
    # The emulator has no server of theirs that redirects.
    leads = ways - {"redirect"} if page.evaluate("location.port") == str(ungated.port) else ways
    eventually(lambda: leads <= ungated.queues())
    send(page, base, takeovers(ungated.function, ungated.bucket))
    taken = ungated.contents()
    assert taken["functions"] != before["functions"]
    assert "taken" in taken["buckets"]
    assert set(taken["keys"]) == {"taken"}
    assert taken["users"] == ["taken"]
    answer = ungated.client("lambda").invoke(FunctionName=ungated.function)
    assert json.loads(answer["Payload"].read()) == "taken"
