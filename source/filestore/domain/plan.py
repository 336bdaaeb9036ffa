"""How a large file is cut into parts: one pure function, with every limit of S3 that it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from filestore.domain.file import File

MIB = 2**20

MAX_SINGLE = 5 * 2**30
"""Bytes that one PUT may bring: 5 GiB (Amazon S3 user guide, Uploading objects)."""

MAX_SIZE = 53_687_091_200_000
"""Bytes of the largest object: 10,000 parts of 5 GiB (Amazon S3 user guide, Multipart upload limits)."""

MAX_PARTS = 10_000
"""Parts of one upload, numbered from 1 (the same page)."""

PARTS_ALGORITHM: Final = "CRC64NVME"
"""The one checksum that S3 has of the whole where contents come in parts."""

# Large enough that requests cost little beside the bytes, small enough to be sent again on a poor line.
_USUAL_PART_SIZE = 16 * MIB


class Plan(NamedTuple):
    """The parts of a file of ``size`` bytes: all have ``part_size`` bytes, but the last, which has what is left."""

    size: int
    part_size: int

    @property
    def part_count(self) -> int:
        """How many parts there are: at least one, which of an empty file is empty."""
        return max(1, -(-self.size // self.part_size))

    def size_of(self, number: int) -> int:
        """Returns the bytes of a part by its number, from 1 to ``part_count``."""
        return self.part_size if number < self.part_count else self.size - (self.part_count - 1) * self.part_size


def plan(size: int) -> Plan:
    """Returns the parts of a file of ``size`` bytes, 0 to MAX_SIZE.

    A part has 16 MiB, or where that would make more than MAX_PARTS the fewest whole MiB that do not. S3's limits
    (Amazon S3 user guide, Multipart upload limits): 1 to 10,000 parts; 5 MiB to 5 GiB each, the last may be smaller,
    and empty if it is the only one; 53,687,091,200,000 bytes in all.
    """
    if not 0 <= size <= MAX_SIZE:
        raise ValueError(f"{size} bytes: S3 takes 0 to {MAX_SIZE}")
    fewest = -(-size // MAX_PARTS)
    return Plan(size, max(_USUAL_PART_SIZE, -(-fewest // MIB) * MIB))


def plan_of(file: File) -> Plan:
    """Returns the parts of a file that comes in parts, as its record has them: they stay as they were planned."""
    return Plan(file.size or 0, file.part_size or 1)
