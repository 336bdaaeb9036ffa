"""An API and a storage that take files in parts, as the contract of the routes has it."""

import base64
import json
import re
import threading
from typing import Any

from tests.browser.service import Call, Service

# Ten parts, the last of them smaller.
CONTENTS = bytes(number * 31 % 251 for number in range(9500))
FILE = """(text = 'CONTENTS') => {
  const octets = Uint8Array.from({ length: 9500 }, (_, index) => (index * 31) % 251);
  if (text) octets[9] = text.length;
  return new File([octets], 'film.mp4', { type: 'video/mp4', lastModified: 1_700_000_000_000 });
}"""
SEND = f"() => {{ void send(({FILE})('')); }}"
SEND_ANOTHER = f"() => {{ void send(({FILE})('another')); }}"
DONE = "() => upload.done.then(({ id }) => id)"

_POLYNOMIAL = 0x9A6C9329AC4BC9B5
_ONES = 0xFFFF_FFFF_FFFF_FFFF


def crc64nvme(contents: bytes) -> str:
    """Base64, bit by bit as the definition has it."""
    register = _ONES
    for octet in contents:
        register ^= octet
        for _ in range(8):
            register = (register >> 1) ^ (_POLYNOMIAL if register & 1 else 0)
    return base64.b64encode((register ^ _ONES).to_bytes(8, "big")).decode()


def number_of(put: Call) -> int:
    """The number of the part that is sent."""
    return int(put.path.rsplit("/", 1)[-1])


class PartsService(Service):
    """Files in parts of ``part_size`` bytes. An upload that was not begun here, or is over, is unknown."""

    part_size = 1000

    def __init__(self) -> None:
        self.begun: dict[str, int] = {}
        self.parts: dict[str, dict[int, bytes]] = {}
        self.complete: dict[str, bytes] = {}
        self._released = threading.Event()
        super().__init__()

    def hold_from(self, number: int) -> None:
        """No part from this one on arrives until they are released, and then they are refused."""

        def plan(call: Call) -> tuple[int, str] | None:
            if call.method != "PUT" or number_of(call) < number or self._released.is_set():
                return None
            self._released.wait(60)
            return 503, ""

        self.plan = plan

    def release(self) -> None:
        """Ends it."""
        self._released.set()

    def stop(self) -> None:
        """Stop serving."""
        self.release()
        super().stop()

    def go_well(self, call: Call) -> tuple[int, str]:
        """Status and body where nothing goes wrong."""
        if call.method == "POST" and call.path == "api/file":
            return self._begin(call.json)
        found = re.fullmatch(r"(?:api/file|bucket)/([^/]+)(?:/(parts|complete|\d+))?", call.path)
        assert found, call.path
        file_id, what = found.groups()
        if file_id not in self.begun:
            return 404, '{"message": "There is no such upload.", "code": "unknown"}'
        if call.method == "PUT":
            self.parts[file_id][int(what)] = call.body
            return 200, ""
        if call.method == "DELETE":
            del self.begun[file_id]
            return 204, ""
        return self._complete(file_id, call.json) if what == "complete" else self._of_parts(file_id, call)

    def sent(self) -> list[int]:
        """The numbers of the parts that were sent, in their order."""
        return [number_of(call) for call in self.made("PUT")]

    def _begin(self, body: dict[str, Any]) -> tuple[int, str]:
        file_id = f"large-{len(self.parts) + 1}"
        self.begun[file_id], self.parts[file_id] = body["size"], {}
        plan = {"part_size": self.part_size, "part_count": max(1, -(-body["size"] // self.part_size))}
        return 200, json.dumps({"id": file_id, "token": "token", **plan, "expires_at": "2030-01-01T00:00:00Z"})

    def _of_parts(self, file_id: str, call: Call) -> tuple[int, str]:
        if file_id in self.complete:
            return 409, '{"message": "All parts are there and put together.", "code": "already_uploaded"}'
        return self._address(file_id, call.json) if call.method == "POST" else self._list(file_id)

    def _address(self, file_id: str, body: dict[str, Any]) -> tuple[int, str]:
        base = self.url.removesuffix("/api")
        answers = [
            {
                "part_number": part["part_number"],
                "url": f"{base}/bucket/{file_id}/{part['part_number']}",
                "headers": {"x-amz-checksum-crc64nvme": part["checksum"]},
            }
            for part in body["parts"]
        ]
        return 200, json.dumps({"parts": answers, "expires_at": "2030-01-01T00:00:00Z"})

    def _list(self, file_id: str) -> tuple[int, str]:
        size, parts = self.begun[file_id], self.parts[file_id]
        listed = [
            {"part_number": number, "size": len(contents), "checksum": crc64nvme(contents)}
            for number, contents in sorted(parts.items())
        ]
        plan = {"part_size": self.part_size, "part_count": max(1, -(-size // self.part_size)), "size": size}
        return 200, json.dumps({**plan, "parts": listed})

    def _complete(self, file_id: str, body: dict[str, Any]) -> tuple[int, str]:
        parts = self.parts[file_id]
        missing = [number + 1 for number in range(-(-self.begun[file_id] // self.part_size)) if number + 1 not in parts]
        if missing:
            refusal = {"message": "Parts are missing.", "code": "parts_missing", "missing": missing[:100]}
            return 409, json.dumps({**refusal, "missing_count": len(missing)})
        whole = b"".join(contents for _, contents in sorted(parts.items()))
        if body["checksum"] != crc64nvme(whole):
            return 409, '{"message": "The contents are not what was sent.", "code": "checksum_mismatch"}'
        self.complete[file_id] = whole
        return 200, json.dumps({"id": file_id})
