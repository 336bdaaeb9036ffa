"""Several calls of S3 beside each other."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# The connection pool of a botocore client holds ten.
_CONCURRENT_CALLS = 8

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def at_once(connect: Callable[[], object], ask: Callable[[_Asked], _Answer], wanted: Sequence[_Asked]) -> list[_Answer]:
    """Returns an answer for each, in their order. The client is made first, or each thread would make one."""
    if len(wanted) <= 1:
        return [ask(each) for each in wanted]
    connect()
    with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
        return list(pool.map(ask, wanted))
