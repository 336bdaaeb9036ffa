"""From states to conditions: the only place that says how a record tells its state.

``File.state`` reads a whole record; a statement has DynamoDB decide, at the moment of the write.
"""

from collections.abc import Mapping

from filestore.domain import lifecycle
from filestore.domain.lifecycle import State

_CONDITIONS: Mapping[frozenset[State], str] = {
    lifecycle.PENDING: '"uploaded_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.UPLOADED: '"uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.UNSTORED: '"stored_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.LIVE: '"deleted_at" IS MISSING',
    lifecycle.OVER: '"deleted_at" IS NOT MISSING',
}


def where(states: frozenset[State], *guards: str) -> str:
    """Returns the WHERE of a PartiQL statement on one file: its id (a parameter), its state, and what else has to hold.

    Raises KeyError for states that no statement has asked for so far: add their condition to the table.
    """
    return " AND ".join(('WHERE "id"=?', _CONDITIONS[states], *guards))
