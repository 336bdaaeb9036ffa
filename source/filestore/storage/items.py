"""How a file is laid out as an item of the table.

Item, keyed by ``id``: ``name type created_at url_expires_at`` always; ``size meta checksum token_hash`` as declared;
``token_salt`` where there was an Idempotency-Key;
``upload_id part_size`` where it comes in parts; ``checksum_from`` where S3 has computed the checksum;
``type_from`` while nothing is recorded of an upload that declared no type (records of earlier releases have none: their
type stays);
``uploaded_at version_id etag``, ``stored_at``, ``deleted_at deletion`` once they happen; ``sweep_shard sweep_at`` only
while something is still to be done for the file (together they are its place in the sparse index ``due``);
``list_shard list_place`` once it is stored, deleted or not (its place in the sparse index ``listed``), and ``owner``
where each key has files of its own;
``purge_at`` when DynamoDB's TTL may drop the record: not before its objects are gone.
"""

from collections.abc import Mapping
from typing import Any

from filestore.domain.file import Checksum, Deletion, File

# File ids are hexadecimal, so the first digit spreads each index over sixteen partitions.
SHARDS = tuple("0123456789abcdef")

# Changes of an item, in PartiQL.
MARK = 'SET "deleted_at"=? SET "deletion"=?'
LEAVE_THE_SWEEP = 'REMOVE "sweep_shard" REMOVE "sweep_at"'

_FIELDS = frozenset(File._fields)


def to_item(file: File) -> dict[str, Any]:
    """Returns the item of a file; what the file has not, the item has not."""
    item = {name: to_attribute(value) for name, value in zip(File._fields, file, strict=True) if value is not None}
    if file.sweep_at is not None:
        item["sweep_shard"] = {"S": file.id[0]}
    return item


def from_item(item: Mapping[str, Mapping[str, Any]]) -> File:
    """Returns the file of an item. Attributes of a newer release are left out: a rollback has to live with them."""
    values = {name: _from_attribute(attribute) for name, attribute in item.items() if name in _FIELDS}
    if "checksum" in values:
        values["checksum"] = Checksum(**values["checksum"])
    if "deletion" in values:
        values["deletion"] = Deletion(values["deletion"])
    return File(**values)


def list_keys(file_id: str, stored_at: str, owner: str | None = None) -> tuple[str, str]:
    """Returns what a file that is stored has as ``list_shard`` and ``list_place``."""
    return list_shard(file_id[:1], owner), f"{stored_at}#{file_id}"


def list_shard(digit: str, owner: str | None) -> str:
    """Returns one of the sixteen shards of an owner's list; without one, of the list that all share."""
    return digit if owner is None else f"{owner}#{digit}"


def to_attribute(value: object) -> dict[str, Any]:
    """Returns a value with its type, as DynamoDB's API has it. Raises TypeError for a type that no file has."""
    match value:
        case str():
            return {"S": str(value)}
        case int():
            return {"N": str(value)}
        case Checksum():
            return {"M": {"algorithm": {"S": value.algorithm}, "value": {"S": value.value}}}
        case Mapping():
            return {"M": {str(key): to_attribute(member) for key, member in value.items()}}
    raise TypeError(f"no attribute type for {type(value).__name__}")


def _from_attribute(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return value
        case "N":
            return int(value)
        case "M":
            return {key: _from_attribute(member) for key, member in value.items()}
    raise TypeError(f"an attribute of type {kind} is none of ours")
