"""The objects of which S3 has still to send its event. Killed before that, it would never send it."""

import threading
from collections import Counter


class Untold:
    """By path, ``/bucket/key``, from as many threads as there are."""

    def __init__(self) -> None:
        self._paths: Counter[str] = Counter()
        self._counting = threading.Lock()

    def expect(self, path: str) -> None:
        """S3 is about to write one more of it."""
        with self._counting:
            self._paths[path] += 1

    def told(self, path: str) -> None:
        """S3 has sent an event: it is in the queue, and so in the next snapshot."""
        with self._counting:
            self._paths[path] -= 1
            if self._paths[path] <= 0:
                del self._paths[path]

    def paths(self) -> list[str]:
        """What a restart has to have S3 tell of."""
        with self._counting:
            return list(self._paths)
