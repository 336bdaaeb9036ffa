"""What is so in a stack, and was: every change of a record and every deletion of an object is seen, and judged."""

from collections.abc import Iterator, Sequence, Set

from tests import support
from tests.proof import model
from tests.proof.indexes import Item
from tests.proof.memory import Memory, Version
from tests.proof.multiparts import crc64nvme
from tests.proof.settings import LATE_MARGIN, MAX_FILE_SIZE
from tests.proof.vocabulary import Upload

TTL = "ttl"


class Truth:
    """Hears of what happens in the memory, and holds it against the model.

    ``operation`` is what runs at this moment; DynamoDB's TTL where nothing does.
    """

    def __init__(
        self,
        memory: Memory,
        clock: support.Clock,
        uploads: Sequence[Upload],
        undeclared: Set[str],
        *,
        on_load: bool,
        isolated: bool,
        lifetime: int,
    ) -> None:
        memory.on_write = self._written
        memory.on_delete = self._destroyed
        self._memory = memory
        self._clock = clock
        self._uploads = uploads
        self._undeclared = undeclared
        self._on_load = on_load
        self._isolated = isolated
        self._lifetime = lifetime
        self._history: dict[str, list[tuple[int, model.State, str | None]]] = {}
        self.operation = TTL
        self.issued: set[str] = set()
        self.wrong_change: str | None = None
        self.writes = 0
        self.moment = 0

    def was(self, file_id: str, states: set[model.State], since: int, key: str | None = None) -> bool:
        """Whether the file was in one of these states at some moment since then, to a back end with this key."""
        return any(model.seen_by(key, at, owner) in states for at, owner in self._since(file_id, since))

    def throughout(self, states: set[model.State], since: int, key: str | None = None) -> set[str]:
        """The files that were in these states all the time since then, to a back end with this key."""
        return {
            file_id
            for file_id in self._history
            if all(model.seen_by(key, at, owner) in states for at, owner in self._since(file_id, since))
        }

    def _since(self, file_id: str, since: int) -> list[tuple[model.State, str | None]]:
        """What a file was then, and all that it has been from then on."""
        history = self._history.get(file_id, [(0, model.NONE, None)])
        last_before = max((entry for entry in history if entry[0] <= since), key=lambda entry: entry[0])
        return [entry[1:] for entry in (last_before, *(entry for entry in history if entry[0] > since))]

    def _written(self, file_id: str, before: Item | None, after: Item | None) -> None:
        self.writes += 1
        self.moment += 1
        history = self._history.setdefault(file_id, [(0, model.NONE, None)])
        history.append((self.moment, model.state(after), model.owner_of(after)))
        if before is None:
            self.issued.add(file_id)
        wrong = list(
            model.wrong_changes(
                self.operation,
                before,
                after,
                on_load=self._on_load,
                now=self._clock(),
                lifetime=self._lifetime,
                margin=LATE_MARGIN,
            )
        )
        wrong += self._wrong_pin(file_id, before, after)
        if after is not None and not model.is_in_its_place(after, isolated=self._isolated):
            wrong.append(f"{self.operation} left a file out of its place in the list, or its owner")
        wrong += self._wrong_receipt(file_id, after)
        if model.leaves_the_sweep(before, after) and file_id in self._memory.objects and not self._is_too_slow(file_id):
            wrong.append(f"{self.operation} took a deleted file for gone that has objects")
        in_parts = (before or {}).get("upload_id", {"S": ""})["S"] in self._memory.multiparts.uploads
        if model.leaves_the_sweep(before, after) and in_parts:
            wrong.append(f"I14: {self.operation} took a deleted file for gone that has parts")
        if model.state(before) is model.PENDING and model.state(after) is model.EXPIRED and not self._is_over(file_id):
            wrong.append("I14: an upload in parts was given up whose URLs may be in use")
        if after is not None and "version_id" in after and int(after["size"]["N"]) > MAX_FILE_SIZE:
            wrong = [f"{self.operation} took {after['size']['N']} bytes"]
        # Kept for later: raised here it would be the handler's to catch.
        self.wrong_change = self.wrong_change or next(iter(wrong), None)

    def _wrong_pin(self, file_id: str, before: Item | None, after: Item | None) -> Iterator[str]:
        """I1: what is pinned is there, and has the type that was declared, sent or taken from the name, for good."""
        if before is None or after is None or "version_id" not in after:
            return
        expected = before["type"]["S"]
        if "version_id" not in before:
            pinned = [each for each in self._memory.objects.get(file_id, []) if each.id == after["version_id"]["S"]]
            if not pinned:
                yield "a version was pinned that is not there"
                return
            if file_id in self._undeclared:
                expected = model.type_of(pinned[0].type, "text/plain")
            if int(after["size"]["N"]) != len(pinned[0].body):
                yield "a version was pinned with another size"
            if "upload_id" in before and after["size"] != before["size"]:
                yield "a file was put together of some of its parts"
        if after["type"]["S"] != expected or "type_from" in after:
            yield f"the type is {after['type']['S']} instead of {expected}"

    def _wrong_receipt(self, file_id: str, after: Item | None) -> Iterator[str]:
        """I15: a checksum of a version that is pinned is that of its bytes."""
        if after is None or "version_id" not in after or "checksum" not in after:
            return
        body = self._memory.read(file_id, after["version_id"]["S"])
        told = after["checksum"]["M"]
        if body is not None and told != {"algorithm": {"S": "CRC64NVME"}, "value": {"S": crc64nvme(body)}}:
            yield f"I15: the checksum of {file_id} is not that of its version"

    def _destroyed(self, file_id: str, version: Version) -> None:
        """Whatever the reason given: the truth at this moment decides."""
        if not model.may_be_destroyed(
            self._memory.items.get(file_id),
            version.id,
            is_too_large=len(version.body) > MAX_FILE_SIZE,
            is_over=self._is_over(file_id),
        ):
            state = model.state(self._memory.items.get(file_id))
            self.wrong_change = self.wrong_change or f"{version.id} of a file that is {state} was destroyed"

    def _is_over(self, file_id: str) -> bool:
        """Whether nobody can send anything for the file any more, as far as its browser knows."""
        url_expires_at = next((upload.url_expires_at for upload in self._uploads if upload.id == file_id), 0)
        return self._clock() >= url_expires_at + LATE_MARGIN

    def _is_too_slow(self, file_id: str) -> bool:
        return any(upload.too_slow for upload in self._uploads if upload.id == file_id)
