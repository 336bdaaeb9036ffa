"""The writes since a snapshot, as lines of a file: there before they are acknowledged, repeated after a restart.

A line is a checksum and a JSON object: ``write``, ``region`` and ``body`` of a request to DynamoDB, or ``upload``, the
path of an object. ``follows`` is the length of the file before, ``next`` says that there is another: what is cut off is
missed.
"""

import errno
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

Entry = dict[str, Any]

_FILE = re.compile(r"(\d{6})\.writes")


def file_of(aws: Path, number: int) -> Path:
    """Where the writes after the snapshot of this number are."""
    return aws / f"{number:06}.writes"


def newest(aws: Path) -> int:
    """The number of the newest file of writes, -1 where there is none."""
    return max((int(found[1]) for path in aws.iterdir() if (found := _FILE.fullmatch(path.name))), default=-1)


def line(entry: Entry) -> bytes:
    """An acknowledged write as a line of the file of writes."""
    text = json.dumps(entry, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def since(aws: Path, number: int) -> Iterator[Entry | str]:
    """Every write from the snapshot of this number on, in order; where one cannot be read, what is wrong instead."""
    each, last, length = number, max(number, newest(aws)), None
    while each <= last:
        path = file_of(aws, each)
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        entries = [_entry(line) for line in lines]
        told = {key: value for entry in entries if entry for key, value in entry.items() if key in ("follows", "next")}
        if not lines and each > 0:
            yield f"{path} is {'empty' if path.exists() else 'missing'}: the writes in it, if any, are lost"
        if length is not None and length < told.get("follows", 0):
            yield f"{file_of(aws, each - 1)} was cut off: the writes at its end are lost"
        yield from (entry for entry in entries if entry and not entry.keys() & told.keys())
        if None in entries:
            yield f"{path} is damaged: {entries.count(None)} of its {len(lines)} lines are lost"
        last = max(last, told.get("next", 0))
        length = sum(map(len, lines)) if path.exists() else None
        each += 1


def _entry(text: bytes) -> Entry | None:
    checksum, _, rest = text.partition(b" ")
    if not rest.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(rest[:-1]):
        return None
    entry: Entry = json.loads(rest)
    return entry


class Writes:
    """The file that is written to, the first after ``number``. Where it cannot be, ``fail`` is called."""

    def __init__(self, folder: Path, number: int, fail: Callable[[OSError], NoReturn]) -> None:
        self._folder = folder
        self._fail = fail
        self._file = -1
        self._full: list[int] = []
        self.number = max(number, newest(folder))
        self.count = 0

    def append(self, entry: Entry) -> None:
        """Write a line, the whole of it or nothing."""
        text, length = line(entry), os.fstat(self._file).st_size
        try:
            if os.write(self._file, text) != len(text):
                os.ftruncate(self._file, length)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            self._fail(error)
        self.count += 1

    def begin(self, entries: Iterable[Entry]) -> None:
        """Go on in another file, which begins with these."""
        before = file_of(self._folder, self.number)
        self.number += 1
        if self._file >= 0:
            self._full.append(self._file)
        try:
            self._file = os.open(file_of(self._folder, self.number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if before.exists():
                with before.open("ab") as file:
                    file.write(line({"next": self.number}))
        except OSError as error:
            self._fail(error)
        self.append({"follows": before.stat().st_size if before.exists() else 0})
        self.count = 0
        for entry in entries:
            self.append(entry)

    def sync(self) -> None:
        """Have the disk write it down. For one thread at a time."""
        while self._full:
            full = self._full.pop()
            os.fsync(full)
            os.close(full)
        os.fsync(self._file)
