"""One HTTP connection: llhttp reads it, requests are answered in order, and nothing waits for ever.

llhttp (through httptools) is strict about what a request is; this module decides what becomes of one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools

from mooring_serve.problem import Problem, headers_too_large, invalid, too_large
from mooring_serve.request import Request, target

if TYPE_CHECKING:
    from mooring_serve.listener import Listener

_HEADER_LIMIT_BYTES = 64 * 1024
# After a refusal that comes before the body, the rest is read and dropped this far, so that the client sees the answer
# rather than a connection reset.
_DISCARD_SECONDS = 5.0
# A connection that has said nothing yet may have a request on its way.
_GREETING_SECONDS = 1.0
# What framing may cost beside the body: chunks of a byte each are allowed, endless chunk extensions are not.
_FRAMING_FACTOR = 8
_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
JSON = b"application/json"


class Connection(asyncio.Protocol):
    """One client's connection.

    Requests are put in line as they become whole and answered in turn. What ends a connection (`Connection: close`, a
    refusal, bytes that are no HTTP) goes in line like any other, so that nobody before it loses an answer.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._app = listener.app
        self._limit = listener.settings.body_limit_bytes
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._reading: Request | None = None  # begun, not whole
        self._head_done = False
        self._framing_bytes = 0  # of the request being read: all that is not body
        self._upgrading = False
        self._line: deque[Request] = deque()  # waiting for their turn (pipelining)
        self._answering: Request | None = None
        self._taking = False  # the line is being worked off, further down this very stack
        self._writable = True
        self._ended = False  # no further request is taken
        self._discard_until = 0.0  # the last answer is out: what still comes is dropped until then
        self.came = self.last_byte = self._head_since = listener.loop.time()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = transport
        if not self._listener.join(self):
            self._refuse(Request(), Problem(503, "TOO_MANY_CONNECTIONS", "too many connections; try again later"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; a call of theirs that has not begun is dropped."""
        del exc
        self._listener.leave(self)
        for request in (self._answering, *self._line):
            if request is not None:
                self._app.hung_up(request)
        self._ended = True
        self._answering = self._reading = None
        self._line.clear()
        self._parser = None

    def pause_writing(self) -> None:
        """The client does not read: answer no more of what it has sent ahead."""
        self._writable = False

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable = True
        self._next()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self.last_byte = self._listener.loop.time()
        if self._ended and not self._discard_until:
            return
        self._framing_bytes += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError as error:
            cause = error.__context__
            said = invalid(f"this is not a valid HTTP/1.1 request: {error}")
            self._cut_off(self._reading or Request(), cause if isinstance(cause, Problem) else said)
            return
        request = self._reading
        if request is not None and self._framing_bytes > _HEADER_LIMIT_BYTES + _FRAMING_FACTOR * request.size:
            self._cut_off(request, headers_too_large(_HEADER_LIMIT_BYTES))

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # No other protocol is spoken here, and a server may ignore the wish: read the same request without it.
            # llhttp would take the body for the other protocol's.
            self._upgrading = False
            request, self._reading = self._reading, None
            if request is not None:
                self._parser = httptools.HttpRequestParser(self)
                self._parser.feed_data(request.head_without_upgrade())
                self._feed(data[upgrade.args[0] :])

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading = Request()
        self._head_done = False
        self._head_since = self._listener.loop.time()

    def on_url(self, url: bytes) -> None:
        """Part of the request's target."""
        if self._reading is not None:
            self._reading.url += url
            self._count(self._reading, len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; trailers, which come after the head, are not listened to."""
        if self._reading is not None and not self._head_done:
            self._reading.headers[name.lower()] = value
            self._count(self._reading, len(name) + len(value))

    def _count(self, request: Request, size: int) -> None:
        request.head_bytes += size
        if request.head_bytes > _HEADER_LIMIT_BYTES:
            raise headers_too_large(_HEADER_LIMIT_BYTES)

    def on_headers_complete(self) -> None:
        """The head is whole: what can be judged now is judged before the body comes."""
        request = self._reading
        self._head_done = True
        if request is None or self._ended:
            return
        self._upgrading = self._parser.should_upgrade()
        request.method = self._parser.get_method().decode("ascii")
        request.http10 = self._parser.get_http_version() == "1.0"
        request.keep_alive = self._parser.should_keep_alive()
        request.path, request.query = target(request.url)
        if self._upgrading:
            return
        if int(request.headers.get(b"content-length", 0)) > self._limit:
            self._refuse(request, too_large(self._limit))
            return
        request.problem = self._app.judge_head(request)
        if request.headers.get(b"expect", b"").lower() == b"100-continue" and not request.http10:
            if request.problem is not None:
                self._refuse(request, request.problem)
            elif not self._in_hand:
                self._transport.write(_CONTINUE)

    def on_body(self, piece: bytes) -> None:
        """Part of the body; kept only while it is wanted and within the limit."""
        request = self._reading
        self._framing_bytes -= len(piece)
        if request is None or self._ended:
            return
        request.size += len(piece)
        if request.size > self._limit:
            self._refuse(request, too_large(self._limit))
        elif request.problem is None:
            request.body.append(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._upgrading:
            return
        request, self._reading = self._reading, None
        self._framing_bytes = 0
        if self._discard_until:
            self._transport.close()
        elif request is not None and not self._ended:
            request.whole = True
            self._ended = not request.keep_alive
            self._queue(request)

    # Answers.

    def _refuse(self, request: Request, problem: Problem) -> None:
        """Take no further request: this one is refused in its turn, and the connection closed after it."""
        if self._ended:
            return
        request.body.clear()
        request.problem = problem
        self._ended = True
        self._queue(request)

    def _cut_off(self, request: Request, problem: Problem) -> None:
        """Refuse what does not keep to HTTP: nothing that still comes is of interest."""
        request.whole = True
        self._refuse(request, problem)

    def _queue(self, request: Request) -> None:
        self._line.append(request)
        if self._in_hand and not self._transport.is_closing():
            self._transport.pause_reading()
        self._next()

    def _next(self) -> None:
        if self._taking:
            return
        self._taking = True
        while self._line and self._answering is None and self._writable:
            request = self._answering = self._line.popleft()
            self._app.handle(request, self)
        self._taking = False
        if not self._line and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def answer(
        self, request: Request, status: int, body: bytes, *, content_type: bytes = JSON, more: bytes = b""
    ) -> None:
        """Send the answer to the request whose turn it is.

        Args:
            request: the request.
            status: an HTTP status.
            body: the content.
            content_type: its media type.
            more: further header lines, each ended by CRLF.
        """
        if request is not self._answering:
            return  # the client is gone
        self._answering = None
        self.last_byte = self._listener.loop.time()  # from here on it is idle
        last = not self._line and (self._ended or self._listener.draining)
        if last:
            more += b"connection: close\r\n"
        elif request.http10:
            more += b"connection: keep-alive\r\n"
        head = b"%bcontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n" % (
            _STATUS_LINES.get(status) or b"HTTP/1.1 %d \r\n" % status,
            content_type,
            len(body),
            self._listener.date,
            more,
        )
        self._transport.write(head if request.method == "HEAD" else head + body)
        if last:
            self._end_after(request)
        else:
            self._next()

    def _end_after(self, request: Request) -> None:
        """Close; if the client is in the middle of a body, drop the rest of it first, so that it sees the answer."""
        self._ended = True
        if request.whole or request.headers.get(b"expect") or not self._head_done:
            self._transport.close()
        else:
            self._discard_until = self._listener.loop.time() + _DISCARD_SECONDS

    # What the listener asks.

    @property
    def _in_hand(self) -> bool:
        return self._answering is not None or bool(self._line)

    @property
    def silent(self) -> bool:
        """Whether nothing is begun: no request, no answer."""
        return not self._in_hand and self._reading is None

    @property
    def busy(self) -> bool:
        """Whether a request is on its way in or an answer on its way out, or may be."""
        if self._discard_until:
            return False
        greeting = self.last_byte == self.came and self._listener.loop.time() - self.came < _GREETING_SECONDS
        return not self.silent or greeting or self._transport.get_write_buffer_size() > 0

    def expire(self, now: float) -> None:
        """Close the connection if it has been waited for long enough."""
        settings = self._listener.settings
        if self._discard_until:
            if now > self._discard_until:
                self._transport.abort()
        elif self._in_hand:
            return
        elif self._reading is not None or self.last_byte == self.came:
            since = self.last_byte if self._head_done else min(self.last_byte, self._head_since)
            if now - since > settings.read_timeout_seconds:
                self._transport.abort()
        elif now - self.last_byte > settings.keep_alive_seconds:
            self._transport.abort()

    def close(self) -> None:
        """Close; what has been written still leaves."""
        self._transport.close()
