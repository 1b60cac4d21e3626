"""The link to control, kept up: the newest table in, a report out every second and whenever there is news."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mooring.errors import MooringError, Unavailable
from mooring.gateway.link import GatewayReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.gateway.link import ControlLink
    from mooring.gateway.table import Table
    from mooring.gateway.traffic import Traffic

_log = logging.getLogger("mooring.gateway")
REPORT_SECONDS = 1.0
_PAUSE_SECONDS = 1.0


class Reporting:
    """Both halves of the talk with control; a gateway goes on with what it has while control is away."""

    def __init__(self, link: ControlLink, gateway_id: str, traffic: Traffic, take: Callable[[Table], None]) -> None:
        self._link = link
        self._gateway_id = gateway_id
        self._traffic = traffic
        self._take = take
        self._news = asyncio.Event()
        self._number = 0
        self._unheard: GatewayReport | None = None
        self._away = False

    def tell(self) -> None:
        """There is news that control waits for."""
        self._news.set()

    async def run(self) -> None:
        """Keep the link up until cancelled; what was counted last is told on the way out."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tables())
                group.create_task(self._reports())
        finally:
            await self.last_word()

    async def last_word(self) -> None:
        """Tell once more, for two seconds at most."""
        try:
            async with asyncio.timeout(2):
                await self._report()
        except (Unavailable, TimeoutError):
            pass

    async def _tables(self) -> None:
        while True:
            before = self._traffic.table.number
            began = asyncio.get_running_loop().time()
            try:
                table = await self._link.table(after=before)
            except Exception as error:  # noqa: BLE001 - whatever becomes of control, traffic goes on
                self._is_away(error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if table.number > before:
                self._take(table)
            elif asyncio.get_running_loop().time() - began < _PAUSE_SECONDS:
                await asyncio.sleep(
                    _PAUSE_SECONDS
                )  # an answer that comes at once and brings nothing is not asked for again at once

    async def _reports(self) -> None:
        while True:
            self._news.clear()
            try:
                await self._report()
                self._is_back()
            except Exception as error:  # noqa: BLE001 - whatever becomes of control, traffic goes on
                self._is_away(error)
            try:
                async with asyncio.timeout(REPORT_SECONDS):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _report(self) -> None:
        """Say how it is. Counts that control may not have got are told again under the same number."""
        traffic = self._traffic
        counts = self._unheard.counts if self._unheard else traffic.counting.drain()
        if self._unheard is None:
            self._number += 1
        self._unheard = GatewayReport(
            gateway_id=self._gateway_id,
            number=self._number,
            table=traffic.table.number,
            in_flight=dict(traffic.counting.in_flight),
            counts=counts,
        )
        await self._link.report(self._unheard)
        self._unheard = None

    def _is_away(self, why: Exception) -> None:
        if not self._away:
            self._away = True
            story = None if isinstance(why, MooringError) else why
            number = self._traffic.table.number
            _log.warning("control is away (%s); going on with table %d", why, number, exc_info=story)

    def _is_back(self) -> None:
        if self._away:
            self._away = False
            _log.warning("control is back")
