"""What back ends do: store, describe and delete files."""

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from tests.proof import model
from tests.proof.operations.calls import batch, call, require_truth
from tests.proof.settings import MAX_FILE_SIZE
from tests.proof.vocabulary import Op
from tests.proof.world import World


def store(world: World, op: Op) -> None:
    since = world.truth.moment
    there = _uploaded(world)
    answer = batch(world, op, "store", {})
    if answer is None:
        return
    _, result, problems = answer
    # What a delete beside it has removed by now need not have been found.
    for file_id in there & _uploaded(world):
        world.require(problems.get(file_id) != "not_uploaded", f"I7: store did not look for {file_id}")
    world.require("not_stored" not in problems.values(), "I7: store said that what it may store is not stored")
    for file_id in result:
        world.require(
            world.truth.was(file_id, {model.STORED}, since, world.key_of(op)), f"I7: store said {file_id} is stored"
        )
        world.kept.add(file_id)
    require_truth(world, op, problems, since)


def _uploaded(world: World) -> set[str]:
    """Files of which the bucket has an upload that is not too large."""
    return {
        file_id
        for file_id, versions in world.memory.objects.items()
        if any(len(version.body) <= MAX_FILE_SIZE and version.id != "null" for version in versions)
    }


def info(world: World, op: Op) -> None:
    key, since = world.key_of(op), world.truth.moment
    flags = {"deleted": "yes"} if op.variant & 2 else {}
    flags |= {"nonstored": "yes"} if op.variant & 4 else {}
    answer = batch(world, op, "info", flags)
    if answer is None:
        return
    _, result, problems = answer
    shown = {model.STORED} | ({model.DELETED, model.EXPIRED} if "deleted" in flags else set())
    shown |= {model.PENDING, model.UPLOADED} if "nonstored" in flags else set()
    for details in result:
        file_id = details["id"]
        world.require(world.truth.was(file_id, shown, since, key), f"I11: info showed {file_id}")
        if "url" in details:
            world.require(world.truth.was(file_id, {model.STORED}, since, key), f"I11: a URL for {file_id}")
            download(world, file_id, details["url"])
        else:
            world.require(world.truth.was(file_id, shown - {model.STORED}, since, key), f"I7: no URL for {file_id}")
    says = model.SAYS_WHERE_DELETED_ARE_SHOWN if "deleted" in flags else model.SAYS
    require_truth(world, op, problems, since, says)


def content(world: World, op: Op) -> None:
    """A back end is led to the contents of one file, to be shown perhaps."""
    file_id, since = world.id_of(op.files[0]), world.truth.moment
    query = {"disposition": "inline"} if op.variant & 1 else None
    reply = call(world, op, "content", file_id=file_id, query=query)
    if reply is None:
        return
    truth = {
        302: {model.STORED},
        404: {model.NONE, model.DELETED, model.EXPIRED},
        409: {model.PENDING, model.UPLOADED},
    }
    if reply.status in truth:
        world.require(
            world.truth.was(file_id, truth[reply.status], since, world.key_of(op)),
            f"I7: content answered {reply.status}",
        )
    if reply.status == 302:
        url = reply.headers["Location"]
        download(world, file_id, url)
        said = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
        is_shown = said["response-content-disposition"].startswith("inline")
        scripts = not model.cannot_script(said["response-content-type"])
        world.require(not (is_shown and scripts), f"a browser shows {said['response-content-type']}")
        world.require(op.variant & 1 or not is_shown, "I7: a browser shows what it was to save")


def update(world: World, op: Op) -> None:
    """A back end gives a file another name, other meta, or both."""
    file_id, since = world.id_of(op.files[0]), world.truth.moment
    name, meta = f"{op.variant} {since}.pdf", {"since": str(since)}
    choices: list[dict[str, Any]] = [{"name": name}, {"meta": meta}, {"name": name, "meta": meta}, {"meta": {}}]
    given = choices[op.variant % 4]
    before = world.memory.items.get(file_id, {})
    reply = call(world, op, "update", body=given, file_id=file_id)
    if reply is None:
        return
    truth = {
        200: {model.PENDING, model.UPLOADED, model.STORED},
        404: {model.NONE},
        409: {model.DELETED, model.EXPIRED},
    }
    if reply.status in truth:
        world.require(
            world.truth.was(file_id, truth[reply.status], since, world.key_of(op)),
            f"I7: update answered {reply.status}",
        )
    if reply.status != 200:
        return
    if world.alone:
        item = world.memory.items[file_id]
        world.require(model.says(item, given), "I7: update changed nothing")
        world.require(given.items() <= reply.body.items(), "I7: update shows what was before")
        kept = all(item.get(key) == before.get(key) for key in model.OF_BACK_ENDS if key not in given)
        world.require(kept, "I7: update changed what it was not given")
    if "url" in reply.body:
        download(world, file_id, reply.body["url"])
        saved = parse_qs(urlsplit(reply.body["url"]).query)["response-content-disposition"][0]
        world.require(quote(reply.body["name"]) in saved, "I7: a download has the name of before")


def download(world: World, file_id: str, url: str) -> None:
    """The bytes are there, and are those that they were before."""
    query = parse_qs(urlsplit(url).query)
    versions = world.memory.objects.get(file_id, [])
    version = query.get("versionId", [versions[-1].id if versions else ""])[0]
    body = world.memory.read(file_id, version)
    if file_id in world.doomed:
        return
    world.require(body is not None, f"I2: {file_id} cannot be downloaded")
    world.require(world.seen.setdefault(file_id, body or b"") == body, f"I1: {file_id} has other bytes than before")


def delete(world: World, op: Op) -> None:
    since = world.truth.moment
    # Another's file is another's for good.
    ids = {world.id_of(number) for number in op.files}
    foreign = {each for each in ids if model.owner_of(world.memory.items.get(each)) not in (None, world.key_of(op))}
    world.doomed.update(ids - (foreign if world.isolated else set()))
    answer = batch(world, op, "delete", {})
    if answer is None:
        return
    _, result, problems = answer
    for file_id in result:
        world.require(
            model.state(world.memory.items.get(file_id)) in (model.DELETED, model.EXPIRED),
            f"I7: delete said {file_id} is deleted",
        )
        world.require(
            not world.truth.was(file_id, {model.NONE}, world.truth.moment, world.key_of(op)),
            f"I16: delete told of {file_id}, which is another's",
        )
    require_truth(world, op, problems, since)
