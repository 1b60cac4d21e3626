"""One connection to a replica: llhttp reads its answers, and neither side is read faster than the other takes it."""

from __future__ import annotations

import asyncio
import enum
import select
from collections import deque
from typing import Any

import httptools

# What may wait in memory for the slower side of a call, in each direction.
HIGH_WATER_BYTES = 256 * 1024
LOW_WATER_BYTES = 64 * 1024
_HEAD_BYTES = 256 * 1024
_SMALLEST_STATUS, _LARGEST_STATUS = 200, 599
_INTERIM = 200  # a status below is a note on the way to the answer
_SWITCHING = 101
_BODILESS = (204, 304)


class Failure(enum.Enum):
    """How a call ended without a whole answer."""

    REFUSED = "refused"  # nothing listens there
    CONNECT_TIMEOUT = "connect-timeout"
    TLS = "tls"  # no TLS on the other side, or no agreement on it
    CLOSED = "closed"  # the connection ended before the answer began
    CUT = "cut"  # the connection ended within the answer
    ANSWER_TIMEOUT = "answer-timeout"  # all was sent, and nothing came for as long as the limits allow
    MALFORMED = "malformed"  # what came is no HTTP answer
    CLIENT_GONE = "client-gone"  # whoever asked no longer waits


class Broken(Exception):
    """A call that found no whole answer; `failure` says how it ended."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class Connection(asyncio.Protocol):
    """A connection that carries one exchange at a time.

    `begin`, `write` and `sent` for the request; `answered`, then `chunk` by chunk for the answer, which may begin while
    the request is still being written; `end`. How far it has come is in `status`, `headers`, `complete` and `failure`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._poll = select.poll()
        self._parser: Any = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._write_paused = self._read_paused = self._busy = self._gone = False
        self.idle_since = 0.0
        self._reset()

    def _reset(self) -> None:
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.failure: Failure | None = None
        self.complete = False
        self._head_done = self._interim = self._until_close = self._headless_body = False
        self._framed = self._surplus = self._sent = self._last = False
        self._head_bytes = 0
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._keep_alive = False

    # The exchange.

    def begin(self, *, answer_seconds: float | None, bodiless: bool) -> None:
        """Expect the answer to a new request; `bodiless` for HEAD, whose answer ends with its head."""
        self._reset()
        self._busy = True
        self._headless_body = bodiless
        self._active_at = self._loop.time()
        self._answer_seconds = answer_seconds
        if answer_seconds is not None:
            self._timer = self._loop.call_later(answer_seconds, self._check)

    def write(self, *parts: bytes) -> None:
        """Send a part of the request; await `drained` before the next large one."""
        self._active_at = self._loop.time()
        if not self._transport.is_closing():
            self._transport.writelines(parts)

    def sent(self) -> None:
        """All of the request was written: from now on it is the replica's turn."""
        self._sent = True
        self._active_at = self._loop.time()

    async def drained(self) -> None:
        """Wait until the replica has taken most of what was written, or is gone."""
        while self._write_paused and not self._gone:
            self._writer = self._loop.create_future()
            await self._writer

    async def answered(self) -> None:
        """Wait for the head of the answer, which is then in `status` and `headers`; Broken when there will be none."""
        while not self._head_done or self._interim:
            await self._more()

    async def chunk(self) -> bytes:
        """What has come of the body since; b"" once it is whole. Broken when the rest will not come."""
        while not self._chunks:
            if self.complete:
                return b""
            await self._more()
        data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._read_paused:
            self._read_paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    @property
    def drawn(self) -> bool:
        """Whether the answer is whole and all of it was taken."""
        return self.complete and not self._chunks

    async def _more(self) -> None:
        if self.failure is not None:
            raise Broken(self.failure)
        self._waiter = self._loop.create_future()
        await self._waiter

    def end(self) -> bool:
        """Finish the exchange; whether the connection may carry another. If not, it is closed."""
        self._busy = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        whole = self.complete and self._sent and self._keep_alive and self.failure is None and not self._surplus
        if whole and not self._gone and not self._write_paused and not self._headless_body:
            self.idle_since = self._loop.time()
            return True
        self.close()
        return False

    def break_off(self, failure: Failure) -> None:
        """Give the exchange up; whoever waits for it gets Broken."""
        if self.failure is None and not self.complete:
            self.failure = failure
        self.close()
        self._wake()

    def close(self) -> None:
        """Close at once, whatever was still to be written."""
        if not self._gone and self._transport is not None:
            self._transport.abort()

    @property
    def alive(self) -> bool:
        """Whether an idle connection may be used: nothing came on it, not even an end that was not read yet."""
        return not self._gone and not self._transport.is_closing() and not self._poll.poll(0)

    def _check(self) -> None:
        """Break off when the replica had its turn for too long; look again later when it had not."""
        limit = self._answer_seconds or 0.0
        idle = self._loop.time() - self._active_at
        its_turn = (self._sent or self._write_paused) and not self._chunks and not self._read_paused
        if self.complete or self.failure is not None:
            return
        if its_turn and idle >= limit - 0.001:
            self.break_off(Failure.ANSWER_TIMEOUT)
            return
        self._timer = self._loop.call_later(limit - idle if its_turn and idle < limit else limit, self._check)

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = transport
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone: the end of the answer where its end was to tell, else too early."""
        self._gone = True
        if self._until_close and self._head_done and exc is None and self.failure is None:
            self.complete = True
        if not self.complete and self.failure is None:
            self.failure = Failure.CUT if self._head_done and not self._interim else Failure.CLOSED
        self._wake()
        self._parser = None

    def pause_writing(self) -> None:
        """The replica does not read: hold the request's body back."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """The replica reads again."""
        self._write_paused = False
        self._active_at = self._loop.time()
        self._wake_writer()

    def data_received(self, data: bytes) -> None:
        """Bytes of the answer; outside an exchange nothing is expected, and the connection is not to be trusted."""
        if not self._busy or self.complete:
            self._surplus = True
            if not self._busy:
                self.close()
            return
        self._active_at = self._loop.time()
        self._head_bytes += 0 if self._head_done else len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._surplus = True
            self.break_off(Failure.MALFORMED)
            return
        if not self._head_done and self._head_bytes > _HEAD_BYTES:
            self.break_off(Failure.MALFORMED)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        if self._gone:
            self._wake_writer()

    def _wake_writer(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for spoils the connection."""
        if self.complete:
            self._surplus = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers, which come after the head, are dropped."""
        if self._head_done or self.complete:
            return
        name = name.lower()
        if name == b"content-length":
            self._framed = True
        elif name == b"transfer-encoding":
            if value.lower() != b"chunked":
                raise Broken(Failure.MALFORMED)  # a coding that only the end of the connection would end
            self._framed = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole; notes such as 100 Continue are for this connection only."""
        if self.complete or self._head_done:
            return
        status = self._parser.get_status_code()
        if status < _INTERIM:
            if status == _SWITCHING:
                raise Broken(Failure.MALFORMED)
            self._interim = True
            self.headers.clear()
            return
        if not _SMALLEST_STATUS <= status <= _LARGEST_STATUS:
            raise Broken(Failure.MALFORMED)
        self.status = status
        self._head_done = True
        self._until_close = not self._framed and status not in _BODILESS
        if self._headless_body:
            self.complete = True
        self._wake()

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        if self.complete:
            return
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > HIGH_WATER_BYTES and not self._read_paused and not self._transport.is_closing():
            self._read_paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        """The answer is whole."""
        if self._interim:
            self._interim = self._framed = False
            return
        self._keep_alive = self._parser.should_keep_alive()
        self.complete = True
        self._wake()
