"""From states to conditions: the only place that says in PartiQL how a record tells its state.

``File.state`` says it of a record that was read; a statement has DynamoDB decide, at the moment of the write.
"""

from collections.abc import Mapping
from typing import NamedTuple

from filestore.domain import lifecycle
from filestore.domain.lifecycle import State

_CONDITIONS: Mapping[frozenset[State], str] = {
    lifecycle.PENDING: '"uploaded_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.UPLOADED: '"uploaded_at" IS NOT MISSING AND "stored_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.UNSTORED: '"stored_at" IS MISSING AND "deleted_at" IS MISSING',
    lifecycle.LIVE: '"deleted_at" IS MISSING',
    lifecycle.OVER: '"deleted_at" IS NOT MISSING',
}


class Condition(NamedTuple):
    """A condition in PartiQL, and the parameters that its question marks stand for, in order."""

    text: str
    parameters: tuple[object, ...] = ()


def where(file_id: str, states: frozenset[State], *guards: Condition, owner: str | None = None) -> Condition:
    """Returns the WHERE of a statement on one file: its id, its state, whose it is, and what else has to hold.

    Without an owner, whose it is does not matter. With one, a file that may be stored has to be theirs; one that is not
    stored is nobody's yet, so where it may be either, it takes a statement for each.

    Raises KeyError for states that no statement has asked for so far: add their condition to the table.
    """
    if owner is not None and not states <= lifecycle.UNSTORED:
        guards = (*guards, Condition('"owner"=?', (owner,)))
    text = " AND ".join(('WHERE "id"=?', _CONDITIONS[states], *(guard.text for guard in guards)))
    return Condition(text, (file_id, *(parameter for guard in guards for parameter in guard.parameters)))
