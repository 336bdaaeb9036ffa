"""POST /file: register a file and hand out the URL to upload it to, or the plan of its parts."""

import json
from collections.abc import Iterator
from typing import Any

from filestore import api, wiring
from filestore.api.checksums import OCTETS, is_digest
from filestore.api.declared import check_meta, check_name, checked, file_name
from filestore.domain.file import Checksum
from filestore.domain.idempotency import RequestKey
from filestore.domain.media_type import is_media_type
from filestore.domain.plan import PARTS_ALGORITHM
from filestore.errors import FieldError, InvalidBodyError, InvalidRequestError
from filestore.use_cases.upload import Upload, UploadInParts

wiring.begin_upload()
wiring.key_is_needed()

_LONGEST_KEY = 255
# A UUID has 36 characters, a ULID 26; counters and times have fewer than these.
_LEAST_OF_STRANGERS = 20


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The contents never pass through here: the browser PUTs them to S3 itself."""
    caller = request.key_id() if wiring.key_is_needed() else ""
    body = checked(request.json(), _CHECKS, needed="name")
    size = body.get("size")
    if body.get("multipart") and size is None:
        raise InvalidBodyError([FieldError("/size", "What comes in parts has a size.")])
    checksum = Checksum(**body["checksum"]) if "checksum" in body else None
    declared: dict[str, Any] = {
        "name": file_name(body["name"]),
        "size": size,
        "content_type": body.get("type"),
        "checksum": checksum,
        "meta": body.get("meta"),
        "request": _request_key(request, caller, body),
    }
    use_case = wiring.begin_upload()
    if size is not None and use_case.is_in_parts(size, checksum, body.get("multipart")):
        if checksum is not None and checksum.algorithm != PARTS_ALGORITHM:
            message = f"S3 has the {PARTS_ALGORITHM} alone of what comes in parts."
            raise InvalidBodyError([FieldError("/checksum/algorithm", message)])
        upload = use_case.begin_in_parts(**declared)
    else:
        upload = use_case.begin(**declared)
    return api.ok(_told(upload, body), file_id=upload.id, UploadsRequested=1)


def _told(upload: Upload | UploadInParts, body: dict[str, Any]) -> dict[str, Any]:
    """What the client is told; one that gives a name alone is of the first generation, and knows these two."""
    if isinstance(upload, Upload) and body.keys() == {"name"}:
        return {"id": upload.id, "url": upload.link.url}
    told = {"id": upload.id, "token": upload.token, "expires_at": upload.expires_at}
    if isinstance(upload, UploadInParts):
        return {**told, "part_size": upload.plan.part_size, "part_count": upload.plan.part_count}
    return {**told, "method": "PUT", "url": upload.link.url, "headers": upload.link.headers}


def _request_key(request: api.Request, caller: str, body: dict[str, Any]) -> RequestKey | None:
    """The Idempotency-Key, if any. Where anybody may ask, one that can be guessed would open what another began."""
    key = request.header("idempotency-key")
    if key is None:
        return None
    least = 1 if caller else _LEAST_OF_STRANGERS
    if not least <= len(key) <= _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidRequestError(f"An Idempotency-Key has {least} to {_LONGEST_KEY} printable ASCII characters.")
    return RequestKey(caller, key, json.dumps(body, sort_keys=True))


def _check_size(value: object) -> Iterator[FieldError]:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        yield FieldError("/size", "A size is a whole number of bytes.")


def _check_type(value: object) -> Iterator[FieldError]:
    if not isinstance(value, str) or not is_media_type(value):
        yield FieldError("/type", "A type is a MIME type, such as image/png.")
    elif value.startswith("application/x-www-form-urlencoded"):
        # What a form would send by itself says nothing of a file; S3 would keep it and every download have it.
        yield FieldError("/type", "This is the type of a form, not of a file.")


def _check_checksum(value: object) -> Iterator[FieldError]:
    if not isinstance(value, dict) or value.keys() != {"algorithm", "value"}:
        yield FieldError("/checksum", "A checksum has an algorithm and a value.")
        return
    algorithm, digest = value["algorithm"], value["value"]
    if not isinstance(algorithm, str) or algorithm not in OCTETS:
        yield FieldError("/checksum/algorithm", f"The algorithm is one of {', '.join(OCTETS)}.")
    elif not is_digest(algorithm, digest):
        yield FieldError("/checksum/value", f"The value is {OCTETS[algorithm]} octets in base64.")


def _check_multipart(value: object) -> Iterator[FieldError]:
    if not isinstance(value, bool):
        yield FieldError("/multipart", "It is true or false.")


_CHECKS = {
    "name": check_name,
    "size": _check_size,
    "type": _check_type,
    "checksum": _check_checksum,
    "meta": check_meta,
    "multipart": _check_multipart,
}
