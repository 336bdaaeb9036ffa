"""Clients at work while the emulator is killed under them, and what they may rely on afterwards."""

import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from ops.audit import WRONG, Audit
from ops.target import Target
from tests.stack import Stack, eventually

CLIENTS = 2
PAGE = 100


@dataclass
class Sent:
    """One file: what was asked for, and what of that was acknowledged."""

    contents: bytes
    asked: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)


class Load:
    """Clients that upload, store and delete. Files that were never acknowledged to anybody are in nobody's books."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._seed = seed
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self.files: dict[str, Sent] = {}
        self.recent: set[str] = set()

    def start(self) -> None:
        self._stopping.clear()
        self.recent = set()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, count: int) -> None:
        """Go on until so much more was acknowledged."""
        count += self.acknowledgements()
        eventually(lambda: self.acknowledgements() >= count)

    def acknowledgements(self) -> int:
        return sum(len(sent.acknowledged) for sent in list(self.files.values()))

    def _work(self, number: int) -> None:
        dice = random.Random(f"{self._seed} {number} {time.monotonic_ns()}")
        try:
            while not self._stopping.is_set():
                self._file(dice)
        except requests.RequestException:
            # It was killed.
            return

    def _file(self, dice: random.Random) -> None:
        upload = self._stack.post_file({"name": "a.bin"})
        if upload.status_code != 200:
            return
        ticket: dict[str, Any] = upload.json()
        sent = self.files[ticket["id"]] = Sent(dice.randbytes(dice.choice([0, 1, 700, 70_000])))
        self.recent.add(ticket["id"])
        sent.asked.add("upload")
        if requests.put(ticket["url"], data=sent.contents, timeout=60).status_code != 200:
            return
        sent.acknowledged.add("upload")
        for wish, method in (("store", "PUT"), ("delete", "DELETE")):
            if dice.random() < 0.3:
                return
            sent.asked.add(wish)
            reply = self._stack.files(method, [ticket["id"]])
            if reply.status_code != 200 or reply.json() != [ticket["id"]]:
                return
            sent.acknowledged.add(wish)

    # ------------------------------------------------------------ afterwards

    def losses(self, ids: set[str]) -> list[str]:
        """What of these files is not as it was acknowledged. Uploads that nobody asked to store are stored to see."""
        wrong = []
        ordered = sorted(ids)
        for start in range(0, len(ordered), PAGE):
            page = ordered[start : start + PAGE]
            waiting = [each for each in page if "store" not in self.files[each].asked]
            waiting = [each for each in waiting if "upload" in self.files[each].acknowledged]
            kept = set(self._stack.files("PUT", waiting).json()) if waiting else set()
            for each in waiting:
                self.files[each].asked.add("store")
                if each in kept:
                    self.files[each].acknowledged.add("store")
                else:
                    wrong.append(f"{each} was uploaded and cannot be stored")
            found = {file["id"]: file for file in self._stack.files("POST", page, "?nonstored=yes&deleted=yes").json()}
            wrong.extend(filter(None, (self._wrong(each, found.get(each)) for each in page)))
        return wrong

    def _wrong(self, file_id: str, found: dict[str, Any] | None) -> str | None:
        sent = self.files[file_id]
        if "delete" in sent.acknowledged:
            return None if found and "deleted_at" in found else f"{file_id} was deleted and is back"
        if "store" not in sent.acknowledged or "delete" in sent.asked:
            return None
        if not found or "stored_at" not in found or "deleted_at" in found:
            return f"{file_id} was stored and is lost"
        if requests.get(found["url"], timeout=60).content != sent.contents:
            return f"{file_id} was stored and has other bytes"
        return None

    def audit(self) -> None:
        """Records and objects agree, at the latest when S3's events have been handled."""
        target = Target(self._stack.outputs, self._stack.client)
        eventually(lambda: not {finding.kind for finding in Audit(target).run()} & WRONG)
