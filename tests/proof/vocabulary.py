"""What a schedule speaks of: operations, and the uploads and messages that they are about."""

from dataclasses import dataclass, field
from typing import Any

from tests.proof.faults import Fault


class Violation(AssertionError):  # noqa: N818 - the word of the trade
    """An invariant does not hold."""


@dataclass(frozen=True)
class Op:
    """Something that happens. ``files`` are numbers of uploads, in the order in which they were asked for.

    From 8 on a ``variant`` is the same as from 0 on, by another key.
    """

    kind: str
    files: tuple[int, ...] = ()
    fault: Fault | None = None
    variant: int = 0


@dataclass
class Upload:
    """What a browser knows."""

    id: str
    token: str
    url_expires_at: int
    versions: dict[str, bytes] = field(default_factory=dict)
    event_lost: bool = False
    too_slow: bool = False
    key: str = ""
    in_parts: bool = False
    declared: bool = True
    on_their_way: list[tuple[str, int, bytes]] = field(default_factory=list)


@dataclass
class Message:
    """An event of S3 in the queue."""

    upload: dict[str, Any]
    receives: int = 0

    @property
    def has_version(self) -> bool:
        """Without one nothing can be done about it, ever: the bucket and the record tell the rest."""
        return bool(self.upload["versionId"] != "null")
