"""``make publish``: the page on S3, as the emulator serves it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Complaints
from tests.browser.pages import Form
from tests.browser.pictures import PDF, SUNSET
from tests.stack import Stack
from tests.support import ROOT

INTEGRITY = re.compile(r"sha384-[A-Za-z0-9+/]{64}")


def publish(stack: Stack, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ops.publish", *options],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": "source",
            "AWS_ENDPOINT_URL": stack.outputs["AwsEndpointUrl"],
            "AWS_ACCESS_KEY_ID": stack.outputs["AwsAccessKeyId"],
            "AWS_DEFAULT_REGION": "us-east-1",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def address(stack: Stack) -> str:
    """Where the page is. The stack's own output is an address of AWS, which nothing here leads to."""
    published = publish(stack, "--stack", "filestore", "--api-root-url", stack.outputs["ApiRootUrl"])
    assert published.returncode == 0, published.stderr
    return published.stdout.split()[-1]


@pytest.fixture(autouse=True)
def site(page: Page, address: str) -> None:
    """The emulator shows no pages to browsers, unlike S3: the tests fetch what is public, and hand it on."""

    def hand_on(route: Route) -> None:
        answer = requests.get(route.request.url, timeout=60)
        route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    page.route(f"{address.rsplit('/', 1)[0]}/**", hand_on)


def bucket_of(address: str) -> str:
    return address.rsplit("/", 2)[-2]


def test_the_page_uploads_and_shows_the_ids_that_a_back_end_would_get(
    page: Page, address: str, stack: Stack, file: Callable[..., Path]
) -> None:
    form = Form(page).open(address)
    form.fill()
    form.pond.drop(file("report.pdf", PDF), file("sunset.png", SUNSET))
    form.pond.expect_uploaded(2)
    expect(form.pond.item("sunset.png").locator("canvas").first).to_be_visible()
    ids = form.send()
    expect(page.get_by_role("heading", name="Your back end receives these file ids")).to_be_visible()
    expect(page.locator("#command")).to_contain_text(f"curl -X PUT '{stack.outputs['ApiRootUrl']}/files'")
    expect(page.locator("#to-files")).to_be_hidden()
    assert stack.files("PUT", ids).json() == ids
    assert stack.download(ids[1]) == SUNSET


def test_what_it_loads_is_named_after_its_contents_and_checked(page: Page, address: str) -> None:
    Form(page).open(address)
    loaded = page.locator('script[src], link[rel="stylesheet"]').evaluate_all(
        "all => all.map((each) => [each.getAttribute('src') ?? each.getAttribute('href'), each.integrity])"
    )
    assert len(loaded) == 12
    for path, integrity in loaded:
        assert re.fullmatch(r"assets/[\w./-]+\.[0-9a-f]{16}\.(js|css)", path)
        assert INTEGRITY.fullmatch(integrity)
        cached = requests.get(f"{address.rsplit('/', 1)[0]}/{path}", timeout=60)
        assert cached.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for name in ("index.html", "config.json"):
        answer = requests.get(f"{address.rsplit('/', 1)[0]}/{name}", timeout=60)
        assert answer.headers["Cache-Control"] == "no-cache"


def test_its_policy_is_strict(address: str, stack: Stack) -> None:
    html = requests.get(address, timeout=60).text
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="(.*?)">', html)
    assert policy.startswith("default-src &#x27;none&#x27;; script-src &#x27;self&#x27; &#x27;sha256-")
    assert "unsafe" not in policy
    assert f"connect-src &#x27;self&#x27; {stack.outputs['AwsEndpointUrl']}" in policy


def test_the_reference_lies_beside_the_page(page: Page, address: str, stack: Stack) -> None:
    """The console has to stay empty: its policy and the digests of what it loads are its own."""
    folder = address.rsplit("/", 1)[0]
    page.goto(f"{folder}/reference.html")
    expect(page.get_by_text("Store files.")).to_be_visible()
    (policy,) = page.locator('meta[http-equiv="Content-Security-Policy"]').evaluate_all(
        "all => all.map(({ content }) => content)"
    )
    assert "connect-src 'self'; " in policy
    assert "unsafe" not in policy
    contract = requests.get(f"{folder}/openapi.json", timeout=60)
    assert contract.json()["servers"] == [{"url": stack.outputs["ApiRootUrl"]}]
    assert contract.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("module", ["page", "uploader", "filepond.min"])
def test_a_script_that_somebody_changed_is_not_run(
    page: Page, address: str, stack: Stack, complaints: Complaints, module: str
) -> None:
    """Those that the page names, and those that its modules import."""
    complaints.expect("integrity|Failed to find a valid digest")
    s3, bucket = stack.client("s3"), bucket_of(address)
    (key,) = [
        each["Key"]
        for each in s3.list_objects_v2(Bucket=bucket)["Contents"]
        if re.fullmatch(rf"assets/{re.escape(module)}\.[0-9a-f]{{16}}\.js", each["Key"])
    ]
    original = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=b"window.taken = true;\n" + original, ContentType="text/javascript")
    try:
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.taken") is None
        assert complaints.seen
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=original, ContentType="text/javascript", CacheControl="no-cache")


def test_publishing_again_replaces_the_page_and_keeps_the_bucket_as_it_is(address: str, stack: Stack) -> None:
    s3, bucket = stack.client("s3"), bucket_of(address)
    before = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    s3.put_bucket_policy(
        Bucket=bucket, Policy=s3.get_bucket_policy(Bucket=bucket)["Policy"].replace("Everybody", "Nobody")
    )
    published = publish(
        stack, "--stack", "filestore", "--bucket", bucket, "--backend-url", "https://api.example.org/filestore"
    )
    assert published.returncode == 0, published.stderr
    assert "Nobody" in s3.get_bucket_policy(Bucket=bucket)["Policy"]
    after = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert {re.split("[.-]", key)[0] for key in after - before} == {"files", "assets/files"}
    config = s3.get_object(Bucket=bucket, Key="config.json")["Body"].read()
    assert b'"backendUrl": "https://api.example.org/filestore"' in config
    assert b".execute-api." in config
    assert b"https://api.example.org" in s3.get_object(Bucket=bucket, Key="index.html")["Body"].read()


def test_a_stack_that_is_not_there_is_named(stack: Stack) -> None:
    refused = publish(stack, "--stack", "nothing")
    assert refused.returncode == 1
    assert refused.stderr == "error: There is no stack nothing in this account and region.\n"


class TestABucketThatNobodyMayRead:
    """Block Public Access keeps S3 from showing a page, and accounts have it on from the start."""

    @pytest.fixture
    def operator(self, stack: Stack) -> Iterator[Callable[..., dict[str, str]]]:
        """Somebody who may do everything but what is named; the environment that tells who."""
        iam = stack.client("iam")
        iam.create_user(UserName="publisher")
        key = iam.create_access_key(UserName="publisher")["AccessKey"]

        def who_may_not(*actions: str) -> dict[str, str]:
            statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
            if actions:
                statements.append({"Effect": "Deny", "Action": actions, "Resource": "*"})
            document = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_user_policy(UserName="publisher", PolicyName="rights", PolicyDocument=document)
            return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

        yield who_may_not
        iam.delete_user_policy(UserName="publisher", PolicyName="rights")
        iam.delete_access_key(UserName="publisher", AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName="publisher")

    def test_is_never_called_done_and_is_put_right_by_the_next_run(
        self, stack: Stack, operator: Callable[..., dict[str, str]]
    ) -> None:
        options = ("--stack", "filestore", "--bucket", "unfinished-page")
        for _ in range(2):
            refused = publish(stack, *options, **operator("s3:PutBucketPolicy"))
            assert refused.returncode == 1
            (line,) = refused.stderr.splitlines()
            assert line.startswith("error: The bucket unfinished-page cannot be opened to everybody: ")
            assert "turn BlockPublicPolicy and RestrictPublicBuckets off there" in line

        published = publish(stack, *options, **operator())
        assert published.returncode == 0, published.stderr
        assert requests.get(published.stdout.split()[-1], timeout=60).status_code == 200

    def test_of_yours_stays_as_it_is(self, stack: Stack) -> None:
        """There may be more in it than a page."""
        s3 = stack.client("s3")
        s3.create_bucket(Bucket="private-bucket")
        s3.put_object(Bucket="private-bucket", Key="diary.txt", Body=b"private")
        published = publish(stack, "--stack", "filestore", "--bucket", "private-bucket")
        assert published.returncode == 1
        address = f"{stack.outputs['AwsEndpointUrl']}/private-bucket"
        assert f"The page is in its bucket, but {address}/index.html answers 403." in published.stderr
        assert requests.get(f"{address}/diary.txt", timeout=60).status_code == 403
