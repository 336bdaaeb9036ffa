"""Whose files a back end's request is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filestore import wiring

if TYPE_CHECKING:
    from filestore.api.request import Request


def owner(request: Request) -> str | None:
    """Returns the id of the caller's key, which owns what it stores; None where all keys share all files.

    Raises NoKeyError where each key has its own and none is told: that is nobody's, never everybody's.
    """
    return request.key_id() if wiring.settings().key_isolation else None
