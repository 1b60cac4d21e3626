"""Connections to instances: one request after the other on each, the body read no faster than it is taken."""

from __future__ import annotations

import asyncio
import enum
import ssl
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httptools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_HIGH_WATER_BYTES = 1024 * 1024
_HEAD_BYTES = 256 * 1024
_CONNECT_SECONDS = 5.0
_INTERIM = 200
_BODILESS = (204, 304)


class Trouble(enum.Enum):
    """What became of a connection, as far as it matters for asking again."""

    REFUSED = "refused"  # nobody takes connections; the request was not sent
    STALE = "stale"  # it was closed while it was idle; the request was not seen
    BROKEN = "broken"  # it broke, or what came is no HTTP; the request may have been the reason


class Broken(Exception):
    """There is no whole answer."""

    def __init__(self, trouble: Trouble, why: str) -> None:
        super().__init__(why)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: the base URL of an instance, taken apart."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    authority: str
    path: str

    @classmethod
    def of(cls, url: str) -> Target:
        """`http://127.0.0.1:40123`, or https, whose certificate is not looked at: containers sign for themselves."""
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        tls = _any_certificate() if secure else None
        return cls(parts.hostname or "", port, tls, parts.netloc, parts.path.rstrip("/"))


@lru_cache(maxsize=1)
def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Connection(asyncio.Protocol):
    """One connection; an answer is in `status`, `headers` and `chunks` as far as it has come."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._drain: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self._blocked = self._paused = self._until_close = False
        self.gone = False
        self.used = 0
        self._why = ""
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self._chunks: deque[bytes] = deque()
        self._held = self._head_bytes = 0
        self.complete = self._head_done = self._framed = self._began = False
        self.reusable = self.late = False

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Broken, as REFUSED, when nobody takes the connection within five seconds."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                _, connection = await loop.create_connection(cls, target.host, target.port, ssl=target.tls)
        except TimeoutError:
            raise Broken(Trouble.REFUSED, "the connection is not taken") from None
        except OSError as error:
            raise Broken(Trouble.REFUSED, f"cannot connect: {error.strerror or type(error).__name__}") from None
        return connection

    async def exchange(self, request: bytes, seconds: float, at_most: int) -> bytes | None:
        """Send a small request, and wait for the answer: its body, or None as soon as it is larger.

        TimeoutError when it does not come within so many seconds, or a little more; Broken when it will not come.
        """
        self._reset()
        self.used += 1
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._late)
        self._transport.write(request)
        while not self.complete and self._held <= at_most:
            await self._more()
        self._deadline = 0.0
        return b"".join(self._taken()) if self._held <= at_most else None

    def _late(self) -> None:
        """Look whether the request under way has taken too long: one timer for many requests, as most are in time."""
        self._timer = None
        if not self._deadline or self.gone:
            return
        if self._deadline > self._loop.time():
            self._timer = self._loop.call_at(self._deadline, self._late)
        else:
            self.late = True
            self.close()

    async def send(self, head: bytes, body: bytes | AsyncIterator[bytes]) -> None:
        """Send a request; ends early when the answer comes early."""
        self._reset()
        self.used += 1
        if isinstance(body, bytes):
            self._transport.write(head + body if len(body) <= _HIGH_WATER_BYTES else head)
            if len(body) > _HIGH_WATER_BYTES:
                self._transport.write(body)
            return
        self._transport.write(head)
        async for data in body:
            if self.complete or self.gone:
                return
            self._transport.write(data)
            if self._blocked:
                self._drain = self._loop.create_future()
                await self._drain

    async def answered(self) -> None:
        """Wait for the head of the answer. Broken when there will be none."""
        while not self._head_done:
            await self._more()

    async def rest(self, at_most: int) -> bytes | None:
        """The body if it is no larger; None, and nothing is taken, if it is."""
        while not self.complete:
            if self._held > at_most:
                return None
            await self._more()
        return b"".join(self._taken()) if self._held <= at_most else None

    async def chunks(self) -> AsyncIterator[bytes]:
        """What there is of the body, as it comes. Broken when its end will not come."""
        while True:
            for data in self._taken():
                yield data
            if self.complete and not self._chunks:
                return
            if not self._chunks:
                await self._more()

    def _taken(self) -> list[bytes]:
        taken = list(self._chunks)
        self._chunks.clear()
        self._held = 0
        if self._paused and not self.gone:
            self._paused = False
            self._transport.resume_reading()
        return taken

    async def _more(self) -> None:
        if self.gone:
            if self.late:
                raise TimeoutError
            # An instance that closed an idle connection saw nothing of what was sent on it since.
            stale = self.used > 1 and not self._began
            raise Broken(Trouble.STALE if stale else Trouble.BROKEN, self._why or "the connection broke off")
        self._waiter = self._loop.create_future()
        await self._waiter

    def close(self) -> None:
        """Close at once."""
        if not self.gone:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone, which is the end of an answer whose length nobody told."""
        self.gone = True
        if self._timer is not None:
            self._timer.cancel()
        if self._head_done and self._until_close and exc is None:
            self.complete = True
        self._wake()

    def pause_writing(self) -> None:
        """The instance does not read."""
        self._blocked = True

    def resume_writing(self) -> None:
        """The instance reads again."""
        self._blocked = False
        if self._drain is not None and not self._drain.done():
            self._drain.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; what comes when nothing is asked is not to be trusted."""
        if self.complete or not self.used:
            self.close()
            return
        self._began = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._why = "what came is no HTTP answer"
            self.close()
        if not self._head_done:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_BYTES:
                self._why = "the answer's head does not end"
                self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers are dropped."""
        if not self._head_done:
            self.headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """The head is whole; notes such as 100 Continue are passed over."""
        status = self._parser.get_status_code()
        if status < _INTERIM:
            self.headers.clear()
            return
        self.status = status
        self._head_done = True
        framed = b"content-length" in self.headers or b"transfer-encoding" in self.headers
        self._until_close = not framed and status not in _BODILESS
        self._wake()

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._chunks.append(data)
        self._held += len(data)
        if self._held > 2 * _HIGH_WATER_BYTES and not self._paused and not self.gone:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._head_done:
            self.reusable = self._parser.should_keep_alive()
            self.complete = True
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self.gone:
            self.resume_writing()


class Connections:
    """Connections that stand, by the URL of the instance they lead to."""

    def __init__(self) -> None:
        self._idle: dict[str, list[Connection]] = {}
        self._targets: dict[str, Target] = {}

    def target(self, url: str) -> Target:
        """The instance's URL, taken apart once."""
        if url not in self._targets:
            self._targets[url] = Target.of(url)
        return self._targets[url]

    async def take(self, url: str, *, fresh: bool = False) -> Connection:
        """A connection to the instance, `fresh` or one that was given back. Broken as `Connection.open`."""
        return (None if fresh else self._kept(url)) or await Connection.open(self.target(url))

    def give_back(self, url: str, connection: Connection) -> None:
        """It is kept for the next request if this one's answer has come whole, else closed."""
        if connection.complete and connection.reusable and not connection.gone:
            self._idle.setdefault(url, []).append(connection)
        else:
            connection.close()

    def _kept(self, url: str) -> Connection | None:
        waiting = self._idle.get(url)
        while waiting:
            connection = waiting.pop()
            if not connection.gone:
                return connection
        return None

    def close(self) -> None:
        """Close all that stand."""
        for waiting in self._idle.values():
            for connection in waiting:
                connection.close()
        self._idle.clear()
