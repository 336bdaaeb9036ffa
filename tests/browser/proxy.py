"""A proxy between Chromium and the emulator on this machine: it counts what is sent of each part, and disturbs."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

_CHUNK = 2**18


@dataclass(slots=True)
class Attempt:
    """A PUT of a part: its number and size, the bytes that came, and S3's status, None where it broke off before."""

    number: int
    size: int
    octets: int = 0
    status: int | None = None


class Proxy:
    """One of HTTP on 127.0.0.1 that leads to one port there, the Host header as it is.

    ``cuts`` are counts of the parts' bytes, in order: at each every connection is cut. Where ``hold_at`` is set no part
    goes on from that count. ``late`` is how many PUTs of parts wait until their URLs have expired.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._released = asyncio.Event()
        self.begin()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0, limit=_CHUNK)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def begin(self, *, cuts: list[int] | None = None, hold_at: int | None = None, late: int = 0) -> None:
        """Cut what was held, count from nothing, and get in the way like this."""
        self.release()
        self.attempts: list[Attempt] = []
        self.octets = 0
        self.cuts, self.hold_at, self.late = cuts or [], hold_at, late
        self.is_held = threading.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Cut what was held, and let everything pass from now on."""
        self.hold_at = None
        self._loop.call_soon_threadsafe(self._cut)
        self._loop.call_soon_threadsafe(self._released.set)

    def stop(self) -> None:
        """Cut every connection, and stop listening."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        self._released.set()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    def _cut(self) -> None:
        for pipe in self._open:
            pipe.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._target, limit=_CHUNK)
        self._open |= {writer, onward}
        sent: list[Attempt | None] = [None]
        back = asyncio.create_task(_answer(there, writer, sent))
        try:
            while True:
                await self._pass_on(await reader.readuntil(b"\r\n\r\n"), reader, onward, sent)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open -= {writer, onward}
            onward.close()
            await back

    async def _pass_on(
        self, head: bytes, reader: asyncio.StreamReader, onward: asyncio.StreamWriter, sent: list[Attempt | None]
    ) -> None:
        """One request."""
        request, *lines = head.decode("latin-1").split("\r\n")
        method, url, _ = request.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        query = parse_qs(urlsplit(url).query)
        left = int(headers.get("content-length", 0))
        attempt = Attempt(int(query["partNumber"][0]), left) if method == "PUT" and "partNumber" in query else None
        sent[0] = attempt
        if attempt:
            self.attempts.append(attempt)
            if self.late > 0:
                self.late -= 1
                await _expiry(query)
        onward.write(head.replace(f"http://{headers['host']}".encode(), b"", 1))
        while left:
            chunk = await reader.read(min(left, _CHUNK))
            if attempt and self.hold_at is not None and self.octets >= self.hold_at:
                self.is_held.set()
                await self._released.wait()
            if not chunk or onward.is_closing():
                raise ConnectionError
            left -= len(chunk)
            onward.write(chunk)
            await onward.drain()
            if attempt:
                attempt.octets += len(chunk)
                self.octets += len(chunk)
                if self.cuts and self.octets >= self.cuts[0]:
                    del self.cuts[0]
                    self._cut()


async def _answer(there: asyncio.StreamReader, writer: asyncio.StreamWriter, sent: list[Attempt | None]) -> None:
    """The answers of one connection."""
    try:
        while chunk := await there.read(_CHUNK):
            attempt = sent[0]
            if attempt and attempt.status is None and chunk.startswith(b"HTTP/1.1 "):
                attempt.status = int(chunk[9:12])
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def _expiry(query: dict[str, list[str]]) -> None:
    """Wait until a presigned URL has expired."""
    signed = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%S%z")
    over = signed + timedelta(seconds=int(query["X-Amz-Expires"][0]) + 1)
    await asyncio.sleep(max(0.0, (over - datetime.now(UTC)).total_seconds()))
