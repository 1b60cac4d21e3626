"""The listening socket and its connections: who is connected, for how long, and the way out."""

from __future__ import annotations

import asyncio
import socket
from email.utils import formatdate
from typing import TYPE_CHECKING

from mooring_serve.connection import Connection

if TYPE_CHECKING:
    from mooring_serve.app import App
    from mooring_serve.settings import Settings

_BACKLOG = 2048
_SWEEP_SECONDS = 0.5


class Listener:
    """Takes connections and looks after them."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.loop = asyncio.get_running_loop()
        self.date = _date()
        self.draining = False
        self._connections: dict[Connection, None] = {}  # a set that keeps their order
        self._server: asyncio.Server | None = None

    async def open(self, sock: socket.socket) -> None:
        """Begin to take connections."""
        self._server = await self.loop.create_server(lambda: Connection(self), sock=sock)
        self.loop.call_later(_SWEEP_SECONDS, self._sweep)

    def join(self, connection: Connection) -> bool:
        """Note a new connection, in the place of the longest silent one if need be; False when there are too many."""
        if len(self._connections) >= self.settings.connections:
            silent = [one for one in self._connections if one.silent]
            if silent:
                longest = min(silent, key=lambda one: one.last_byte)
                self.leave(longest)
                longest.close()
        self._connections[connection] = None
        return len(self._connections) <= self.settings.connections

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        self._connections.pop(connection, None)

    @property
    def busy(self) -> int:
        """How many connections have a request on its way in or an answer on its way out."""
        return sum(connection.busy for connection in self._connections)

    def drain(self) -> None:
        """From now on every answer closes its connection."""
        self.draining = True

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()

    def close_silent(self) -> None:
        """Close the connections on which nothing is on the way."""
        for connection in list(self._connections):
            if not connection.busy:
                connection.close()

    def _sweep(self) -> None:
        self.date = _date()
        now = self.loop.time()
        for connection in list(self._connections):
            connection.expire(now)
        self.loop.call_later(_SWEEP_SECONDS, self._sweep)


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


def _date() -> bytes:
    return f"date: {formatdate(usegmt=True)}\r\n".encode()
