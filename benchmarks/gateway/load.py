"""Load: requests at a fixed rate, whether or not the last ones were answered, each timed from when it was due."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

import httptools


@dataclass
class Load:
    """What came of one load: latencies in milliseconds, and what was not answered with 200."""

    latencies_ms: list[float] = field(default_factory=list)
    errors: int = 0

    def percentile(self, share: float) -> float:
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


class _Client(asyncio.Protocol):
    """One keep-alive connection that has at most one request under way."""

    def __init__(self, pool: "_Pool") -> None:
        self._pool = pool
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def send(self, request: bytes, due: float) -> None:
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        ok = self._parser.get_status_code() == 200
        self._pool.answered(self, time.perf_counter() - self._due, ok=ok)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._pool.lost(self)


class _Pool:
    def __init__(self, port: int) -> None:
        self.load = Load()
        self._port = port
        self._free: deque[_Client] = deque()
        self._busy: set[_Client] = set()
        self.again, self.left = b"", 0

    async def ask(self, request: bytes, due: float) -> None:
        if not self._free:
            loop = asyncio.get_running_loop()
            _, client = await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._port)
            self._free.append(client)
        client = self._free.pop()
        self._busy.add(client)
        client.send(request, due)

    def answered(self, client: _Client, seconds: float, *, ok: bool) -> None:
        self.load.latencies_ms.append(seconds * 1000)
        self.load.errors += not ok
        if self.left:
            self.left -= 1
            client.send(self.again, time.perf_counter())
        else:
            self._busy.discard(client)
            self._free.append(client)

    def lost(self, client: _Client) -> None:
        if client in self._busy:
            self._busy.discard(client)
            self.load.errors += 1
        elif client in self._free:
            self._free.remove(client)

    async def settle(self) -> None:
        deadline = time.perf_counter() + 30
        while self._busy and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        self.load.errors += len(self._busy)

    def close(self) -> None:
        for client in (*self._free, *self._busy):
            client._transport.abort()  # noqa: SLF001 - one piece, in two classes


async def open_loop(port: int, request: bytes, *, rate: float, seconds: float) -> Load:
    """So many requests a second for so many seconds, after a short warm-up that does not count."""
    pool = _Pool(port)
    for _ in range(50):
        await pool.ask(request, time.perf_counter())
        await asyncio.sleep(0.004)
    await pool.settle()
    pool.load = Load()
    began = time.perf_counter()
    for index in range(round(rate * seconds)):
        due = began + index / rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        await pool.ask(request, due)
    await pool.settle()
    pool.close()
    return pool.load


async def closed_loop(port: int, request: bytes, *, connections: int, requests: int) -> Load:
    """So many requests in all over so many connections, each sent when the one before it was answered."""
    pool = _Pool(port)
    pool.again, pool.left = request, requests - connections
    for _ in range(connections):
        await pool.ask(request, time.perf_counter())
    while pool.left:
        await asyncio.sleep(0.01)
    await pool.settle()
    pool.close()
    return pool.load
