"""What browsers do: ask for uploads, send their bytes, take them back."""

from typing import Any

from tests.proof import model
from tests.proof.operations.calls import call
from tests.proof.settings import LATE_MARGIN, MAX_FILE_SIZE, URL_LIFETIME
from tests.proof.vocabulary import Message, Op, Upload
from tests.proof.world import World

# Sizes of an upload by its variant; the last two may also come when no upload should be on its way any more.
_SIZES = (0, 0, MAX_FILE_SIZE - 1, MAX_FILE_SIZE, MAX_FILE_SIZE + 1, 2 * MAX_FILE_SIZE, 0, MAX_FILE_SIZE + 1)
_MUCH_TOO_SLOW = (6, 7)
_WITHOUT_A_KEY = 4
# What a browser calls it, by the variant too.
_TYPES = ("image/svg+xml", "", "text/html", "application/octet-stream", "no type", "image/png", "image/webp", "")


def ask(world: World, op: Op) -> None:
    """Some variants come without a key, which only matters where uploads are closed: there they get nothing."""
    declared = op.variant & 1 == 0
    body: dict[str, Any] = {"name": "a.txt", **({"type": "text/plain"} if declared else {"meta": {}})}
    if world.closed and op.variant & _WITHOUT_A_KEY:
        call(world, op, "upload", body=body, key_id="", expected={403})
        return
    reply = call(world, op, "upload", body=body)
    if reply is not None and reply.status == 200:
        file_id = reply.body["id"]
        world.undeclared |= set() if declared else {file_id}
        world.require(model.state(world.memory.items.get(file_id)) is model.PENDING, "I7: a URL without a record")
        world.uploads.append(Upload(file_id, reply.body["token"], int(world.clock()) + URL_LIFETIME))


def put(world: World, op: Op) -> None:
    """A browser uploads, again perhaps. What began in time may end within the margin, what is too slow later."""
    if not world.uploads:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    if upload.in_parts:
        # There is no URL for it.
        return
    too_slow = world.clock() >= upload.url_expires_at + LATE_MARGIN
    if (too_slow and op.variant & 7 not in _MUCH_TOO_SLOW) or (
        upload.event_lost and (too_slow or not world.is_deleted(upload))
    ):
        return
    upload.too_slow = upload.too_slow or too_slow
    body = f"{upload.id} {len(upload.versions)}".encode().ljust(_SIZES[op.variant & 7], b"-")
    # Whoever has declared a type has to send it.
    content_type = _TYPES[op.variant & 7] if upload.id in world.undeclared else "text/plain"
    version = world.memory.put(upload.id, body, content_type)
    upload.versions[version.id] = version.body
    world.queue.append(
        Message({"key": upload.id, "versionId": version.id, "size": len(version.body), "eTag": version.id})
    )


def put_unversioned(world: World, op: Op) -> None:
    """A browser uploads while the bucket's versioning has not reached all of S3."""
    if not world.uploads or not world.memory.may_be_unversioned:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    if not upload.in_parts and world.clock() < upload.url_expires_at + LATE_MARGIN:
        version = world.memory.put_unversioned(upload.id, f"{upload.id} {world.truth.moment}".encode())
        world.queue.append(
            Message({"key": upload.id, "versionId": "null", "size": len(version.body), "eTag": version.id})
        )


def undo(world: World, op: Op) -> None:
    if not world.uploads:
        return
    upload = world.uploads[op.files[0] % len(world.uploads)]
    right, since = op.variant & 3 != 0, world.truth.moment
    if right and world.on_load:
        world.doomed.add(upload.id)
    token = upload.token if right else "x"
    reply = call(world, op, "undo", file_id=upload.id, headers={"x-upload-token": token})
    truth = {
        204: {model.DELETED, model.EXPIRED},
        403: set(model.State) if not right or world.on_load else set(),
        404: {model.NONE},
        409: {model.STORED},
    }
    if reply is not None and reply.status in truth:
        world.require(world.truth.was(upload.id, truth[reply.status], since), f"I7: undo answered {reply.status}")
        world.require(right or reply.status != 204, "undo took a wrong token")
