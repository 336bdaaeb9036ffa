"""A large file, as pages send it: in parts."""

from http import HTTPStatus

from ops.smoke.checks import CheckFailed, NotSeen, check, expect
from ops.smoke.multipart import checksum_of
from ops.smoke.session import Smoke, said

# One part of 16 MiB, and what is left (docs/large-files.md).
_PART = 16 * 2**20
_CONTENTS = bytes(range(256)) * (_PART // 256) + b"and a small part"
_LOG = "See the log of {} (docs/monitoring.md, what failed)."


@check(source="swagger.yaml: POST and GET /file/{id}/parts, POST /file/{id}/complete; docs/large-files.md")
def in_parts(smoke: Smoke) -> str:
    """Two parts go up to signed URLs, are told of, and become one file whose checksum S3 verifies; it is deleted."""
    largest = int(smoke.deployment.parameters["MaxFileSize"])
    if largest < len(_CONTENTS):
        raise NotSeen(f"files have up to {largest} bytes here, and two parts have more")
    upload = smoke.begin(size=len(_CONTENTS), type="video/mp4", multipart=True)
    came = (upload.get("part_size"), upload.get("part_count"))
    expect("the plan", came, (_PART, 2), _LOG.format("UploadFunction"))
    path, token = f"/file/{upload['id']}", {"x-upload-token": upload["token"]}
    contents = {1: _CONTENTS[:_PART], 2: _CONTENTS[_PART:]}
    wanted = [{"part_number": number, "checksum": checksum_of(part)} for number, part in contents.items()]
    signed = smoke.call("POST", f"{path}/parts", {"parts": wanted}, headers=token)
    expect("URLs", signed.status_code, HTTPStatus.OK, _LOG.format("SignFunction"))
    for part in signed.json()["parts"]:
        sent = smoke.put({"id": upload["id"], **part}, contents[part["part_number"]])
        if not sent.ok:
            raise CheckFailed(
                expected=f"S3 to take part {part['part_number']}",
                came=said(sent),
                do="SignFunction needs s3:PutObject (and kms:Decrypt).",
            )
    there = smoke.call("GET", f"{path}/parts", headers=token)
    listed = [(part["part_number"], part["size"], part.get("checksum")) for part in there.json().get("parts", [])]
    expected = [(number, len(part), checksum_of(part)) for number, part in contents.items()]
    expect("parts", listed, expected, _LOG.format("PartsFunction"))
    whole = checksum_of(_CONTENTS)
    completed = smoke.call("POST", f"{path}/complete", {"checksum": whole}, headers=token)
    # S3 bills these like PUTs: the upload begun, its parts listed twice, put together.
    smoke.counted["S3 PUT"] += 4
    came = (completed.status_code, completed.json())
    expect("completed", came, (HTTPStatus.OK, {"id": upload["id"]}), _LOG.format("CompleteFunction"))
    smoke.keep(upload["id"])
    details = smoke.details(upload["id"]) or {}
    receipt = {"algorithm": "CRC64NVME", "value": whole, "verified": "declared"}
    expect("checksum", details.get("checksum"), receipt, _LOG.format("CompleteFunction"))
    url = details["url"]
    expect("the bytes as they were sent", smoke.get(url).content == _CONTENTS, True, "Do not go live.")
    expect("ids", smoke.ask("DELETE", [upload["id"]]).json(), [upload["id"]], _LOG.format("DeleteFunction"))
    gone = smoke.get(url).status_code
    expect("gone", gone in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND), True, _LOG.format("DeleteFunction"))
    return "two parts, one file"
