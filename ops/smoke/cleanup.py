"""What a run has made, and how it goes again, whatever happens."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from requests import RequestException

from ops.errors import OperatorError


class _Step(NamedTuple):
    what: str
    undo: Callable[[], None]


class Cleanup:
    """Steps that undo, the last one first. A step is noted before the thing is made, so it has to bear that it is not.

    ``left`` says afterwards what could not be undone, in words.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.left: list[str] = []
        self._say = say
        self._steps: list[_Step] = []

    def note(self, what: str, undo: Callable[[], None]) -> None:
        """Have this undone in the end; ``what`` is the thing's name for an operator who has to do it."""
        self._steps.append(_Step(what, undo))

    def run(self) -> None:
        """Undo everything. One Ctrl-C more gives up, and says what is left."""
        while self._steps:
            step = self._steps.pop()
            try:
                step.undo()
            except KeyboardInterrupt:
                self.left += [step.what, *(other.what for other in reversed(self._steps))]
                self._steps.clear()
            except (BotoCoreError, ClientError, OperatorError, RequestException, LookupError, ValueError) as error:
                self._say(f"{step.what}: {' '.join(str(error).split())}")
                self.left.append(step.what)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM (of a CI job) and SIGHUP (of a closed terminal) end a run like Ctrl-C does."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
