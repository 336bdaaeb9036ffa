"""The life of a file, as it should be: the reference that every schedule is held against.

A file has one of these states. An operation may change it as ``MAY`` says, and in no other way; an answer may only say
what was so at some moment of the call (``SAYS``); and when everything has come to rest, ``at_rest`` holds.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """Where a file is in its life."""

    NONE = "none"
    PENDING = "pending"
    UPLOADED = "uploaded"
    STORED = "stored"
    DELETED = "deleted"
    EXPIRED = "expired"


NONE, PENDING, UPLOADED, STORED, DELETED, EXPIRED = State

MAY: dict[str, set[tuple[State, State]]] = {
    "upload": {(NONE, PENDING)},
    # The lease alone.
    "sign": {(PENDING, PENDING)},
    "parts": set(),
    # The last two are a checksum that S3's event did not tell.
    "complete": {(PENDING, UPLOADED), (PENDING, DELETED), (UPLOADED, UPLOADED), (STORED, STORED)},
    "uploaded": {(PENDING, UPLOADED)},
    "store": {(PENDING, STORED), (UPLOADED, STORED)},
    "info": set(),
    "list": set(),
    "content": set(),
    "update": {(PENDING, PENDING), (UPLOADED, UPLOADED), (STORED, STORED)},
    "delete": {(PENDING, DELETED), (UPLOADED, DELETED), (STORED, DELETED)},
    "undo": {(PENDING, DELETED), (UPLOADED, DELETED)},
    "sweep": {
        (PENDING, NONE),
        (PENDING, UPLOADED),
        # To be kept until its objects are gone, or no upload can be on its way any more.
        (PENDING, PENDING),
        (UPLOADED, EXPIRED),
        # In parts, and nobody goes on with it.
        (PENDING, EXPIRED),
        # To live on to the end of its lifetime.
        (UPLOADED, UPLOADED),
        # Through with it, or to be looked at once more.
        (DELETED, DELETED),
        (EXPIRED, EXPIRED),
    },
    "ttl": {(PENDING, NONE), (DELETED, NONE), (EXPIRED, NONE)},
}
MAY_WHERE_STORED_ON_LOAD = MAY | {
    "uploaded": {(PENDING, STORED)},
    "complete": {(PENDING, STORED), (PENDING, DELETED), (STORED, STORED)},
    "store": set(),
    "undo": MAY["undo"] | {(STORED, DELETED)},
    "sweep": MAY["sweep"] - {(PENDING, UPLOADED)} | {(PENDING, STORED)},
}

SAYS: dict[str, set[State]] = {
    "unknown": {NONE},
    "not_uploaded": {PENDING},
    "not_stored": {UPLOADED},
    "deleted": {DELETED},
    "expired": {EXPIRED},
}
"""The problems of the API, and the states in which each is the truth."""

SAYS_WHERE_DELETED_ARE_SHOWN = SAYS | {"deleted": set(), "expired": set()}
"""With ``?deleted=yes`` no file is left out for having been deleted."""

ONCE = ("created_at", "token_hash", "url_expires_at", "uploaded_at", "version_id", "etag", "stored_at", "deleted_at",
        "list_shard", "list_place", "owner")  # fmt: skip
"""Set at most once."""

OF_BACK_ENDS = ("name", "meta")
"""What back ends may change, and nobody else; they change nothing beside it."""

WEEK = 7 * 24 * 3600
"""TTL is what is left where no sweep runs for so long."""

Item = Mapping[str, Any]


def state(item: Item | None) -> State:
    """What a record says."""
    if item is None:
        return NONE
    if "deleted_at" in item:
        return EXPIRED if item["deletion"]["S"] == "expired" else DELETED
    return STORED if "stored_at" in item else UPLOADED if "uploaded_at" in item else PENDING


def uploaded_at(item: Item) -> float:
    """When the upload was recorded, in seconds since the epoch."""
    return datetime.fromisoformat(item["uploaded_at"]["S"]).timestamp()


def wrong_changes(
    operation: str, before: Item | None, after: Item | None, *, on_load: bool, now: float, lifetime: int, margin: int
) -> Iterable[str]:
    """What is wrong with this change of a record."""
    change = (state(before), state(after))
    if change not in (MAY_WHERE_STORED_ON_LOAD if on_load else MAY)[operation]:
        yield f"{operation} made {change[0]} {change[1]}"
    if after is not None and "purge_at" in after and change[1] is not PENDING and not _is_finished(after):
        yield f"{operation} has TTL drop what is {change[1]}"
    if before is None:
        return
    url_expires_at = int(before["url_expires_at"]["N"])
    is_over = now >= url_expires_at + margin
    if operation == "sweep" and change == (PENDING, NONE) and not is_over:
        yield "a pending record was removed while its upload may be on its way"
    if operation == "ttl" and change == (PENDING, NONE) and now < url_expires_at + margin + WEEK:
        yield "TTL dropped a pending record before the sweep had its time"
    if after is not None and not _is_finished(before) and _is_finished(after) and not is_over:
        yield "a deleted file left the sweep while another upload may be on its way"
    if operation == "sweep" and change == (UPLOADED, EXPIRED):
        lived = now - uploaded_at(before)
        if lived < lifetime - 1:
            yield f"an upload expired after {lived} of {lifetime} seconds"
    if operation == "undo" and change == (STORED, DELETED) and now >= url_expires_at:
        yield "a stored file was undone after its token had expired"
    yield from _wrong_words(operation, before, after or before)
    yield from _wrong_changes_in_parts(operation, before, after, change, is_over=is_over)
    once = [name for name in ONCE if (operation, name) != ("sign", "url_expires_at")]
    changed = [name for name in once if after is not None and name in before and after.get(name) != before[name]]
    if changed:
        yield f"{operation} changed {', '.join(changed)}"
    if after is not None and change[1] in (UPLOADED, STORED) and after.get("version_id", {"S": "null"})["S"] == "null":
        yield f"{operation} pinned no version"


def _wrong_changes_in_parts(
    operation: str, before: Item, after: Item | None, change: tuple[State, State], *, is_over: bool
) -> Iterable[str]:
    """What is wrong with this change, as far as it is about an upload in parts."""
    in_parts = "upload_id" in before
    if operation == "sign" and after is not None:
        if int(after["url_expires_at"]["N"]) < int(before["url_expires_at"]["N"]):
            yield "a lease was shortened"
        if {name for name in after if after[name] != before.get(name)} > {"url_expires_at", "sweep_at"}:
            yield "to sign parts changed more than the lease"
    if operation in ("sign", "complete") and not in_parts:
        yield f"{operation} changed an upload that is one PUT"
    if operation == "sweep" and change == (PENDING, EXPIRED) and not (in_parts and is_over):
        yield "an upload in parts was given up while somebody may go on with it"
    if operation == "sweep" and change == (PENDING, NONE) and in_parts:
        yield "the record of an upload in parts was dropped before its parts"
    if after is not None and "checksum" in before and after.get("checksum") != before["checksum"]:
        yield f"{operation} changed a checksum"


def is_in_its_place(item: Item, *, isolated: bool) -> bool:
    """Whether a file is where it has to be in the list: there for good once it is stored, and never before.

    Where keys have files of their own, in the list of one of them, and otherwise in the one list that there is.
    """
    place = {name: item[name]["S"] for name in ("list_shard", "list_place", "owner") if name in item}
    if "stored_at" not in item:
        return place == {}
    file_id = item["id"]["S"]
    expected = {"list_shard": file_id[0], "list_place": f"{item['stored_at']['S']}#{file_id}"}
    owner = place.get("owner", "")
    return (owner != "") is isolated and place == expected | (
        {"list_shard": f"{owner}#{file_id[0]}", "owner": owner} if isolated else {}
    )


def seen_by(key: str | None, at: State, owner: str | None) -> State:
    """What a file is to a back end with this key: another's is none. None is whoever knows of all."""
    return at if key is None or owner in (None, key) else NONE


def owner_of(item: Item | None) -> str | None:
    """The key that has stored a file."""
    return item["owner"]["S"] if item and "owner" in item else None


def type_of(sent: str, by_name: str) -> str:
    """The type of an upload that declared none."""
    says_nothing = {"binary/octet-stream", "application/octet-stream", "application/x-www-form-urlencoded"}
    return by_name if sent in says_nothing or "/" not in sent else sent


def _wrong_words(operation: str, before: Item, after: Item) -> Iterable[str]:
    differing = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if differing and (operation == "update") is not (differing <= set(OF_BACK_ENDS)):
        yield f"{operation} changed {', '.join(sorted(differing))}"


def says(item: Item, given: Mapping[str, Any]) -> bool:
    """Whether a record has this name and this meta, as far as they are given."""
    meta = {key: value["S"] for key, value in item.get("meta", {"M": {}})["M"].items()}
    return all({"name": item["name"]["S"], "meta": meta}[key] == value for key, value in given.items())


def cannot_script(media_type: str) -> bool:
    """Whether a browser that shows what has this type runs no script of it."""
    *_, last = media_type.split(",")
    essence = last.split(";")[0].strip().lower()
    plain = essence in ("application/pdf", "text/plain") or essence.split("/")[0] in ("image", "audio", "video")
    return plain and "svg" not in essence and not essence.endswith("xml")


def _is_finished(item: Item) -> bool:
    """Whether nothing is left to be done for a deleted file."""
    return state(item) in (DELETED, EXPIRED) and "sweep_at" not in item


def leaves_the_sweep(before: Item | None, after: Item | None) -> bool:
    """Whether a deleted file is taken for gone with this change."""
    return before is not None and after is not None and not _is_finished(before) and _is_finished(after)


def may_be_destroyed(item: Item | None, version_id: str, *, is_too_large: bool, is_over: bool) -> bool:
    """Whether the truth, as it is at this moment, allows that an object version is deleted."""
    match state(item):
        case State.NONE:
            return is_over
        case State.PENDING:
            return is_too_large or (is_over and version_id == "null")
        case State.DELETED | State.EXPIRED:
            return True
    assert item
    return bool(item["version_id"]["S"] != version_id)


def at_rest(items: Mapping[str, Item], versions: set[tuple[str, str]], uploads: Iterable[str]) -> Iterable[str]:
    """What is wrong once every event is handled, every lifetime over and the sweep has run."""
    for key in uploads:
        yield f"I14: S3 has parts of {key}, or waits for some"
    for file_id, item in items.items():
        if state(item) in (PENDING, UPLOADED):
            yield f"I5: {file_id} is still {state(item)}"
        if "sweep_at" in item or "sweep_shard" in item:
            yield f"I6: {file_id}, {state(item)}, is still in the sweep"
    files = {(file_id, item["version_id"]["S"]) for file_id, item in items.items() if state(item) is STORED}
    # Nothing tells of an overwrite that came without a version, but its message among the dead letters.
    beside = {(file_id, "null") for file_id, _ in files}
    for version in sorted(versions - files - beside):
        yield f"I4: {version} belongs to no file"
    for version in sorted(files - versions):
        yield f"I2: {version} of a stored file is gone"
