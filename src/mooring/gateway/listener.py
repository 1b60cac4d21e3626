"""How the server in front of a gateway listens: uvicorn, with bounds that it has none for itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

if TYPE_CHECKING:
    import asyncio

HEAD_BYTES = 64 * 1024
# From the first byte of a request, or from the connection, to the end of its head.
HEAD_SECONDS = 30.0
# A client that takes nothing of an answer for so long is gone.
STUCK_SECONDS = 60.0
# Clients keep a connection for later calls; it must outlive what they think it lives.
KEEP_ALIVE_SECONDS = 75
_WAITING_REQUESTS = 32


class ListenerProtocol(HttpToolsProtocol):
    """One client's connection.

    Beyond uvicorn's own: a head has a size and a time, trailers are no headers, a client that does not read is let go,
    requests sent ahead are bounded, and an application may end a connection in the middle of an answer
    (`scope["extensions"]["mooring.abort"]["now"]()`).
    """

    _head_timer: asyncio.TimerHandle | None = None
    _stuck_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0  # that came over the wire since the head began
    _read_bytes = 0  # that the parser has made out in it
    _head_done = False
    _head_too_large = False
    _answering: RequestResponseCycle | None = None
    _upgraded = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: its first request is waited for, but not for ever."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self.transport.is_closing():
            return
        if not self._head_done:
            self._head_bytes += len(data)
        super().data_received(data)
        if not self._head_done and self._head_bytes > HEAD_BYTES and not self.transport.is_closing():
            self._refuse_head()
        elif len(self.pipeline) > _WAITING_REQUESTS and not self.transport.is_closing():
            self._abort()
        elif self._is_idle():
            # Neither a request nor the end of keep-alive is waited for: bytes came that begin nothing (empty lines).
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)

    def _is_idle(self) -> bool:
        waited_for = self._upgraded or self._head_timer is not None or self.timeout_keep_alive_task is not None
        return not waited_for and (self.cycle is None or self.cycle.response_complete)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_done = False
        self._head_bytes = self._read_bytes = 0
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_late)
        self.scope["extensions"] = {"mooring.abort": {"now": self._abort}}

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. What comes after the head is a trailer: not a header, and nobody's to believe."""
        if not self._head_done:
            super().on_header(name, value)
            self._count(len(name) + len(value))

    def _count(self, size: int) -> None:
        self._read_bytes += size
        if self._read_bytes > HEAD_BYTES:
            self._head_too_large = True
            raise ValueError  # for the parser, which gives up then

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_done = True
        self._head_bytes = 0
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        if self._stuck_timer is None:
            self._stuck_timer = self.loop.call_later(STUCK_SECONDS, self._abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None
        super().resume_writing()

    def handle_websocket_upgrade(self) -> None:
        """The connection becomes a WebSocket's, which keeps time for itself."""
        self._upgraded = True
        self._forget_timers()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What came is not HTTP; nothing is answered that could be taken for the answer to an earlier request."""
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if self.pipeline or cycle is not self._answering or cycle.response_started:
                self._abort()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        if self._head_too_large:
            self._refuse_head()
            return
        self._refuse(400, "APIG.0101", f"{msg}")

    def _refuse_head(self) -> None:
        self._refuse(431, "APIG.0201", f"Request header fields too large: {HEAD_BYTES >> 10} KB are taken.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        content = json.dumps({"error_code": code, "error_msg": message}).encode()
        phrase = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}[status]
        head = (
            f"HTTP/1.1 {status} {phrase}\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n"
            "x-mooring-error-source: gateway\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + content)
        self.transport.close()

    def _head_late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self._abort()
        elif self.scope is None:
            self.transport.close()
        else:
            self._refuse(408, "ModelArts.4205", "The request's head did not arrive in time.")

    def _abort(self) -> None:
        # The loop tells of the end a moment later; until then nobody is to write to what is closed.
        waiting = [cycle for cycle, _ in self.pipeline]
        self.pipeline.clear()
        for cycle in (self._answering, *waiting):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.transport.abort()

    def on_body(self, body: bytes) -> None:
        """A part of a body. One that waits for nothing before it is handed on as it is, uncopied."""
        cycle = self.cycle
        if cycle.body or cycle.response_complete or self.parser.should_upgrade():
            cycle.body = bytearray(cycle.body)
            super().on_body(body)
            return
        cycle.body = body  # type: ignore[assignment]  # which is only measured and turned into bytes from here on
        if len(body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()
        cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        cycle.transport = _Corked(self.transport, self.loop)  # type: ignore[assignment]  # as much of one as it uses
        super()._start_asgi_task(cycle, app)

    def _forget_timers(self) -> None:
        for timer in (self._head_timer, self._stuck_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._stuck_timer = None


class _Corked:
    """A transport that keeps the head of an answer back until its body comes, which is most often at once.

    That is one system call for both, where uvloop makes two.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""
        self._fresh = True
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        """Write, the first piece a little later: with the second, or when the loop comes round."""
        if self._fresh:
            self._fresh = False
            self._held = data
            self._loop.call_soon(self._flush)
        elif self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Close once all is written."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(self._held)
        self._held = b""


def server_options() -> dict[str, Any]:
    """What `uvicorn.Config` is given for a server with a gateway in it."""
    return {
        "http": ListenerProtocol,
        "ws": "websockets-sansio",
        "loop": "uvloop",
        "access_log": False,
        "log_level": "warning",
        "server_header": False,
        "date_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "ws_max_size": 16 << 20,
        "ws_per_message_deflate": False,
    }
