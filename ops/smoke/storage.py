"""What S3 holds an upload to, and what it hands out."""

import base64
import hashlib
import http.client
import time
from http import HTTPStatus
from urllib.parse import urlsplit

from ops.smoke.checks import CheckFailed, check, expect
from ops.smoke.session import Smoke, said

_BYTES = b"Filestore, byte by byte."
_OTHER = b"Filestore, byte by BYTE."
_SIGNED = "S3 does not hold uploads to what was signed: see source/filestore/storage/links.py, and do not go live."
_PRESIGNED = "Amazon S3 API reference: presigned URLs, signed headers"


def _declared(contents: bytes) -> dict[str, object]:
    digest = base64.b64encode(hashlib.sha256(contents).digest()).decode()
    return {
        "size": len(contents),
        "type": "text/plain",
        "checksum": {"algorithm": "SHA256", "value": digest},
    }


@check(source=_PRESIGNED)
def put_signed(smoke: Smoke) -> str:
    """S3 takes a PUT whose length, type and checksum are signed."""
    sent = smoke.put(smoke.begin(**_declared(_BYTES)), _BYTES)
    expect("status", sent.status_code, HTTPStatus.OK, f"No page can upload. S3 says: {said(sent)}")
    version = sent.headers.get("x-amz-version-id")
    # Of a bucket whose versioning was suspended.
    if version in (None, "null"):
        raise CheckFailed(expected="a version", came=version, do="Do not go live: StorageBucket has to be versioned.")
    return "200, with a version"


@check(source=_PRESIGNED)
def put_wrong_size(smoke: Smoke) -> str:
    """S3 refuses a body of another size than the signed one."""
    sent = smoke.put(smoke.begin(**_declared(_BYTES)), _BYTES + b"!")
    expect("status", sent.status_code, HTTPStatus.FORBIDDEN, _SIGNED)
    return said(sent)[:3]


@check(source=_PRESIGNED)
def put_wrong_type(smoke: Smoke) -> str:
    """S3 refuses another type than the signed one."""
    upload = smoke.begin(**_declared(_BYTES))
    sent = smoke.put(upload, _BYTES, {**upload["headers"], "Content-Type": "text/html"})
    expect("status", sent.status_code, HTTPStatus.FORBIDDEN, _SIGNED)
    return said(sent)[:3]


@check(source="Amazon S3 user guide: checking object integrity")
def put_wrong_checksum(smoke: Smoke) -> str:
    """S3 refuses bytes that do not hash to the signed checksum, and another checksum than that."""
    upload = smoke.begin(**_declared(_BYTES))
    changed = smoke.put(upload, _OTHER)
    expect("other bytes", changed.status_code, HTTPStatus.BAD_REQUEST, _SIGNED)
    header = {"x-amz-checksum-sha256": str(_declared(_OTHER)["checksum"]["value"])}  # type: ignore[index]
    resigned = smoke.put(upload, _OTHER, {**upload["headers"], **header})
    expect("another checksum", resigned.status_code, HTTPStatus.FORBIDDEN, _SIGNED)
    return "400, 403"


@check(source="Amazon S3 answers 501 NotImplemented to Transfer-Encoding (API reference, common errors)")
def put_chunked(smoke: Smoke) -> str:
    """S3 does not take a PUT without a length (curl -T -), so nothing gets past a signed size that way."""
    upload = smoke.begin()
    smoke.counted["S3 PUT"] += 1
    where = urlsplit(upload["url"])
    secure = where.scheme == "https"
    connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(where.netloc, timeout=60)
    try:
        connection.request("PUT", f"{where.path}?{where.query}", body=iter([_BYTES]), encode_chunked=True,
                           headers={"Transfer-Encoding": "chunked"})  # fmt: skip
        status = connection.getresponse().status
    finally:
        connection.close()
    expect("status", status, HTTPStatus.NOT_IMPLEMENTED, "Bodies without a length are taken: see put-wrong-size.")
    return "501"


@check(source="Amazon S3: every x-amz-* header of a presigned request has to be signed")
def put_unsigned_header(smoke: Smoke) -> str:
    """S3 refuses a header that nobody signed, such as one that would change how the object is kept."""
    upload = smoke.begin(**_declared(_BYTES))
    sent = smoke.put(upload, _BYTES, {**upload["headers"], "x-amz-meta-smoke": "unsigned"})
    expect("status", sent.status_code, HTTPStatus.FORBIDDEN, "Uploaders may add headers: see SECURITY.md.")
    return "403"


@check(source="architecture/decisions.md: a stored file is one version of one object")
def put_over_stored(smoke: Smoke) -> str:
    """A second PUT to the URL of a stored file changes nothing of it, and its version is dropped."""
    upload = smoke.store(_BYTES)
    sent = smoke.put(upload, _OTHER)
    expect("second PUT", sent.status_code, HTTPStatus.OK, f"S3 says: {said(sent)}")
    url = (smoke.details(upload["id"]) or {})["url"]
    expect("bytes", smoke.get(url).content, _BYTES, "A stored file was changed: stop, and keep the bucket as it is.")
    started = time.monotonic()
    if not smoke.wait(lambda: len(smoke.versions(upload["id"])) == 1):
        raise CheckFailed(
            expected=f"the second version to go within {smoke.patience:.0f} s",
            came=f"{len(smoke.versions(upload['id']))} versions",
            do="See the log of UploadedFunction, and whether its role has s3:DeleteObjectVersion.",
        )
    expect("bytes", smoke.get(url).content, _BYTES, "A stored file was lost: stop, and keep the bucket as it is.")
    return f"bytes kept, second version gone after {time.monotonic() - started:.1f} s"


@check(source="RFC 6266, RFC 8187; Amazon S3 API reference: response-content-*")
def download(smoke: Smoke) -> str:
    """A download has the file's bytes, type and name, is an attachment, and may be asked for in parts."""
    name = f"{smoke.name} Zürich.txt"
    upload = smoke.store(_BYTES, **{**_declared(_BYTES), "name": name})
    url = (smoke.details(upload["id"]) or {})["url"]
    do = "See source/filestore/domain/disposition.py, and whether InfoFunction's role has s3:GetObjectVersion."
    whole = smoke.get(url)
    expect("status", whole.status_code, HTTPStatus.OK, do)
    expect("bytes", whole.content, _BYTES, do)
    expect("type", whole.headers.get("Content-Type"), "text/plain", do)
    ascii_name, exact = f"{smoke.name} Zurich.txt", f"{smoke.name}%20Z%C3%BCrich.txt"
    disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{exact}"
    expect("Content-Disposition", whole.headers.get("Content-Disposition"), disposition, do)
    part = smoke.get(url, {"Range": "bytes=2-5"})
    expect("range", (part.status_code, part.content), (HTTPStatus.PARTIAL_CONTENT, _BYTES[2:6]), do)
    return "bytes, type, name, range"


@check(source="template.yaml, StorageBucket: public access is blocked")
def bucket_is_private(smoke: Smoke) -> str:
    """Without a signature S3 hands out nothing."""
    upload = smoke.upload(_BYTES)
    reply = smoke.get(upload["url"].split("?")[0])
    expect("status", reply.status_code, HTTPStatus.FORBIDDEN, "The bucket is public: block public access at once.")
    return "403"
