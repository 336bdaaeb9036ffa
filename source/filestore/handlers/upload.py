"""POST /file: register a file and hand out the URL to upload it to, or the plan of its parts."""

import re
from collections.abc import Iterator
from typing import Any

from filestore import api, wiring
from filestore.api.checksums import OCTETS, is_digest
from filestore.domain.file import Checksum
from filestore.domain.media_type import is_media_type
from filestore.errors import FieldError, InvalidBodyError
from filestore.use_cases.upload import PARTS_ALGORITHM

wiring.begin_upload()

# No file system has names of more than 255 characters in UTF-16, which are at most 765 octets in UTF-8.
_MAX_NAME = 255
_MAX_NAME_OCTETS = 765
_MAX_META_PAIRS = 50
_MAX_META_KEY = 64
_MAX_META_VALUE = 512
# Octets of all keys and values in UTF-8. Anybody may send them, and every kilobyte of a record is another write unit
# each time that it changes (SECURITY.md has the bill).
_MAX_META = 2048
# However much is wrong, an answer stays small.
_MAX_ERRORS = 20
# Embeddings, overrides and isolates of a direction: in "\u202egpj.exe" they show "exe.jpg" (Unicode TR 36, 3.1).
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The contents never pass through here: the browser PUTs them to S3 itself."""
    body = _checked(request.json())
    checksum = Checksum(**body["checksum"]) if "checksum" in body else None
    size = body.get("size")
    declared: dict[str, Any] = {
        "name": _file_name(body["name"]),
        "size": size,
        "content_type": body.get("type"),
        "checksum": checksum,
        "meta": body.get("meta"),
    }
    if size is not None and wiring.begin_upload().is_in_parts(size, checksum, body.get("multipart")):
        return _begin_in_parts(declared)
    upload = wiring.begin_upload().begin(**declared)
    if body.keys() == {"name"}:
        return api.ok({"id": upload.id, "url": upload.link.url}, file_id=upload.id, UploadsRequested=1)
    return api.ok(
        {
            "id": upload.id,
            "method": "PUT",
            "url": upload.link.url,
            "headers": upload.link.headers,
            "token": upload.token,
            "expires_at": upload.expires_at,
        },
        file_id=upload.id,
        UploadsRequested=1,
    )


def _begin_in_parts(declared: dict[str, Any]) -> api.Response:
    checksum = declared["checksum"]
    if checksum is not None and checksum.algorithm != PARTS_ALGORITHM:
        message = f"S3 has the {PARTS_ALGORITHM} alone of what comes in parts."
        raise InvalidBodyError([FieldError("/checksum/algorithm", message)])
    upload = wiring.begin_upload().begin_in_parts(**declared)
    return api.ok(
        {
            "id": upload.id,
            "token": upload.token,
            "part_size": upload.plan.part_size,
            "part_count": upload.plan.part_count,
            "expires_at": upload.expires_at,
        },
        file_id=upload.id,
        UploadsRequested=1,
    )


def _checked(body: object) -> dict[str, Any]:
    """The body, once nothing is wrong with it."""
    if not isinstance(body, dict):
        raise InvalidBodyError([FieldError("", "A JSON object is needed.")])
    errors = [FieldError(_pointer(key), "There is no such property.") for key in body if key not in _CHECKS]
    if "name" not in body:
        errors.append(FieldError("/name", "A name is needed."))
    if body.get("multipart") is True and "size" not in body:
        errors.append(FieldError("/size", "What comes in parts has a size."))
    errors += [error for key, check in _CHECKS.items() if key in body for error in check(body[key])]
    if errors:
        raise InvalidBodyError(errors[:_MAX_ERRORS])
    return body


def _file_name(path: str) -> str:
    """The name without its directory, in the notation of either kind of system."""
    return re.split(r"[/\\]", path)[-1]


def _check_name(value: object) -> Iterator[FieldError]:
    if not isinstance(value, str):
        yield FieldError("/name", "A name is a string.")
    elif not api.is_printable(value):
        yield FieldError("/name", "A name has no control characters.")
    elif _DIRECTION.search(value):
        yield FieldError("/name", "A name has no characters that turn the direction of others.")
    elif not 1 <= len(_file_name(value)) <= _MAX_NAME or _file_name(value) in (".", ".."):
        yield FieldError("/name", f"A name has 1 to {_MAX_NAME} characters, its directory not counted.")
    elif _octets(_file_name(value)) > _MAX_NAME_OCTETS:
        yield FieldError("/name", f"A name has at most {_MAX_NAME_OCTETS} octets in UTF-8.")


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


def _check_meta(value: object) -> Iterator[FieldError]:
    if not isinstance(value, dict) or len(value) > _MAX_META_PAIRS:
        yield FieldError("/meta", f"Meta is an object of at most {_MAX_META_PAIRS} strings.")
        return
    for key, text in value.items():
        if not 1 <= len(key) <= _MAX_META_KEY or not api.is_printable(key):
            yield FieldError("/meta", f"A key of meta has 1 to {_MAX_META_KEY} printable characters.")
        elif not isinstance(text, str) or len(text) > _MAX_META_VALUE or not api.is_encodable(text):
            yield FieldError(_pointer("meta", key), f"A value has at most {_MAX_META_VALUE} characters.")
    if sum(_octets(key) + _octets(text) for key, text in value.items() if isinstance(text, str)) > _MAX_META:
        yield FieldError("/meta", f"The keys and values of meta have at most {_MAX_META} octets in UTF-8 together.")


def _octets(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901). What no valid body has as a key is cut."""
    return "".join("/" + part[:_MAX_META_KEY].replace("~", "~0").replace("/", "~1") for part in parts)


_CHECKS = {
    "name": _check_name,
    "size": _check_size,
    "type": _check_type,
    "checksum": _check_checksum,
    "meta": _check_meta,
    "multipart": _check_multipart,
}
