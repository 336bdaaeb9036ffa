"""What browsers do with large files: begin, send parts, look which there are, complete."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.proof import model
from tests.proof.multiparts import crc64nvme
from tests.proof.operations.calls import call
from tests.proof.settings import PART_SIZE, SIZE_IN_PARTS, URL_LIFETIME
from tests.proof.vocabulary import Op, Upload
from tests.proof.world import World

# Numbers of the parts that are sent, by variant.
_SENT = ((1, 2, 3), (1,), (2, 3), (3, 1), (1, 2, 3), (1, 2, 3), (1, 2, 3), (1, 2, 3))
_OTHER_BYTES, _WRONG_TOKEN, _SENT_LATER = 4, 5, 6
_WITH_CHECKSUM, _WITH_WRONG_CHECKSUM, _WITH_WRONG_TOKEN = (2, 3, 4), 5, (6, 7)
PARTS = 3
"""Of which an upload has so many, each of so many bytes but the last."""


def contents(upload: Upload) -> bytes:
    """The file that an upload in parts is about."""
    return upload.id.encode().ljust(SIZE_IN_PARTS, b"-")


def begin(world: World, op: Op) -> None:
    reply = call(world, op, "upload", body={"name": "a.txt", "size": SIZE_IN_PARTS, "multipart": True})
    if reply is not None and reply.status == 200:
        file_id = reply.body["id"]
        world.require(model.state(world.memory.items.get(file_id)) is model.PENDING, "I7: a plan without a record")
        world.require(reply.body["part_count"] == PARTS, "another plan than expected")
        world.uploads.append(Upload(file_id, reply.body["token"], int(world.clock()) + URL_LIFETIME, in_parts=True))


def send(world: World, op: Op) -> None:
    """Sign some parts and send them, at once or when the next are signed."""
    if not world.uploads:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    wrong = op.variant % 8 == _WRONG_TOKEN
    body = contents(upload).upper() if op.variant % 8 == _OTHER_BYTES else contents(upload)
    size = PART_SIZE if PARTS > 1 else SIZE_IN_PARTS
    pieces = {number: body[(number - 1) * size : number * size] for number in range(1, PARTS + 1)}
    numbers = [number for number in _SENT[op.variant % 8] if number <= PARTS]
    wanted = [{"part_number": number, "checksum": crc64nvme(pieces[number])} for number in numbers or [1]]
    since = world.truth.moment
    reply = call(
        world, op, "sign", body={"parts": wanted}, file_id=upload.id,
        headers={"x-upload-token": _another_token(world, upload) if wrong else upload.token},
    )  # fmt: skip
    if reply is None:
        return
    _require_truth(world, upload, reply, since, may_be_right=not wrong)
    if reply.status != 200:
        return
    world.require(world.truth.was(upload.id, {model.PENDING}, since), "I7: parts were signed of what is not pending")
    upload.url_expires_at = max(upload.url_expires_at, int(world.clock()) + URL_LIFETIME)
    world.require(
        _lease_ends(world, upload) is None or _lease_ends(world, upload) == upload.url_expires_at,
        "I14: whoever has asked for parts has no lease",
    )
    for part in reply.body["parts"]:
        query = parse_qs(urlsplit(part["url"]).query)
        number, upload_id = int(query["partNumber"][0]), query["uploadId"][0]
        upload.on_their_way.append((upload_id, number, pieces[number]))
    if op.variant % 8 != _SENT_LATER:
        for on_its_way in upload.on_their_way:
            goes_on = model.state(world.memory.items.get(upload.id)) is model.PENDING and not _has_object(world, upload)
            world.require(world.memory.send(*on_its_way) or not goes_on, "I14: S3 has dropped what goes on")
        upload.on_their_way.clear()


def _lease_ends(world: World, upload: Upload) -> int | None:
    item = world.memory.items.get(upload.id)
    return int(item["url_expires_at"]["N"]) if item and model.state(item) is model.PENDING else None


def parts(world: World, op: Op) -> None:
    if not world.uploads:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    wrong, since = op.variant % 8 in _WITH_WRONG_TOKEN, world.truth.moment
    token = _another_token(world, upload) if wrong else upload.token
    reply = call(world, op, "parts", file_id=upload.id, headers={"x-upload-token": token})
    if reply is None:
        return
    _require_truth(world, upload, reply, since, may_be_right=not wrong)
    if reply.status == 200 and world.alone:
        told = {part["part_number"] for part in reply.body["parts"]}
        world.require(told == _there(world, upload).keys(), f"I7: told of the parts {told}")


def complete(world: World, op: Op) -> None:
    if not world.uploads:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    wrong, since = op.variant % 8 in _WITH_WRONG_TOKEN, world.truth.moment
    before = model.state(world.memory.items.get(upload.id))
    there = _there(world, upload)
    is_whole = len(there) == PARTS
    is_right = b"".join(there[number] for number in sorted(there)) == contents(upload)
    body = {}
    if op.variant % 8 in _WITH_CHECKSUM:
        body = {"checksum": crc64nvme(contents(upload))}
    elif op.variant % 8 == _WITH_WRONG_CHECKSUM:
        body = {"checksum": crc64nvme(b"others")}
    token = _another_token(world, upload) if wrong else upload.token
    reply = call(world, op, "complete", body=body, file_id=upload.id, headers={"x-upload-token": token})
    if reply is None:
        return
    _require_truth(world, upload, reply, since, may_be_right=not wrong)
    code = "" if reply.status == 200 else reply.body["code"]
    if reply.status == 200:
        done = {model.UPLOADED, model.STORED}
        world.require(world.truth.was(upload.id, done, since), "I7: complete said so of what is not uploaded")
    if code == "parts_missing":
        world.require(not is_whole, "I7: complete misses parts that are there")
    if code == "checksum_mismatch" and not op.fault:
        world.require(world.is_deleted(upload) or not world.alone, "I14: what S3 refuses to put together stays")
    is_others = op.variant % 8 in _WITH_CHECKSUM and is_whole and not is_right
    is_wrong = op.variant % 8 == _WITH_WRONG_CHECKSUM or is_others
    if before is model.PENDING and is_wrong and world.alone and not op.fault:
        world.require(reply.status != 200, "I15: complete takes another checksum than that of the parts")
    agrees = not body or (op.variant % 8 in _WITH_CHECKSUM and is_right)
    if (
        before is model.PENDING
        and upload.in_parts
        and is_whole
        and agrees
        and world.alone
        and not op.fault
        and not wrong
    ):
        world.require(reply.status == 200, f"I2: all parts are there, and complete says {code}")


_TRUE: dict[str, set[model.State]] = {
    "unknown": {model.NONE},
    "already_uploaded": {model.UPLOADED, model.STORED},
    "upload_ended": {model.DELETED, model.EXPIRED},
    "parts_missing": {model.PENDING},
    "checksum_mismatch": {model.PENDING},
}


def _require_truth(world: World, upload: Upload, reply: Any, since: int, *, may_be_right: bool) -> None:
    """A refusal says what was so at some moment of the call; a wrong token opens nothing."""
    world.require(may_be_right or reply.status not in (200, 409), "a token opened another upload")
    code = "" if reply.status == 200 else reply.body["code"]
    world.require((code == "not_in_parts") <= (not upload.in_parts), "I7: what comes in parts is one PUT")
    if code == "already_uploaded" and _has_object(world, upload):
        return
    if code in _TRUE:
        world.require(world.truth.was(upload.id, _TRUE[code], since), f"I7: {code} of {upload.id}")


def _has_object(world: World, upload: Upload) -> bool:
    """S3 has put it together, and nobody has recorded it yet."""
    return upload.id in world.memory.objects


def _there(world: World, upload: Upload) -> dict[int, bytes]:
    for each in world.memory.multiparts.uploads.values():
        if each.key == upload.id and each.parts:
            return dict(each.parts)
    return {}


def _another_token(world: World, upload: Upload) -> str:
    return next((each.token for each in world.uploads if each.id != upload.id), "x")
