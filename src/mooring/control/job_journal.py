"""What became of items on its way into the rows: gathered for a moment, so that not each one is a transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from mooring.control.job_pace import Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mooring.batch.feed import Tally
    from mooring.batch.item import Outcome
    from mooring.control.clock import Clock

# Outcomes are written after so long at the latest, or when there are so many: what was not, is done again.
# Each writing is a transaction and a wait for the disk, which cost as much for one as for hundreds.
GATHER_SECONDS, MOST_GATHERED = 0.5, 1000
# How far tables in hand are is written so often.
LIVE_MS = 1000


class JobJournal:
    """An async context around one run of a feed; when it is left, all that was taken is written."""

    def __init__(self, tally: Tally, write: Callable[[list[Outcome], int, int], Awaitable[None]], clock: Clock) -> None:
        """`write` keeps outcomes, how many requests are done of items in hand, and how many are in 1000 seconds."""
        self._tally = tally
        self._write = write
        self._clock = clock
        self._pace = Pace(tally.requests, clock.now_ms)
        self._kept = tally.requests
        self._gathered: list[Outcome] = []
        self._writing = asyncio.Lock()
        self._told = (0, clock.now_ms())
        self._beat: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._beat = asyncio.create_task(self._write_soon())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._beat:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        await self._flush()

    async def take(self, outcomes: Sequence[Outcome]) -> None:
        """What became of items; waits only when more comes than can be written."""
        self._gathered.extend(outcomes)
        if len(self._gathered) >= MOST_GATHERED:
            await self._flush()

    async def _write_soon(self) -> None:
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        async with self._writing:
            taken, self._gathered = self._gathered, []
            kept = self._kept + sum(one.requests for one in taken)
            live, now = max(self._tally.requests - kept, 0), self._clock.now_ms()
            if not taken and (live == self._told[0] or now - self._told[1] < LIVE_MS):
                return
            try:
                await self._write(taken, live, self._pace.at(self._tally.requests))
            except BaseException:
                self._gathered = taken + self._gathered
                raise
            self._kept, self._told = kept, (live, now)
