"""Connections to replicas: kept while idle, for a shorter time than the replicas keep theirs."""

from __future__ import annotations

import asyncio
import socket
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mooring.gateway.connection import Broken, Connection, Failure

if TYPE_CHECKING:
    from collections.abc import Collection

    from mooring.gateway.table import Limits

# More idle connections to one replica than this are of no use to anyone.
_IDLE_EACH = 64
_SWEEP_SECONDS = 5.0


class Upstream:
    """All connections to replicas, by the URL that a route gives for them."""

    def __init__(self) -> None:
        self._idle: dict[str, list[tuple[Connection, float]]] = {}
        self._sweeper: asyncio.TimerHandle | None = None

    def idle(self, url: str) -> Connection | None:
        """A connection that stands already: the one used last, since it is least likely to be closed right now."""
        waiting = self._idle.get(url)
        now = asyncio.get_running_loop().time()
        while waiting:
            connection, until = waiting.pop()
            if now < until and connection.alive:
                return connection
            connection.close()
        return None

    async def connect(self, url: str, limits: Limits) -> Connection:
        """A new connection; Broken with REFUSED, CONNECT_TIMEOUT or TLS. Nothing was sent to the replica then."""
        loop = asyncio.get_running_loop()
        host, port, context = _address(url)
        try:
            async with asyncio.timeout(limits.connect_seconds):
                _, connection = await loop.create_connection(lambda: Connection(loop), host, port, ssl=context)
        except TimeoutError:
            raise Broken(Failure.CONNECT_TIMEOUT) from None
        except (ssl.SSLError, ConnectionAbortedError):
            raise Broken(Failure.TLS) from None
        except OSError:
            raise Broken(Failure.TLS if context and await _listens(host, port) else Failure.REFUSED) from None
        return connection

    async def socket(self, url: str, limits: Limits) -> socket.socket:
        """A bare connection, for another protocol than HTTP; Broken as `connect`, but for TLS, which is not begun."""
        loop = asyncio.get_running_loop()
        host, port, _ = _address(url)
        try:
            async with asyncio.timeout(limits.connect_seconds):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                family, kind, protocol, _, address = found[0]
                bare = socket.socket(family, kind, protocol)
                bare.setblocking(False)
                try:
                    await loop.sock_connect(bare, address)
                except BaseException:
                    bare.close()
                    raise
        except TimeoutError:
            raise Broken(Failure.CONNECT_TIMEOUT) from None
        except OSError:
            raise Broken(Failure.REFUSED) from None
        return bare

    def release(self, url: str, connection: Connection, limits: Limits) -> None:
        """Take a connection back after `Connection.end` allowed it."""
        waiting = self._idle.setdefault(url, [])
        if len(waiting) >= _IDLE_EACH:
            connection.close()
            return
        waiting.append((connection, connection.idle_since + limits.keep_alive_seconds))
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def keep_only(self, urls: Collection[str]) -> None:
        """Close what is idle to any other replica, so that a replica that stops has nobody to wait for."""
        for url in [one for one in self._idle if one not in urls]:
            for connection, _ in self._idle.pop(url):
                connection.close()

    def close(self) -> None:
        """Close all that is idle."""
        self.keep_only(())
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for url, waiting in list(self._idle.items()):
            kept = [(one, until) for one, until in waiting if now < until and one.alive]
            for one, _ in set(waiting).difference(kept):
                one.close()
            if kept:
                self._idle[url] = kept
            else:
                del self._idle[url]
        self._sweeper = loop.call_later(_SWEEP_SECONDS, self._sweep) if self._idle else None


async def _listens(host: str, port: int) -> bool:
    """Whether a failed handshake was one: something accepts connections there."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


@lru_cache(maxsize=4096)
def _address(url: str) -> tuple[str, int, ssl.SSLContext | None]:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return parts.hostname or "", parts.port or (443 if secure else 80), any_certificate() if secure else None


@lru_cache(maxsize=1)
def any_certificate() -> ssl.SSLContext:
    """TLS without asking who is there: containers sign for themselves, and the address comes from the engine."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
