"""POST /file/{id}/parts: sign the URLs of parts of a large file."""

from filestore import api, wiring
from filestore.api.checksums import is_digest
from filestore.domain.plan import MAX_PARTS, PARTS_ALGORITHM
from filestore.errors import FieldError, InvalidBodyError
from filestore.use_cases.sign import WantedPart

wiring.sign_parts()

_MAX_AT_ONCE = 100


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """The bytes go to S3 part by part, several beside each other, and each may be sent again."""
    token = request.upload_token()
    file_id = request.path("id")
    signed = wiring.sign_parts().sign(file_id, token, _wanted(request.json()))
    parts = [{"part_number": number, "url": link.url, "headers": link.headers} for number, link in signed.links]
    return api.ok({"parts": parts, "expires_at": signed.expires_at}, file_id=file_id)


def _wanted(body: object) -> list[WantedPart]:
    """The parts of a body in which nothing is wrong."""
    parts = body.get("parts") if isinstance(body, dict) and body.keys() == {"parts"} else None
    if not isinstance(parts, list) or not 1 <= len(parts) <= _MAX_AT_ONCE:
        raise InvalidBodyError([FieldError("/parts", f"An array of 1 to {_MAX_AT_ONCE} parts is needed.")])
    wrong = ((place, _wrong(part)) for place, part in enumerate(parts))
    errors = [FieldError(f"/parts/{place}", message) for place, message in wrong if message is not None]
    numbers = [part["part_number"] for part in parts] if not errors else []
    if len(set(numbers)) < len(numbers):
        errors.append(FieldError("/parts", "Each part is asked for once."))
    if errors:
        raise InvalidBodyError(errors)
    return [WantedPart(part["part_number"], part.get("checksum")) for part in parts]


def _wrong(part: object) -> str | None:
    if not isinstance(part, dict) or not {"part_number"} <= part.keys() <= {"part_number", "checksum"}:
        return "A part has a part_number, and a checksum if it is declared."
    number = part["part_number"]
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MAX_PARTS:
        return f"A part_number is a whole number from 1 to {MAX_PARTS}."
    if "checksum" in part and not is_digest(PARTS_ALGORITHM, part["checksum"]):
        return f"A checksum is the {PARTS_ALGORITHM} of the part, 8 octets in base64."
    return None
