"""The HTTP server under the application: uvicorn, with its manners where the contract asks for others."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mooring_serve.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Generator

    from mooring_serve.settings import Settings

_HEADER_LIMIT_BYTES = 64 * 1024
_SWEEP_SECONDS = 1.0
_BACKLOG = 2048


class Protocol(HttpToolsProtocol):
    """One connection: errors in our form, bounded headers, and no waiting for ever."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last_byte = self.loop.time()
        self._header_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Note that the client is alive."""
        self.last_byte = self.loop.time()
        super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._header_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Part of the request's path."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _HEADER_LIMIT_BYTES:
            raise ValueError("headers too large")

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, in our form."""
        body = Problem(400, "INVALID_REQUEST", msg).body()
        head = (
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        )
        self.transport.write(head + body)
        self.transport.close()

    def stalled(self, since: float) -> bool:
        """Whether a request has begun, is not whole, and nothing of it came since then."""
        if self.timeout_keep_alive_task is not None or self.last_byte > since:
            return False
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body


class Server(uvicorn.Server):
    """uvicorn, with the signals in other hands."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to `drain`."""
        yield

    async def sweep(self, patience: float) -> None:
        """Close connections whose request does not go on, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_SWEEP_SECONDS, patience / 2))
            since = loop.time() - patience
            for connection in list(self.server_state.connections):
                if isinstance(connection, Protocol) and connection.stalled(since):
                    connection.transport.close()


def server(app: Any, settings: Settings) -> Server:
    """The server for an application."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=settings.keep_alive_seconds,
        limit_concurrency=settings.connections,
        timeout_graceful_shutdown=None,
        backlog=_BACKLOG,
    )
    return Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before anything slow happens.

    Raises:
        OSError: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except BaseException:
        sock.close()
        raise
    sock.set_inheritable(False)
    return sock
