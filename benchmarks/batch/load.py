"""What a batch job is held against: the same requests from a plain client, several at a time and one by one."""

import asyncio
import http.client
import time
from collections import deque
from collections.abc import Callable, Sequence

import httptools
import httpx


class _Line(asyncio.Protocol):
    """One keep-alive connection: the next request as soon as the last one is answered."""

    def __init__(self, waiting: deque[bytes], over: asyncio.Future[None]) -> None:
        self._waiting = waiting
        self._over = over
        self.bad = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._next()

    def _next(self) -> None:
        if self._waiting:
            self._transport.write(self._waiting.popleft())
        elif not self._over.done():
            self._over.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self.bad += self._parser.get_status_code() != 200
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._over.done():
            self._over.set_exception(exc or ConnectionError("the server hung up"))


async def together(port: int, requests: Sequence[bytes], *, connections: int) -> float:
    """All of them over so many connections, each sent when the one before it was answered: answers a second."""
    loop = asyncio.get_running_loop()
    waiting = deque(requests)
    began = time.perf_counter()
    lines, ends = [], []
    for _ in range(connections):
        over = loop.create_future()
        _, line = await loop.create_connection(lambda over=over: _Line(waiting, over), "127.0.0.1", port)
        lines.append(line)
        ends.append(over)
    await asyncio.gather(*ends)
    seconds = time.perf_counter() - began
    if bad := sum(line.bad for line in lines):
        raise SystemExit(f"{bad} of {len(requests)} requests were not answered with 200")
    for line in lines:
        line._transport.abort()  # noqa: SLF001 - one piece, in two parts
    return len(requests) / seconds


async def as_written(
    port: int, bodies: Sequence[bytes], kind: str, write: Callable[[int, bytes], object], *, at_once: int
) -> tuple[float, float]:
    """A loop as people write it with a client library, answers written: answers a second, and us of CPU for each."""
    waiting = iter(enumerate(bodies))
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:

        async def work() -> None:
            for number, body in waiting:
                answer = await client.post(f"http://127.0.0.1:{port}/", content=body, headers={"Content-Type": kind})
                write(number, answer.raise_for_status().content)

        began, used = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(at_once)))
        used = (time.process_time() - used) / len(bodies) * 1e6
        return len(bodies) / (time.perf_counter() - began), used


def one_by_one(port: int, bodies: Sequence[bytes], kind: str, write: Callable[[int, bytes], object]) -> float:
    """A request, its answer written to a file, the next request: answers a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    began = time.perf_counter()
    for number, body in enumerate(bodies):
        connection.request("POST", "/", body, {"Content-Type": kind})
        answer = connection.getresponse()
        write(number, answer.read())
    seconds = time.perf_counter() - began
    connection.close()
    return len(bodies) / seconds
