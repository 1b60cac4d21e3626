"""A gateway as a process of its own: it asks control for tables, and serves on with its last while control is away."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import hmac
import json
import logging
import os
import resource
import secrets
import signal
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
import uvloop

from mooring.errors import Invalid, Unavailable
from mooring.gateway.app import Gateway
from mooring.gateway.control_client import ControlClient
from mooring.gateway.heads import value_of
from mooring.gateway.listener import server_options
from mooring.gateway.wire import table_from_json, table_to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, MutableMapping

    from mooring.gateway.table import Table

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger("mooring.gateway")
_SAVE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Standalone:
    """How a gateway process is run.

    `control` is the platform's URL, `token` a gateway token of it; whoever shows that token may read `/metrics`, too.
    `cache` is the file that keeps the last table, secrets included, with mode 0600. Calls in flight have
    `grace_seconds` to end once the process is told to stop.
    """

    control: str
    token: str
    listen: str = "127.0.0.1:8100"
    cache: Path | None = None
    grace_seconds: float = 60.0
    name: str = ""


def serve(options: Standalone) -> None:
    """Serve until SIGTERM or SIGINT; Unavailable when the address cannot be listened on."""
    host, port = address(options.listen)
    bare = listening(host, port)
    # Each call under way has two connections; the usual soft limit of 1024 would be reached soon.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, bare:
        runner.run(_serve(options, bare))


def address(listen: str) -> tuple[str, int]:
    """`host:port` taken apart, `[::1]:8100` too; Invalid when it is something else."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the last port there is
        raise Invalid(f"{listen!r} is no address to listen on", hint="write host:port, such as 127.0.0.1:8100")
    return host.strip("[]"), int(port)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; Unavailable when the address is taken, or none of this machine's."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Unavailable(f"cannot listen on {host}:{port}: {error}", hint="choose another address") from error


async def _serve(options: Standalone, bare: socket.socket) -> None:
    name = options.name or f"{socket.gethostname()}-{os.getpid()}"
    async with ControlClient(options.control, options.token) as link:
        # Reports are numbered from 1 by each process, so each has an id of its own.
        gateway = Gateway(link, gateway_id=f"{name}-{secrets.token_hex(4)}")
        if options.cache is not None and (kept := await asyncio.to_thread(read_cache, options.cache)) is not None:
            gateway.take(kept)
        server = Server(
            uvicorn.Config(
                _Root(gateway, options.token),
                lifespan="off",
                timeout_graceful_shutdown=round(options.grace_seconds),
                **server_options(),
            )
        )
        beside = [asyncio.create_task(gateway.run())]
        if options.cache is not None:
            beside.append(asyncio.create_task(_keep(gateway, options.cache)))
        # What was made so far stays for good: full collections, which stop all calls, need not look at it again.
        gc.collect()
        gc.freeze()
        try:
            await server.serve(sockets=[bare])
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


class Server(uvicorn.Server):
    """A server that ends when it is told to and lets the rest of the process end after it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """While it serves, a signal asks it to end, and is not raised again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


class _Root:
    """What the process answers: calls for services, `/healthz` to anyone, `/metrics` to whoever has its token."""

    def __init__(self, gateway: Gateway, token: str) -> None:
        self._gateway = gateway
        self._token = token.encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/healthz":
            number = self._gateway.table.number
            await _say(send, 200 if number else 503, json.dumps({"table": number}).encode(), b"application/json")
        elif scope["type"] == "http" and scope["path"] == "/metrics":
            given = value_of(scope["headers"], b"authorization").removeprefix(b"Bearer ")
            if hmac.compare_digest(given, self._token):
                await _say(send, 200, self._gateway.metrics(), b"text/plain; version=0.0.4; charset=utf-8")
            else:
                await _say(send, 401, b"send the gateway's own token: Authorization: Bearer ...\n", b"text/plain")
        else:
            await self._gateway(scope, receive, send)


async def _say(send: Send, status: int, content: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def _keep(gateway: Gateway, cache: Path) -> None:
    """Keep the last table in the file, for a gateway that starts while control is away."""
    kept = gateway.table.number
    while True:
        await asyncio.sleep(_SAVE_SECONDS)
        table = gateway.table
        if table.number != kept:
            try:
                await asyncio.to_thread(write_cache, cache, table)
            except OSError as error:
                _log.warning("the last table cannot be kept in %s: %s", cache, error)
            kept = table.number


def write_cache(cache: Path, table: Table) -> None:
    """Put the table in the file at once and whole, readable by its owner only."""
    cache.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=cache.parent, prefix=cache.name, delete=False) as file:  # made with mode 0600
        try:
            file.write(table_to_json(table).encode())
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, cache)  # noqa: PTH105 - the same call, for a name
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def read_cache(cache: Path) -> Table | None:
    """The table in the file; None when there is none that can be read, or when others may have written it."""
    try:
        status = cache.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            _log.warning("%s is not this user's alone and is not read; delete it", cache)
            return None
        return table_from_json(cache.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, Invalid) as error:
        _log.warning("the table kept in %s cannot be read: %s", cache, error)
        return None
