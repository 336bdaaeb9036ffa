"""POST /file: register a file and hand out the URL to upload it to."""

import base64
import binascii
from collections.abc import Iterator

from filestore import api, wiring
from filestore.api.declared import check_meta, check_name, checked, file_name
from filestore.domain.file import Checksum
from filestore.domain.media_type import is_media_type
from filestore.errors import FieldError

wiring.begin_upload()
wiring.key_is_needed()

# Octets of a digest by algorithm: FIPS 180-4, IEEE 802.3, and CRC-64/NVME of the NVM Express specification.
_CHECKSUM_OCTETS = {"SHA256": 32, "CRC32": 4, "CRC64NVME": 8}


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The contents never pass through here: the browser PUTs them to S3 itself."""
    if wiring.key_is_needed():
        request.require_key()
    body = checked(request.json(), _CHECKS, needed="name")
    checksum = body.get("checksum")
    upload = wiring.begin_upload().begin(
        name=file_name(body["name"]),
        size=body.get("size"),
        content_type=body.get("type"),
        checksum=Checksum(**checksum) if checksum else None,
        meta=body.get("meta"),
    )
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
    if not isinstance(algorithm, str) or algorithm not in _CHECKSUM_OCTETS:
        yield FieldError("/checksum/algorithm", f"The algorithm is one of {', '.join(_CHECKSUM_OCTETS)}.")
    elif not isinstance(digest, str) or _digest_octets(digest) != _CHECKSUM_OCTETS[algorithm]:
        yield FieldError("/checksum/value", f"The value is {_CHECKSUM_OCTETS[algorithm]} octets in base64.")


def _digest_octets(digest: str) -> int | None:
    try:
        return len(base64.b64decode(digest, validate=True))
    except (binascii.Error, ValueError):
        return None


_CHECKS = {
    "name": check_name,
    "size": _check_size,
    "type": _check_type,
    "checksum": _check_checksum,
    "meta": check_meta,
}
