"""A small HTTP/1.1 server that answers as it is told, for the workloads of the memory engine."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

HEAD_BYTES = 64 << 10
PHRASES = {200: "OK", 400: "Bad Request", 503: "Service Unavailable"}


@dataclass(frozen=True)
class Call:
    """One request, its body whole; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(hash=False)
    body: bytes


@dataclass(frozen=True)
class Response:
    """What is answered: JSON."""

    status: int
    value: object


class Server:
    """Listens on a free port of the loopback; `answer` gives the response to a call, or never returns."""

    def __init__(self, name: str, answer: Callable[[Call], Awaitable[Response]]) -> None:
        self._name = name
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._busy: set[asyncio.Task[None]] = set()
        self._draining = False
        self.port = 0

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEAD_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def drain(self) -> None:
        """Take no more connections, and give the answers that are owed."""
        self._draining = True
        self._stop_listening()
        for task, writer in self._connections.items():
            if task not in self._busy:
                writer.transport.abort()
        if self._busy:
            await asyncio.wait(self._busy)

    def kill(self) -> None:
        """Drop everything at once, as a process does that is killed."""
        self._draining = True
        self._stop_listening()
        for task, writer in self._connections.items():
            writer.transport.abort()
            task.cancel()

    def _stop_listening(self) -> None:
        """Close what listens in the next turn of the loop: asyncio loses a connection that was taken in this one."""
        if not self._server:
            return
        loop = asyncio.get_running_loop()
        for listening in self._server.sockets:
            loop.remove_reader(listening.fileno())
        loop.call_soon(self._server.close)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for mypy: asyncio runs this as a task
        self._connections[task] = writer
        try:
            while not self._draining and (head := await _head(reader)):
                self._busy.add(task)
                if not await self._one(head, reader, writer):
                    break
                self._busy.discard(task)
        except (OSError, EOFError, asyncio.LimitOverrunError, ValueError, asyncio.CancelledError):
            pass  # the caller went away or speaks no HTTP, or this server was killed
        finally:
            self._busy.discard(task)
            del self._connections[task]
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _one(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        first, *lines = head.split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        response = await self._answer(Call(method, path, headers, await _body(reader, headers)))
        stays = not self._draining and headers.get("connection", "").lower() != "close"
        body = json.dumps(response.value).encode()
        told = [
            f"HTTP/1.1 {response.status} {PHRASES.get(response.status, 'Other')}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"X-Workload: {self._name}",
            f"Connection: {'keep-alive' if stays else 'close'}",
        ]
        writer.write("\r\n".join([*told, "", ""]).encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
        return stays


async def _head(reader: asyncio.StreamReader) -> str:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return ""
    return head.decode("latin-1").strip()


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return bytes(body)
