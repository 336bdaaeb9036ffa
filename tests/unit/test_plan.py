"""How files are cut into parts, over all sizes that S3 takes."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filestore.domain.plan import plan

MIB = 1024 * 1024
LARGEST = 53_687_091_200_000
# Where the number or the size of the parts changes, and beside it.
_EDGES = [
    edge + beside
    for edge in (16 * MIB, 10_000 * 16 * MIB, 10_000 * 17 * MIB, 5 * 1024 * MIB, 100 * MIB, LARGEST // 2)
    for beside in (-1, 0, 1)
]
sizes = st.integers(0, LARGEST) | st.sampled_from(_EDGES) | st.integers(0, 200 * MIB)


@settings(deadline=None)
@given(sizes)
@example(0)
@example(LARGEST)
def test_keeps_every_limit_of_s3(size: int) -> None:
    """1 to 10,000 parts, 5 MiB to 5 GiB each but the last, which may be smaller."""
    planned = plan(size)
    assert 1 <= planned.part_count <= 10_000
    assert 5 * MIB <= planned.part_size <= 5 * 1024 * MIB
    assert 0 <= planned.size_of(planned.part_count) <= planned.part_size


@settings(deadline=None)
@given(sizes)
@example(LARGEST)
def test_the_parts_are_the_file(size: int) -> None:
    """No byte is in two parts, none is in no part."""
    planned = plan(size)
    numbers = range(1, planned.part_count + 1)
    assert sum(planned.size_of(number) for number in numbers) == size
    assert {planned.size_of(number) for number in numbers[:-1]} <= {planned.part_size}
    assert planned.size_of(planned.part_count) > 0 or size == 0


@settings(deadline=None)
@given(sizes)
@example(LARGEST)
def test_a_part_is_no_larger_than_it_has_to_be(size: int) -> None:
    """What breaks off has to be sent again, so parts grow only where 10,000 of them would not do."""
    planned = plan(size)
    assert planned.part_size % MIB == 0
    assert planned.part_size == 16 * MIB or (planned.part_size - MIB) * 10_000 < size


@given(st.tuples(sizes, sizes).map(sorted))
def test_a_larger_file_has_no_smaller_parts(two: list[int]) -> None:
    """A client that knows the part size of one file may rely on it for a smaller one's memory."""
    smaller, larger = two
    assert plan(smaller).part_size <= plan(larger).part_size


@pytest.mark.parametrize(
    ("size", "part_size", "part_count"),
    [
        (0, 16 * MIB, 1),
        (1, 16 * MIB, 1),
        (16 * MIB, 16 * MIB, 1),
        (16 * MIB + 1, 16 * MIB, 2),
        (1024 * MIB, 16 * MIB, 64),
        (10_000 * 16 * MIB, 16 * MIB, 10_000),
        (10_000 * 16 * MIB + 1, 17 * MIB, 9_412),
        (200 * 1000**3, 20 * MIB, 9_537),
        (LARGEST, 5 * 1024 * MIB, 10_000),
    ],
)
def test_of_some_sizes(size: int, part_size: int, part_count: int) -> None:
    planned = plan(size)
    assert (planned.part_size, planned.part_count) == (part_size, part_count)


@pytest.mark.parametrize("size", [-1, LARGEST + 1])
def test_what_s3_does_not_take_has_no_plan(size: int) -> None:
    """The request was refused before; this is for whoever calls it by mistake."""
    with pytest.raises(ValueError, match="S3 takes"):
        plan(size)
