"""Every route of swagger.yaml, walked as pages and back ends do."""

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from ops.smoke.checks import CheckFailed, NotSeen, check, expect
from ops.smoke.session import UNKNOWN_ID, Smoke

_STORED = b"Stored by make smoke."
_LOG = "See the log of {} (docs/monitoring.md, what failed)."
_RIGHTS = (
    "The sweep will do it. See the log of DeleteFunction: its role lacks s3:DeleteObject or s3:DeleteObjectVersion,"
    " or DynamoDB wants a right beside dynamodb:PartiQLUpdate for RETURNING."
)
_GONE = (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)


@check(source="swagger.yaml: POST /file")
def upload_name_alone(smoke: Smoke) -> str:
    """A name alone is answered with exactly an id and a URL, and S3 takes the bytes."""
    upload = smoke.upload(b"by name alone")
    expect("keys", sorted(upload), ["id", "url"], "Clients of the 2019 contract break: see UploadFunction's version.")
    return "id and url"


@check(source="Amazon S3 API reference: HeadObject")
def type_as_sent(smoke: Smoke) -> str:
    """The type of an upload that declared none is the one that was sent to S3, asked for by a HEAD."""
    upload = smoke.begin()
    smoke.put(upload, b"of a type", {"Content-Type": "text/x-smoke; charset=utf-8"})
    found = smoke.recorded(upload["id"])
    expect("type", found.get("type"), "text/x-smoke", _LOG.format("UploadedFunction"))
    return "text/x-smoke"


@check(source="Amazon S3 user guide: event notifications, at least once, typically in seconds")
def event(smoke: Smoke) -> str:
    """S3's event reaches the record by way of the queue, and how soon."""
    upload = smoke.upload(b"reported by S3")
    started = time.monotonic()
    found = smoke.recorded(upload["id"])
    expect("size", found.get("size"), len(b"reported by S3"), _LOG.format("UploadedFunction"))
    return f"after {time.monotonic() - started:.1f} s"


@check(source="swagger.yaml: PUT /files")
def store_before_event(smoke: Smoke) -> str:
    """A back end that is faster than S3's event stores the upload all the same, once and for all."""
    if smoke.deployment.stores_on_load:
        reply = smoke.ask("PUT", [UNKNOWN_ID])
        expect("code", reply.json().get("code"), "stored_on_load", "Compare with the parameter StoreOnLoad.")
        return "this stack stores files as they arrive, and says so: 400 stored_on_load"
    upload = smoke.store(_STORED)
    first = smoke.details(upload["id"]) or {}
    expect("stored again", smoke.ask("PUT", [upload["id"]]).json(), [upload["id"]], _LOG.format("StoreFunction"))
    again = smoke.details(upload["id"]) or {}
    expect("stored_at", again.get("stored_at"), first.get("stored_at", "a time"), _LOG.format("StoreFunction"))
    return str(first["stored_at"])


@check(source="swagger.yaml: POST /files")
def details_and_flags(smoke: Smoke) -> str:
    """Details show what is stored, and with flags what is not stored or deleted."""
    stored = smoke.store(_STORED, size=len(_STORED), type="text/plain", meta={"made-by": "smoke"})
    do = _LOG.format("InfoFunction")
    (details,) = smoke.ask("POST", [stored["id"], UNKNOWN_ID]).json()
    expect("details", {name: details.get(name) for name in ("id", "name", "type", "size", "meta")}, {
        "id": stored["id"], "name": f"{smoke.name}.txt", "type": "text/plain", "size": len(_STORED),
        "meta": {"made-by": "smoke"},
    }, do)  # fmt: skip
    if not {"created_at", "uploaded_at", "stored_at", "url"} <= details.keys():
        raise CheckFailed(expected="dates and a URL", came=sorted(details), do=do)
    asked_for = smoke.begin()["id"]
    expect("without a flag", smoke.details(asked_for, ""), None, do)
    expect("with nonstored=yes", (smoke.details(asked_for, "?nonstored=yes") or {}).get("id"), asked_for, do)
    smoke.ask("DELETE", [stored["id"]])
    expect("a deleted file without a flag", smoke.details(stored["id"], ""), None, do)
    deleted = smoke.details(stored["id"], "?deleted=yes") or {}
    if "deleted_at" not in deleted or "url" in deleted:
        raise CheckFailed(expected="deleted_at and no URL", came=sorted(deleted), do=do)
    return "nonstored and deleted"


@check(source="swagger.yaml: GET /files/{id}")
def show(smoke: Smoke) -> str:
    """One file is described by its id alone, and an id of nothing is a 404."""
    stored = smoke.store(_STORED)
    do = _LOG.format("ShowFunction")
    shown = smoke.call("GET", f"/files/{stored['id']}", headers=smoke.key_headers())
    expect("id", (shown.status_code, shown.json().get("id")), (HTTPStatus.OK, stored["id"]), do)
    expect("bytes", smoke.get(shown.json()["url"]).content, _STORED, do)
    unknown = smoke.call("GET", f"/files/{UNKNOWN_ID}", headers=smoke.key_headers())
    expect("an unknown file", (unknown.status_code, unknown.json().get("code")), (HTTPStatus.NOT_FOUND, "unknown"), do)
    return "200, 404"


@check(source="swagger.yaml: GET and HEAD /files/{id}/content; Amazon S3 API reference, HeadObject")
def content(smoke: Smoke) -> str:
    """A redirect leads to the bytes, a part of them and, for a HEAD, to their headers alone."""
    path = f"/files/{smoke.store(_STORED)['id']}/content"
    do = _LOG.format("ContentFunction")
    led = smoke.call("GET", path, headers=smoke.key_headers(), allow_redirects=False)
    expect("status", led.status_code, HTTPStatus.FOUND, do)
    expect("bytes", smoke.get(led.headers["Location"]).content, _STORED, do)
    part = smoke.get(led.headers["Location"], headers={"Range": "bytes=1-2"})
    expect("a part", (part.status_code, part.content), (HTTPStatus.PARTIAL_CONTENT, _STORED[1:3]), do)
    asked = smoke.call("HEAD", path, headers=smoke.key_headers(), allow_redirects=False)
    expect("status of a HEAD", asked.status_code, HTTPStatus.FOUND, do)
    headers = smoke.get(asked.headers["Location"], method="HEAD").headers
    expect("size", headers.get("Content-Length"), str(len(_STORED)), do)
    expect("disposition", headers.get("Content-Disposition", "")[:11], "attachment;", do)
    return "302, 206, 302 of a HEAD"


@check(source="swagger.yaml: PATCH /files/{id}")
def update(smoke: Smoke) -> str:
    """Another name is in the details and in the header of a download."""
    path = f"/files/{smoke.store(_STORED)['id']}"
    do = _LOG.format("UpdateFunction")
    # By its beginning one knows whose it is.
    name = f"{smoke.name}-renamed.txt"
    changed = smoke.call("PATCH", path, {"name": name, "meta": {"a": "b"}}, headers=smoke.key_headers())
    expect("status", changed.status_code, HTTPStatus.OK, do)
    expect("details", (changed.json().get("name"), changed.json().get("meta")), (name, {"a": "b"}), do)
    disposition = smoke.get(changed.json()["url"]).headers.get("Content-Disposition", "")
    expect("disposition", disposition.partition(";")[2].partition(";")[0], f' filename="{name}"', do)
    unknown = smoke.call("PATCH", f"/files/{UNKNOWN_ID}", {"name": "a"}, headers=smoke.key_headers())
    expect("an unknown file", unknown.status_code, HTTPStatus.NOT_FOUND, do)
    return "200, 404"


@check(source="swagger.yaml: GET /files; DynamoDB developer guide: global secondary indexes are eventually consistent")
def listed(smoke: Smoke) -> str:
    """What is stored is in the list within moments, each file on one page; what is deleted is not."""
    stored = {smoke.store(_STORED)["id"] for _ in range(2)}
    do = _LOG.format("ListFunction")
    if not smoke.wait(lambda: stored <= _ids(_page(smoke, ""))):
        raise CheckFailed(expected=sorted(stored), came="not within the newest 100 files", do=do)
    first = _page(smoke, "?limit=1")
    expect("seen on two pages", _ids(first) & _ids(_page(smoke, f"?limit=1&cursor={first['next']}")), set(), do)
    smoke.ask("DELETE", sorted(stored))
    expect("deleted files", stored & _ids(_page(smoke, "")), set(), do)
    refused = smoke.call("GET", "/files?cursor=x", headers=smoke.key_headers())
    came = (refused.status_code, refused.json().get("code"))
    expect("a cursor of nobody", came, (HTTPStatus.BAD_REQUEST, "invalid_cursor"), do)
    return "two pages"


def _page(smoke: Smoke, query: str) -> dict[str, Any]:
    page: dict[str, Any] = smoke.call("GET", f"/files{query}", headers=smoke.key_headers()).json()
    return page


def _ids(page: Mapping[str, Any]) -> set[str]:
    return {file["id"] for file in page["files"]}


@check(source="swagger.yaml: problems")
def problems(smoke: Smoke) -> str:
    """With problems=yes each of the three routes says why an id is left out."""
    for method in ("PUT", "POST", "DELETE"):
        if method == "PUT" and smoke.deployment.stores_on_load:
            continue
        body = smoke.ask(method, [UNKNOWN_ID], "?problems=yes").json()
        came = (body.get("result"), body.get("problems", {}).get(UNKNOWN_ID, {}).get("code"))
        expect(f"{method} /files", came, ([], "unknown"), "See the function's log.")
    return "unknown"


@check(source="swagger.yaml: DELETE /file/{id}")
def undo(smoke: Smoke) -> str:
    """An uploader takes back an upload with its token, and with no other; not once it is stored."""
    upload = smoke.upload(b"taken back", size=len(b"taken back"))
    route = f"/file/{upload['id']}"
    do = _LOG.format("UndoFunction")
    wrong = smoke.call("DELETE", route, headers={"x-upload-token": "x" * 43})
    expect("a wrong token", (wrong.status_code, wrong.json().get("code")), (HTTPStatus.FORBIDDEN, "invalid_token"), do)
    token = {"x-upload-token": upload["token"]}
    expect("undo", smoke.call("DELETE", route, headers=token).status_code, HTTPStatus.NO_CONTENT, do)
    expect("undo again", smoke.call("DELETE", route, headers=token).status_code, HTTPStatus.NO_CONTENT, do)
    unknown = smoke.call("DELETE", f"/file/{UNKNOWN_ID}", headers=token)
    expect("an unknown file", (unknown.status_code, unknown.json().get("code")), (HTTPStatus.NOT_FOUND, "unknown"), do)
    if not smoke.deployment.stores_on_load:
        stored = smoke.store(_STORED, size=len(_STORED))
        late = smoke.call("DELETE", f"/file/{stored['id']}", headers={"x-upload-token": stored["token"]})
        came = (late.status_code, late.json().get("code"))
        expect("a stored file", came, (HTTPStatus.CONFLICT, "already_stored"), do)
    return "204, 403, 404, 409"


@check(source="swagger.yaml: DELETE /files, a body on DELETE")
def delete(smoke: Smoke) -> str:
    """A back end deletes files with a body on DELETE; unknown ids are left out, the record stays."""
    stored = smoke.store(_STORED)
    do = _LOG.format("DeleteFunction")
    expect("ids", smoke.ask("DELETE", [UNKNOWN_ID, stored["id"]]).json(), [stored["id"]], do)
    expect("again", smoke.ask("DELETE", [stored["id"]]).json(), [stored["id"]], do)
    if "deleted_at" not in (smoke.details(stored["id"]) or {}):
        raise CheckFailed(expected="deleted_at", came=smoke.details(stored["id"]), do=do)
    return "deleted_at"


@check(source="template.yaml, DeleteFunctionRole; PartiQL's RETURNING in a batch")
def delete_at_once(smoke: Smoke) -> str:
    """When a delete is answered the bytes are gone: its statement returned the record with PartiQLUpdate alone."""
    ids = [smoke.store(_STORED)["id"] for _ in range(2)]
    urls = [(smoke.details(file_id) or {})["url"] for file_id in ids]
    if not all(smoke.get(url).ok for url in urls):
        raise NotSeen("the files cannot be downloaded before the delete: see download")
    expect("ids", smoke.ask("DELETE", ids).json(), ids, _RIGHTS)
    statuses = [smoke.get(url).status_code for url in urls]
    if not set(statuses) <= set(_GONE):
        raise CheckFailed(expected="no bytes of the two files", came=statuses, do=_RIGHTS)
    return ", ".join(map(str, statuses))
