"""What is written when a file is pinned to the object version that came first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from filestore.storage.conditions import Condition

if TYPE_CHECKING:
    from collections.abc import Mapping

    from filestore.domain.file import ObjectVersion, Receipt

# No record is without created_at, so this refuses, and brings the record.
_NEVER = Condition('"created_at" IS MISSING')
_TYPE_IS_KNOWN = Condition('"type_from" IS MISSING')


class Pin(NamedTuple):
    """Changes of a record, the values that their question marks stand for, and on what condition."""

    changes: str
    values: tuple[object, ...]
    guards: tuple[Condition, ...]


def pin(
    upload: ObjectVersion,
    *,
    at: str,
    max_size: int,
    types: Mapping[str, str | None],
    receipt: Receipt | None,
    more: str,
    values: tuple[object, ...],
    removes: str,
) -> Pin:
    """Returns what pins a file to ``upload``: version, type and checksum in one write, so none changes under a reader.

    ``more`` sets further attributes to ``values``, ``removes`` takes some away.
    """
    told = types.get(upload.key)
    set_type, typed = (' SET "type"=?', (told,)) if told else ("", ())
    set_receipt, received = receiving(receipt) if receipt else ("", ())
    forget, declared = (' REMOVE "type_from"', ()) if upload.key in types else ("", (_TYPE_IS_KNOWN,))
    return Pin(
        'SET "uploaded_at"=? SET "size"=? SET "version_id"=? SET "etag"=?'
        f'{more}{set_type}{set_receipt}{removes} REMOVE "purge_at"{forget}',
        (at, upload.size, upload.version_id, upload.etag, *values, *typed, *received),
        (*(() if upload.size <= max_size else (_NEVER,)), *declared),
    )


def receiving(receipt: Receipt) -> tuple[str, tuple[object, ...]]:
    """Returns what to set for a receipt, and the values."""
    if receipt.source is None:
        return ' SET "checksum"=?', (receipt.checksum,)
    return ' SET "checksum"=? SET "checksum_from"=?', (receipt.checksum, receipt.source)
