"""A stack for what goes wrong, whose bucket and table agree after each test."""

from collections.abc import Callable, Iterator

import pytest

from tests.integration.faults.traffic import audit, hurry
from tests.stack import Stack


@pytest.fixture(scope="session")
def stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of these tests' own."""
    stack = start_stack()
    hurry(stack)
    return stack


@pytest.fixture(autouse=True)
def bucket_and_table_agree(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test every object version belongs to a file, and every file has its own."""
    yield
    if "stack" in request.fixturenames:
        assert audit(request.getfixturevalue("stack")) == []
