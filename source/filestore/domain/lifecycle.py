"""The life of a file: its states, and what may change them.

::

    (no record) ──▶ pending ──▶ uploaded ──▶ stored
                       │            │
                       ▼            ▼
                   (no record)   expired

A pending file may become stored at once, one in parts expired, and each of these three deleted.
``filestore.storage.conditions`` has the condition of each state, ``architecture/lifecycle.svg`` the whole picture.
"""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    """Where a file is in its life."""

    PENDING = "pending"
    UPLOADED = "uploaded"
    STORED = "stored"
    DELETED = "deleted"
    EXPIRED = "expired"


PENDING = frozenset({State.PENDING})
UPLOADED = frozenset({State.UPLOADED})
UNSTORED = PENDING | UPLOADED
LIVE = UNSTORED | {State.STORED}
OVER = frozenset({State.DELETED, State.EXPIRED})


class Transition(NamedTuple):
    """A change of state: the states that it may begin in, and the one that it ends in, None for no record at all.

    Each is one conditional write, so that of two that race exactly one wins. Nothing else changes a state. Statements
    take ``before``; what they write makes ``after`` true, which the tests see on the emulator.
    """

    before: frozenset[State]
    after: State | None


RECORD = Transition(PENDING, State.UPLOADED)
RECORD_AND_STORE = Transition(PENDING, State.STORED)
STORE = Transition(UPLOADED, State.STORED)
DELETE = Transition(LIVE, State.DELETED)
UNDO = Transition(UNSTORED, State.DELETED)
# Where files are stored as they arrive, and only until the URL of the upload expires.
UNDO_EVEN_STORED = Transition(LIVE, State.DELETED)
EXPIRE = Transition(UPLOADED, State.EXPIRED)
# An upload in parts that nobody has gone on with: S3 still has what came of it.
ABANDON = Transition(PENDING, State.EXPIRED)
REMOVE_PENDING = Transition(PENDING, None)
