"""Replicas of a service on loopback, as raw as a test needs them: what they answer, and how they die, byte by byte."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One request as it came over the wire: the bytes of its head, and its body."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name):
        values = self.all(name)
        return values[0] if values else None


@dataclass
class Replica:
    """What a test knows of one: where it is, what it was asked, how many connections it has had."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    lost: int = 0  # connections that ended while an answer was being written
    body_bytes: int = 0


async def read_head(reader):
    """The head of the next request, or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Seen(method, target, headers, b"")


async def body_pieces(reader, seen):
    """The body as it comes."""
    if seen.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        await reader.readline()
        return
    left = int(seen.get("content-length") or 0)
    while left:
        data = await reader.read(min(left, 65536))
        if not data:
            raise ConnectionResetError
        left -= len(data)
        yield data


def answer(body=b"", *, status="200 OK", headers=()):
    """An answer as bytes."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body


@contextlib.asynccontextmanager
async def replica(handle=None, *, ssl=None):
    """A server whose `handle(replica, reader, writer)` has each connection to itself; `echo` without one."""
    handle = handle or echo
    here = Replica()
    tasks = set()

    async def serve(reader, writer):
        here.connections += 1
        here.open += 1
        tasks.add(asyncio.current_task())
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await handle(here, reader, writer)
        finally:
            here.open -= 1
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=ssl, limit=1 << 20)
    scheme = "https" if ssl else "http"
    here.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield here
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def echo(here, reader, writer):
    """Answers every request with its own body."""
    while (seen := await read_head(reader)) is not None:
        seen.body = b"".join([piece async for piece in body_pieces(reader, seen)])
        here.seen.append(seen)
        writer.write(answer(b"" if seen.method == "HEAD" else seen.body, headers=[("x-model", "echo")]))
        await writer.drain()


async def counts(here, reader, writer):
    """Takes any body, keeps none of it, and tells how long it was."""
    while (seen := await read_head(reader)) is not None:
        size = 0
        async for piece in body_pieces(reader, seen):
            size += len(piece)
            here.body_bytes += len(piece)
        here.seen.append(seen)
        writer.write(answer(str(size).encode()))
        await writer.drain()


def says(data, *, close=False):
    """Answers every request with these bytes, whatever they are."""

    async def handle(here, reader, writer):
        while (seen := await read_head(reader)) is not None:
            seen.body = b"".join([piece async for piece in body_pieces(reader, seen)])
            here.seen.append(seen)
            writer.write(data)
            await writer.drain()
            if close:
                return

    return handle


def waits(gate, data=None):
    """Answers once the event is set."""

    async def handle(here, reader, writer):
        while (seen := await read_head(reader)) is not None:
            seen.body = b"".join([piece async for piece in body_pieces(reader, seen)])
            here.seen.append(seen)
            waiting = asyncio.ensure_future(gate.wait())
            gone = asyncio.ensure_future(reader.read(1))
            done, _ = await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone in done:
                here.lost += 1
                waiting.cancel()
                return
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await gone
            writer.write(data if data is not None else answer(b"late"))
            await writer.drain()

    return handle


def free_port():
    """A port on which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
