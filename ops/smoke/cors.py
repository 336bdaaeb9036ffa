"""What a page of another origin may ask, and read."""

import re
from collections.abc import Mapping
from http import HTTPStatus

import requests

from ops.smoke.checks import CheckFailed, check, expect
from ops.smoke.session import UNKNOWN_ID, Smoke

_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_STRANGER = "https://stranger.example.org"
_METHOD_HEADER = "method.response.header."
_DO_API = "Pages cannot upload: compare swagger.yaml with the API in the console (gateway-responses, import-methods)."
_DO_BUCKET = "Pages cannot upload: see CorsConfiguration of StorageBucket, and the parameter AllowedOrigins."


@check(source="swagger.yaml: options")
def api_preflights(smoke: Smoke) -> str:
    """The API answers each preflight with the headers of swagger.yaml."""
    count = 0
    for path, item in smoke.deployment.swagger["paths"].items():
        if "options" not in item:
            continue
        ((_, answer),) = item["options"]["x-amazon-apigateway-integration"]["responses"].items()
        reply = _preflight(smoke, smoke.deployment.outputs["ApiRootUrl"] + path.replace("{id}", UNKNOWN_ID), "POST")
        smoke.counted["API"] += 1
        expect(f"OPTIONS {path}", str(reply.status_code), answer["statusCode"], _DO_API)
        for name, value in answer["responseParameters"].items():
            header = name.removeprefix(_METHOD_HEADER)
            expect(f"OPTIONS {path}: {header}", _words(reply.headers.get(header)), _words(value.strip("'")), _DO_API)
        count += 1
    return f"{count} routes"


@check(source="swagger.yaml: x-amazon-apigateway-gateway-responses")
def refusals_can_be_read(smoke: Smoke) -> str:
    """API Gateway's own 403, 400 and 404 have CORS headers and a code, so that a page can tell what is wrong."""
    origin = {"Origin": smoke.deployment.origin}
    for kind, code, reply in (
        ("INVALID_API_KEY", "forbidden", smoke.call("PUT", "/files", [UNKNOWN_ID], headers=origin)),
        ("BAD_REQUEST_BODY", "invalid_body", smoke.call("POST", "/file", [], headers=origin)),
        ("MISSING_AUTHENTICATION_TOKEN", "unknown_route", smoke.call("GET", "/nowhere", headers=origin)),
    ):
        wanted = smoke.deployment.swagger["x-amazon-apigateway-gateway-responses"][kind]
        expect(f"{kind}: status", str(reply.status_code), wanted["statusCode"], _DO_API)
        expect(f"{kind}: {_ALLOW_ORIGIN}", reply.headers.get(_ALLOW_ORIGIN), "*", _DO_API)
        expect(f"{kind}: code", _code(reply), code, _DO_API)
    return "403, 400 and 404"


@check(source="swagger.yaml; parameter AllowedOrigins")
def answers_can_be_read(smoke: Smoke) -> str:
    """A page of an allowed origin may read what a function answers; one of another gets 403."""
    allowed = smoke.deployment.allowed_origin
    reply = _undo(smoke, smoke.deployment.origin)
    expect("status", reply.status_code, HTTPStatus.NOT_FOUND, "See the log of UndoFunction.")
    expect(_ALLOW_ORIGIN, reply.headers.get(_ALLOW_ORIGIN), allowed, "Compare with the parameter AllowedOrigins.")
    if allowed == "*":
        return "every origin"
    other = _undo(smoke, _STRANGER)
    expect("code for another origin", _code(other), "origin_not_allowed", "Compare with AllowedOrigins.")
    return f"{allowed}, and not {_STRANGER}"


@check(source="Amazon S3 user guide: CORS; template.yaml, StorageBucket")
def bucket_preflight(smoke: Smoke) -> str:
    """The bucket lets a page PUT with the headers that an upload may have, and read the answer."""
    upload = smoke.begin(size=4, type="text/plain")
    origin = smoke.deployment.origin
    asked = "content-type,x-amz-checksum-sha256,x-amz-checksum-crc64nvme"
    reply = _preflight(smoke, upload["url"], "PUT", {"Access-Control-Request-Headers": asked})
    expect("status", reply.status_code, HTTPStatus.OK, _DO_BUCKET)
    expect(_ALLOW_ORIGIN, reply.headers.get(_ALLOW_ORIGIN), smoke.deployment.allowed_origin, _DO_BUCKET)
    methods = reply.headers.get("Access-Control-Allow-Methods", "")
    headers = _words(reply.headers.get("Access-Control-Allow-Headers", ""))
    if "PUT" not in methods or not (headers >= _words(asked) or "*" in headers):
        raise CheckFailed(expected=f"PUT with {asked}", came=f"{methods} with {sorted(headers)}", do=_DO_BUCKET)
    sent = smoke.put(upload, b"cors", {**upload["headers"], "Origin": origin})
    expect(f"PUT: {_ALLOW_ORIGIN}", sent.headers.get(_ALLOW_ORIGIN), smoke.deployment.allowed_origin, _DO_BUCKET)
    exposed = _words(sent.headers.get("Access-Control-Expose-Headers", ""))
    expect("PUT: headers that are not exposed", {"etag", "content-disposition"} - exposed, set(), _DO_BUCKET)
    if smoke.deployment.allowed_origin != "*":
        refused = smoke.http.options(
            upload["url"], headers={"Origin": _STRANGER, "Access-Control-Request-Method": "PUT"}, timeout=60
        )
        expect("another origin", refused.headers.get(_ALLOW_ORIGIN), None, _DO_BUCKET)
    return smoke.deployment.allowed_origin


def _preflight(smoke: Smoke, url: str, method: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    asked = {"Origin": smoke.deployment.origin, "Access-Control-Request-Method": method}
    return smoke.http.options(url, headers={**asked, **(headers or {})}, timeout=60)


def _undo(smoke: Smoke, origin: str) -> requests.Response:
    return smoke.call("DELETE", f"/file/{UNKNOWN_ID}", headers={"Origin": origin, "x-upload-token": "none"})


def _code(reply: requests.Response) -> object:
    """The body's code; where the body is no JSON, its beginning."""
    found = re.search(r'"code":\s*"([^"]*)"', reply.text)
    return found[1] if found else reply.text[:80]


def _words(header: str | None) -> set[str]:
    return {word.strip().lower() for word in (header or "").split(",")}
