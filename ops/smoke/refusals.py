"""Bad requests to the API: each is refused where it should be, and says why."""

import json
import re
import time
from http import HTTPStatus

from ops.smoke.checks import NotSeen, check, expect
from ops.smoke.session import Smoke

_JSON = {"Content-Type": "application/json"}
# API Gateway validates what is announced as JSON alone.
_TEXT = {"Content-Type": "text/plain"}
_WAIT_FOR_EXPIRY = 10
_CLOCKS_DIFFER = 2
_TOO_MANY = [f"{number:032x}" for number in range(101)]
_VALIDATOR = "The validator does not work: see import-validators, import-models. The functions refuse such bodies too."
_HANDLER = "See the log of UploadFunction: it has to refuse whatever API Gateway lets through."


@check(source="swagger.yaml: validators; API Gateway validates application/json")
def malformed_at_the_gateway(smoke: Smoke) -> str:
    """API Gateway refuses a body that does not fit its schema before a function runs, also on DELETE."""
    template = smoke.deployment.swagger["x-amazon-apigateway-gateway-responses"]["BAD_REQUEST_BODY"]
    found = re.search(r'"message":"([^"]*)"', template["responseTemplates"]["application/json"])
    wanted = (HTTPStatus.BAD_REQUEST, found[1] if found else "")
    page = smoke.call("POST", "/file", data=b'{"size": 1}', headers=_JSON)
    expect("POST /file without a name", (page.status_code, page.json().get("message")), wanted, _VALIDATOR)
    for method in ("PUT", "POST", "DELETE"):
        reply = smoke.ask(method, None, data=b'{"id": 1}', headers=_JSON)
        came = (reply.status_code, reply.json().get("message"))
        expect(f"{method} /files with an object", came, wanted, _VALIDATOR)
    return "four routes"


@check(source="source/filestore/handlers: they do not rely on the gateway")
def malformed_at_the_function(smoke: Smoke) -> str:
    """What the schema does not say the function refuses, with a pointer to each thing that is wrong."""
    # It fits the schema.
    reply = smoke.call(
        "POST", "/file", {"name": "a\0b", "checksum": {"algorithm": "SHA256", "value": "too short"}}, headers=_JSON
    )
    expect("status", reply.status_code, HTTPStatus.BAD_REQUEST, _HANDLER)
    paths = sorted(error["path"] for error in reply.json().get("errors", []))
    expect("paths", paths, ["/checksum/value", "/name"], _HANDLER)
    return "400, two pointers"


@check(source="swagger.yaml: UploadRequest; API Gateway may drop additionalProperties and maxProperties")
def mistyped_property(smoke: Smoke) -> str:
    """A property that is none is refused, by whomever: a mistyped checksum must not switch the check off."""
    body = json.dumps({"name": "a", "cheksum": {}}).encode()
    for headers in (_JSON, _TEXT):
        reply = smoke.call("POST", "/file", data=body, headers=headers)
        came = (reply.status_code, reply.json().get("code"))
        expect(f"as {headers['Content-Type']}", came, (HTTPStatus.BAD_REQUEST, "invalid_body"), _HANDLER)
    # Where the import keeps additionalProperties the gateway says it, otherwise the function.
    reply = smoke.call("POST", "/file", data=body, headers=_JSON)
    (error, *_) = reply.json()["errors"]
    return f"by the {'function' if error['path'] else 'gateway'}"


@check(source="swagger.yaml: up to 100 ids")
def too_many_ids(smoke: Smoke) -> str:
    """101 ids are a 400 of their own, never cut."""
    for method in ("PUT", "POST", "DELETE"):
        if method == "PUT" and smoke.deployment.stores_on_load:
            continue
        reply = smoke.ask(method, _TOO_MANY)
        came = (reply.status_code, reply.json().get("code"))
        expect(f"{method} /files", came, (HTTPStatus.BAD_REQUEST, "too_many_ids"), "See the function's log.")
    return "400"


@check(source="parameter MaxFileSize")
def too_large(smoke: Smoke) -> str:
    """A declared size above MaxFileSize is refused."""
    size = int(smoke.deployment.parameters["MaxFileSize"]) + 1
    reply = smoke.call("POST", "/file", {"name": "a", "size": size})
    expect("code", reply.json().get("code"), "file_too_large", "Compare MAX_FILE_SIZE of UploadFunction's version.")
    return f"{size} bytes"


@check(source="Signature Version 4: X-Amz-Expires; Amazon S3 looks at the expiry when a request begins")
def expired_url(smoke: Smoke) -> str:
    """An upload URL is dead once its time is over."""
    seconds = int(smoke.deployment.parameters["SignedUrlExpiration"])
    if seconds > _WAIT_FOR_EXPIRY:
        raise NotSeen(f"URLs live for {seconds} s here, and this waits for {_WAIT_FOR_EXPIRY} at most")
    upload = smoke.begin()
    time.sleep(seconds + _CLOCKS_DIFFER)
    late = smoke.put(upload, b"late")
    expect("status", late.status_code, HTTPStatus.FORBIDDEN, "Upload URLs live too long: compare the bucket's policy.")
    return f"after {seconds} s"
