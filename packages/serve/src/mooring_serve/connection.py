"""One HTTP connection: llhttp reads it, requests are answered in order, and nothing waits for ever.

llhttp (through httptools) is strict about what a request is; this module decides what becomes of one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httptools

from mooring_serve.problem import Problem, invalid, too_large
from mooring_serve.request import Request

if TYPE_CHECKING:
    from mooring_serve.listener import Listener

_HEADER_LIMIT_BYTES = 64 * 1024
# After a refusal that comes before the body, the rest is read and dropped this far, so that the client sees the answer
# rather than a connection reset.
_DISCARD_SECONDS = 5.0
_STATUS_LINES = {one.value: f"HTTP/1.1 {one.value} {one.phrase}\r\n".encode() for one in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
JSON = b"application/json"


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._app = listener.app
        self._limit = listener.settings.body_limit_bytes
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: Any = None
        self._reading: Request | None = None  # begun, not whole
        self._answering: Request | None = None  # whole, its answer is on the way
        self._line: deque[Request] = deque()  # whole, waiting for their turn (pipelining)
        self._header_bytes = 0
        self._writable = True
        self._closing = False  # no further request is taken
        self._discard_until = 0.0  # refused early: what still comes is dropped until then
        self.last_byte = listener.loop.time()

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self._transport = transport
        if not self._listener.join(self):
            problem = Problem(503, "TOO_MANY_CONNECTIONS", "too many connections; try again later")
            self._refuse_bytes(problem)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; a call of theirs that has not begun is dropped."""
        del exc
        self._listener.leave(self)
        for request in (self._answering, *self._line):
            if request is not None:
                self._app.hung_up(request)
        self._closing = True
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
        if self._closing and not self._discard_until:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken here: the request is answered as it is, and the connection closed
        except httptools.HttpParserError as error:
            if not self._discard_until:
                cause = error.__context__
                said = (
                    cause if isinstance(cause, Problem) else invalid(f"this is not a valid HTTP/1.1 request: {error}")
                )
                self._refuse_bytes(said)

    # What the parser tells.

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading = Request()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Part of the request's target."""
        self._count(len(url))
        if self._reading is not None:
            self._reading.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value))
        if self._reading is not None:
            self._reading.headers[name.lower()] = value

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_LIMIT_BYTES:
            raise Problem(431, "HEADERS_TOO_LARGE", f"the headers are larger than {_HEADER_LIMIT_BYTES} bytes")

    def on_headers_complete(self) -> None:
        """The head is whole: what can be judged now is judged before the body comes."""
        request = self._reading
        if request is None:
            return
        request.method = self._parser.get_method().decode("ascii")
        request.http10 = self._parser.get_http_version() == "1.0"
        request.keep_alive = self._parser.should_keep_alive() and not self._parser.should_upgrade()
        request.path, request.query = _target(request.url)
        length = request.headers.get(b"content-length")
        if length is not None and int(length) > self._limit:
            request.problem = too_large(self._limit)
        else:
            request.problem = self._app.judge_head(request)
        if self._parser.should_upgrade() and length is not None and int(length):
            # llhttp takes what follows for the other protocol's, not for a body.
            request.problem = invalid("no other protocol is spoken here: send the body without an Upgrade header")
        if request.headers.get(b"expect", b"").lower() == b"100-continue":
            if request.problem is not None:
                self._refuse_early(request, 0.0)
            elif not self._line and self._answering is None:
                self._transport.write(_CONTINUE)
        elif request.problem is not None and request.problem.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            self._refuse_early(request, _DISCARD_SECONDS)

    def on_body(self, piece: bytes) -> None:
        """Part of the body; kept only while it is wanted and within the limit."""
        request = self._reading
        if request is None or request.problem is not None:
            return
        request.size += len(piece)
        if request.size > self._limit:
            request.body.clear()
            request.problem = too_large(self._limit)
            self._refuse_early(request, _DISCARD_SECONDS)
        else:
            request.body.append(piece)

    def on_message_complete(self) -> None:
        """The request is whole."""
        request, self._reading = self._reading, None
        if self._discard_until:
            self._transport.close()
        elif request is not None and not self._closing:
            self._line.append(request)
            if len(self._line) > 1 or self._answering is not None:
                self._transport.pause_reading()
            self._next()

    # Answers.

    def _next(self) -> None:
        while self._line and self._answering is None and self._writable:
            request = self._answering = self._line.popleft()
            if not self._line and not self._closing and not self._transport.is_closing():
                self._transport.resume_reading()
            if not request.keep_alive:
                self._closing = True
                self._line.clear()
            self._app.handle(request, self)

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
        close = self._closing or self._listener.draining or not request.keep_alive
        self._write(request, status, body, content_type, more + (b"connection: close\r\n" if close else b""))
        if close:
            self._closing = True
            self._line.clear()
            self._transport.close()
        elif self._line:
            self._next()

    def _write(self, request: Request, status: int, body: bytes, content_type: bytes, more: bytes) -> None:
        if request.http10 and not self._closing:
            more += b"connection: keep-alive\r\n"
        head = b"%bcontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n" % (
            _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode(),
            content_type,
            len(body),
            self._listener.date,
            more,
        )
        self._transport.write(head if request.method == "HEAD" else head + body)

    def _refuse_early(self, request: Request, discard_seconds: float) -> None:
        """Answer before the body has come, then close: at once, or when the rest of the body has been dropped."""
        if self.busy:
            return  # behind others in a pipeline: it is refused when its turn comes
        self._closing = True
        self._answering = request
        problem = request.problem
        if problem is not None:
            self._discard_until = self._listener.loop.time() + discard_seconds
            self._app.refuse_early(request, self, problem)
            self._answering = None
        if not discard_seconds:
            self._transport.close()

    def send_early(self, request: Request, problem: Problem, more: bytes) -> None:
        """Write a refusal without closing: what the client still sends is dropped first."""
        self._write(request, problem.status, problem.body(), JSON, more + b"connection: close\r\n")

    def _refuse_bytes(self, problem: Problem) -> None:
        """Answer what is no request, and close."""
        if self._transport is None or self._transport.is_closing():
            return
        self._closing = True
        if self._answering is None and not self._line:
            self._write(Request(), problem.status, problem.body(), JSON, b"connection: close\r\n")
        self._transport.close()

    # What the listener asks.

    @property
    def busy(self) -> bool:
        """Whether an answer is on the way."""
        return self._answering is not None or bool(self._line)

    def expire(self, now: float) -> None:
        """Close the connection if it has been waited for long enough."""
        settings = self._listener.settings
        if self._discard_until:
            if now > self._discard_until:
                self._transport.abort()
        elif self.busy:
            return
        elif self._reading is not None or not self._listener.heard_from(self):
            if now - self.last_byte > settings.read_timeout_seconds:
                self._transport.abort()
        elif now - self.last_byte > settings.keep_alive_seconds:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """Close now if no answer is on the way; else after it."""
        if not self.busy:
            self._transport.close()


def _target(url: bytes) -> tuple[str, str]:
    """The decoded path and the query of a request's target; a target that is no path is a path nobody declared."""
    path, _, query = url.partition(b"?")
    text = path.decode("latin-1")
    if "://" in text:  # the absolute form, as proxies send it
        text = "/" + text.partition("://")[2].partition("/")[2]
    return (unquote(text) if "%" in text else text), query.decode("latin-1")
