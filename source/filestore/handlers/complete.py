"""POST /file/{id}/complete: all parts are there, make a file of them."""

from filestore import api, wiring
from filestore.api.checksums import is_digest
from filestore.domain.plan import PARTS_ALGORITHM
from filestore.errors import FieldError, InvalidBodyError

wiring.complete_upload()


@api.endpoint
def handler(request: api.Request) -> api.Response:
    """S3 puts the parts together, and takes its time: where that is too long, asking again finds the result."""
    token = request.upload_token()
    file_id = request.path("id")
    size = wiring.complete_upload().complete(file_id, token, _checksum(request))
    recorded = {} if size is None else {"UploadsRecorded": 1, "BytesUploaded": size}
    if size is not None and wiring.settings().store_on_load:
        recorded["FilesStored"] = 1
    return api.ok({"id": file_id}, file_id=file_id, **recorded)


def _checksum(request: api.Request) -> str | None:
    """The CRC64NVME of the whole, if the client knows it."""
    body = request.json() if request.event.get("body") else {}
    if not isinstance(body, dict) or not body.keys() <= {"checksum"}:
        raise InvalidBodyError([FieldError("", "A JSON object is needed, with a checksum or nothing in it.")])
    checksum = body.get("checksum")
    if "checksum" in body and not is_digest(PARTS_ALGORITHM, checksum):
        raise InvalidBodyError(
            [FieldError("/checksum", f"A checksum is the {PARTS_ALGORITHM} of the file, 8 octets in base64.")]
        )
    return checksum
