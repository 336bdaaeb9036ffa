"""Publishes the page to S3, for a stack that is deployed: ``python -m ops.publish --stack NAME``.

Whatever the AWS SDK is configured for is used: profile, region, credentials.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from html import escape
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3

from local import npm, openapi, page
from ops import page_bucket
from ops.errors import OperatorError, run
from ops.stack import describe

_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_FIRST = "no-cache"
_LOADED = re.compile(r'<(?P<tag>script|link|img)\b(?P<before>[^>]*?)\b(?P<attribute>src|href)="(?P<path>[^":]+)"')
# The page of stored files, and what only that loads.
_OF_BACKEND = re.compile("files[.-]")


class Published(NamedTuple):
    """An object of the site."""

    path: str
    contents: bytes
    cache_control: str

    @property
    def content_type(self) -> str:
        """By its name."""
        return page.TYPES[PurePosixPath(self.path).suffix]


class Asset(NamedTuple):
    """A file whose name changes with its contents, so that browsers may keep it."""

    source: str
    contents: bytes

    @property
    def path(self) -> str:
        """Where it is published."""
        name = PurePosixPath(self.source)
        return f"assets/{name.with_suffix('')}.{hashlib.sha256(self.contents).hexdigest()[:16]}{name.suffix}"

    @property
    def integrity(self) -> str:
        """What a browser checks it against (W3C Subresource Integrity)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.contents).digest()).decode()


def build(config: str, contract: str, **addresses: Any) -> Iterator[Published]:
    """The site, in an order in which a page never comes before what it loads. ``addresses`` are those of the policy."""
    has_backend = addresses["backend_url"] is not None
    own = {path: file for path, file in sorted(page.files().items()) if has_backend or not _OF_BACKEND.match(path)}
    pages = [file for file in own.values() if file.suffix == ".html"]
    assets = {path: Asset(path, file.read_bytes()) for path, file in own.items() if file not in pages}
    for html in pages:
        for loaded in _LOADED.finditer(html.read_text(encoding="utf-8")):
            match PurePosixPath(loaded["path"]).parts:
                case (page.VENDOR, package, name):
                    assets[loaded["path"]] = Asset(name, page.vendor_file(package, name).read_bytes())
    for asset in assets.values():
        yield Published(asset.path, asset.contents, _FOR_EVER)
    yield Published("config.json", config.encode(), _ASK_FIRST)
    yield Published("openapi.json", contract.encode(), _ASK_FIRST)
    for html in pages:
        policy = page.reference_policy if html.name == page.REFERENCE else partial(page.policy, **addresses)
        published = _page(html.read_text(encoding="utf-8"), assets, policy)
        yield Published(html.name, published.encode(), _ASK_FIRST)


def _page(html: str, assets: dict[str, Asset], policy: Callable[..., str]) -> str:
    """A page that loads the assets under their published names, each checked, and nothing else."""

    def load(found: re.Match[str]) -> str:
        asset = assets.get(found["path"])
        if asset is None:
            return found[0]
        checked = "" if found["tag"] == "img" or asset.path.endswith(".svg") else f' integrity="{asset.integrity}"'
        return f'<{found["tag"]}{found["before"]}{found["attribute"]}="{asset.path}"{checked}'

    # Modules import each other by the names that they have in the repository.
    modules = [asset for asset in assets.values() if asset.source in assets and asset.path.endswith(".js")]
    imports = json.dumps(
        {
            "imports": {f"./assets/{asset.source}": f"./{asset.path}" for asset in modules},
            "integrity": {f"./{asset.path}": asset.integrity for asset in modules},
        }
    )
    digest = base64.b64encode(hashlib.sha256(imports.encode()).digest()).decode()
    allowed = policy(scripts=(f"'sha256-{digest}'",))
    head = (
        '<meta charset="utf-8">\n'
        f'  <meta http-equiv="Content-Security-Policy" content="{escape(allowed)}">\n'
        '  <meta name="referrer" content="no-referrer">\n'
        f'  <script type="importmap">{imports}</script>'
    )
    return _LOADED.sub(load, html).replace('<meta charset="utf-8">', head, 1)


def publish(*, stack: str, bucket: str | None, backend_url: str | None, api_root_url: str | None) -> str:
    """Publish the page of a stack; returns its address. Raises LocalError, or OperatorError."""
    session: Any = boto3.Session()
    s3 = session.client("s3")
    region = s3.meta.region_name
    deployed = describe(session.client, stack)
    parameters, outputs = deployed.parameters, deployed.outputs
    is_public = parameters.get("PublicUpload", "True") == "True"
    if not is_public and backend_url is None:
        raise OperatorError(
            f"{stack} has PublicUpload=False: its page asks a back end of yours for uploads."
            " Say BACKEND_URL=https://... ; docs/back-end.md says what that has to hand on."
        )
    owner = session.client("sts").get_caller_identity()["Account"]
    npm.install(_say)
    if bucket is None:
        bucket = page_bucket.name(stack, owner, region)
    api_root_url = api_root_url or outputs["ApiRootUrl"]
    address = page_bucket.address(session, bucket)
    site = build(
        page.config(
            api_root_url=api_root_url,
            backend_url=backend_url,
            upload_root_url=None if is_public else backend_url,
            store_on_load=parameters["StoreOnLoad"] == "True",
            unstored_file_lifetime=int(parameters["UnstoredFileLifetime"]),
            max_file_size=int(parameters["MaxFileSize"]),
        ),
        openapi.of_release(api_root_url),
        api_root_url=api_root_url,
        storage_url=page_bucket.address(session, outputs["StorageBucketName"]),
        backend_url=backend_url,
    )
    changed = page_bucket.prepare(session, bucket, owner, _say)
    for each in site:
        _say(f"  {each.path}")
        s3.put_object(
            Bucket=bucket,
            ExpectedBucketOwner=owner,
            Key=each.path,
            Body=each.contents,
            ContentType=each.content_type,
            CacheControl=each.cache_control,
        )
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    allowed = parameters["AllowedOrigins"].split(",")
    if "*" not in allowed and origin not in allowed:
        _say(f"The stack allows no uploads from {origin}: add it to the parameter AllowedOrigins.")
    page_bucket.expect_readable(f"{address}/index.html", changed=changed)
    return f"{address}/index.html"


def main() -> int:
    """Return the exit status: 0 when published."""
    parser = argparse.ArgumentParser(prog="python -m ops.publish", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the CloudFormation stack")
    parser.add_argument(
        "--bucket", help="bucket for the page; made if it is not there (default: STACK-page-ACCOUNT-REGION)"
    )
    parser.add_argument("--backend-url", help="of your back end; without one the page shows the ids that it would send")
    parser.add_argument(
        "--api-root-url", help="where the API has a domain name of its own (default: the stack's output)"
    )
    options = parser.parse_args()
    address = publish(
        stack=options.stack,
        bucket=options.bucket,
        backend_url=options.backend_url,
        api_root_url=options.api_root_url,
    )
    _say(f"\n{address}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(run(main))
