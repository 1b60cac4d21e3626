"""What replicas use, measured when somebody asks, and not again within a few seconds."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mooring.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.control.clock import Clock
    from mooring.engine.workload import Engine, Usage

LOG = logging.getLogger(__name__)
FRESH_MS = 5_000


class Measuring:
    """One engine's figures. However many ask, the engine is asked once at a time."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._lock = asyncio.Lock()
        self._usage: Mapping[str, Usage] = {}
        self._measured_at: int | None = None

    async def usage(self) -> Mapping[str, Usage]:
        """What each replica uses, by its name; what was measured last while the engine does not answer."""
        async with self._lock:
            now = self._clock.now_ms()
            if self._measured_at is None or not 0 <= now - self._measured_at < FRESH_MS:
                try:
                    self._usage = await self._engine.measure()
                except Unavailable as error:
                    LOG.debug("nothing can be measured: %s", error)
                self._measured_at = now
            return self._usage
