"""Uploads that are asked for with an Idempotency-Key, perhaps again, perhaps with another body."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.proof import model
from tests.proof.operations.calls import call
from tests.proof.vocabulary import Op, Upload
from tests.proof.world import World


def request(world: World, op: Op) -> None:
    """The same key has the same upload as long as its URL lives, whatever else happens, and another body none.

    Where uploads are closed the key is the caller's own, however short: another's is another key.
    """
    given, declared = f"{op.files[0]:0{1 if world.closed else 32}}", op.variant & 1 == 0
    key = f"{world.key_of(op)} {given}" if world.closed else given
    body: dict[str, Any] = {"name": "a.txt", **({"type": "text/plain"} if declared else {"meta": {}})}
    since = world.truth.moment
    world.requests[key] += 1
    reply = call(world, op, "upload", body=body, headers={"Idempotency-Key": given})
    if reply is None or reply.status not in (200, 409):
        return
    made = [upload for upload in world.uploads if upload.key == key]
    if reply.status == 409:
        world.require(world.requests[key] > 1, "I7: a key came before that never did")
        goes_on = [each for each in made if each.declared is declared and world.clock() < each.url_expires_at]
        is_disturbed = op.fault or not world.alone or any(world.is_deleted(each) for each in goes_on)
        world.require(is_disturbed or not goes_on, "I7: the same key and body were refused")
        return
    file_id, token = reply.body["id"], reply.body["token"]
    for upload in world.uploads:
        is_another = upload.id != file_id and upload.token != token
        world.require(upload.key == key or is_another, "two keys have one upload, or one token")
    world.require(world.truth.was(file_id, set(model.State) - {model.NONE}, since), "I7: a URL without a record")
    item = world.memory.items.get(file_id)
    if item is None:
        return
    life = int(parse_qs(urlsplit(reply.body["url"]).query)["X-Amz-Expires"][0])
    ends = int(item["url_expires_at"]["N"])
    world.require(world.clock() + life < ends + 1, "a URL outlives the time that the sweep reckons with")
    for upload in made:
        if upload.url_expires_at == ends:
            world.require((upload.id, upload.token) == (file_id, token), "the same key has another upload")
            world.require(upload.declared is declared, "another body has the upload of the first")
            return
        world.require(world.clock() >= upload.url_expires_at, "the same key has two uploads at once")
        # Its record is gone, and a new one has its id.
        world.uploads.remove(upload)
    (world.undeclared.discard if declared else world.undeclared.add)(file_id)
    world.uploads.append(Upload(file_id, token, ends, key=key, declared=declared))
