"""Time, as records and answers write it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], float]
"""Returns the time in seconds since the epoch, like ``time.time``."""


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds, so that timestamps sort as text."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(timestamp: str) -> float:
    """Returns the time that a timestamp says, in seconds since the epoch."""
    return datetime.fromisoformat(timestamp).timestamp()
