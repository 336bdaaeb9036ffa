"""Requests to the emulator as ASGI describes them, for its gate to admit or to refuse."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

PORT = 4566
ROOT = "AKIA0123456789ABCDEF0123456789ABCDEF"
API = "/restapis/4e05efcf/dev/_user_request_"
CODE = "/2015-03-31/functions/UploadFunction/code"
OBJECT = "/filestore-4df925dd/0123456789abcdef0123456789abcdef"
BUCKETS = {"published", "filestore-4df925dd"}
# What a damaged state may hold besides is nobody's key.
KEYS = {
    "ASIA0123456789ABCDEF",
    "AKIA0123456789ABCDEF",
    "000000000000",
    "test",
    "00000000000\N{ARABIC-INDIC DIGIT ZERO}",
}
SIGNATURE = {
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": "ASIA0123456789ABCDEF/20261125/us-east-1/s3/aws4_request",
    "X-Amz-Date": "20261125T120000Z",
    "X-Amz-Expires": "3600",
    "X-Amz-SignedHeaders": "content-length;host",
    "X-Amz-Security-Token": "c6e2+/=",
    "X-Amz-Signature": "0f" * 32,
}
FETCH = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}

BROWSERS = [
    pytest.param(FETCH, id="fetch"),
    pytest.param({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, id="sandboxed frame"),
    pytest.param({"Origin": "http://127.0.0.1:9999", "Sec-Fetch-Site": "same-site"}, id="another port"),
    pytest.param({"Origin": "http://127.0.0.1:4566", "Sec-Fetch-Site": "same-origin"}, id="its own page"),
    pytest.param({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, id="image"),
    pytest.param({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}, id="image in its own page"),
    pytest.param({"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, id="a link in a mail"),
    pytest.param({"Sec-Purpose": "prefetch"}, id="prefetch"),
    pytest.param({"Origin": "https://evil.example"}, id="form in an old browser"),
    pytest.param({"Referer": "https://evil.example/"}, id="image in an old browser"),
    pytest.param({"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}, id="image without a referrer in an old browser"),
    pytest.param({"Ping-To": "http://127.0.0.1:4566/"}, id="ping of a link"),
    pytest.param({"Upgrade-Insecure-Requests": "1"}, id="navigation in an old browser"),
    pytest.param({"Access-Control-Request-Method": "PUT"}, id="preflight"),
    pytest.param({"Cookie": "a=b"}, id="cookie"),
    pytest.param({"ORIGIN": "https://evil.example"}, id="capitals"),
]


def scope(
    method: str, path: str, query: Mapping[str, str] | str = "", headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A request to the emulator; ``path`` as it is sent."""
    given = {"Host": f"127.0.0.1:{PORT}", **(headers or {})}
    return {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": (query if isinstance(query, str) else urlencode(query)).encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }


def signed(key: str) -> dict[str, str]:
    """The header of a request that is signed with this key."""
    scope = f"{key}/20261125/us-east-1/lambda/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={'0' * 64}"}
