"""The gateway as a whole: an ASGI application that is handed route tables and passes calls on."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any

from mooring.gateway.call import Call
from mooring.gateway.metrics import gauge
from mooring.gateway.problem import no_such_api
from mooring.gateway.reporting import Reporting
from mooring.gateway.sockets import Sockets
from mooring.gateway.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from mooring.gateway.link import ControlLink
    from mooring.gateway.table import Table

    Message = MutableMapping[str, Any]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Gateway:
    """Calls for services in, answers of their replicas out; `GET|POST|... /v1/infers/{service_id}[/{path}]`.

    It is an ASGI application. Run `run()` beside it, which keeps the link to control up; without a link it serves the
    table it was last given by `take`. `now_ms` is the time of day in milliseconds, `lot` gives random numbers from 0 up
    to 1.
    """

    def __init__(
        self,
        link: ControlLink | None = None,
        *,
        gateway_id: str = "gateway",
        now_ms: Callable[[], int] = _now_ms,
        lot: Callable[[], float] = random.random,
    ) -> None:
        self._traffic = Traffic(now_ms=now_ms, fell_silent=self._fell_silent, lot=lot)
        self._sockets = Sockets(self._traffic)
        self._reporting = Reporting(link, gateway_id, self._traffic, self.take) if link is not None else None

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Serve one call, one WebSocket, or the lifespan of a server that asks for it."""
        if scope["type"] == "http":
            await Call(self._traffic, scope, receive, send).run()
        elif scope["type"] == "websocket":
            await self._sockets.serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await _lifespan(receive, send)
        else:
            raise no_such_api()

    @property
    def table(self) -> Table:
        """The table it goes by."""
        return self._traffic.table

    def take(self, table: Table) -> None:
        """Go by this table from now on, if it is newer than the one at hand. On the event loop only."""
        if table.number < self._traffic.table.number:
            return
        self._traffic.take(table)
        self._sockets.drain()
        self._fell_silent()

    async def run(self) -> None:
        """Keep the link to control up, until cancelled."""
        if self._reporting is None:
            await asyncio.Event().wait()
        else:
            await self._reporting.run()

    def metrics(self) -> bytes:
        """Its figures in Prometheus' text format."""
        traffic = self._traffic
        return traffic.metrics.text(
            (
                gauge("table_number", "The route table in use.", {"": float(traffic.table.number)}),
                gauge("in_flight", "Calls in flight at a replica.", dict(traffic.counting.in_flight), "replica"),
            )
        )

    def _fell_silent(self) -> None:
        if self._reporting is not None:
            self._reporting.tell()


async def _lifespan(receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
