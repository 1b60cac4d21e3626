"""Feeds items to instances: every item once, whatever fails, with a result or the reason why there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.batch.asking import Failed, Patience
from mooring.batch.item import Outcome
from mooring.batch.work import OUTPUT_DENIED
from mooring.contract.node import shortened
from mooring.errors import MooringError, Unavailable

if TYPE_CHECKING:
    from mooring.batch.instances import Instances
    from mooring.batch.item import Item
    from mooring.batch.work import Work

Journal = Callable[[Sequence[Outcome]], Awaitable[None]]
"""Told what became of items, in the order in which it became clear, as many at a time as there are. While it does not
return, no more than a few are begun; what it raises ends the run."""

# Items in hand for each request that can be under way: while one is read, or waits to be asked again, others go on.
_ITEMS_EACH = 2
_LEAST_ITEMS = 4
# Of fewer requests than this, a share says nothing.
_SHARE_OF = 100
_STORAGE_WAIT_SECONDS, _STORAGE_WAIT_LIMIT_SECONDS = 0.5, 10.0
_LONGEST_ERROR = 500


@dataclass
class Tally:
    """How far a run has come. For tables, requests are rows."""

    items: int = 0
    failed: int = 0
    requests: int = 0
    failed_requests: int = 0
    given_up: str = ""
    """Why the rest was not done, when too much had failed."""
    waiting_for: str = ""
    """What storage last said when it did not answer; "" once an item was done since."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """Stop early when more than this share of requests failed.

    With `total`, the number of requests that there will be, it is a share of those. Without, of those that are done,
    once there are 100.
    """

    percent: float
    total: int | None = None

    def exceeded(self, tally: Tally) -> bool:
        """Whether too much failed."""
        of = self.total if self.total is not None else max(tally.requests, _SHARE_OF)
        return tally.failed_requests * 100 > self.percent * of


class Feed:
    """One run over the items of a job; `tally` tells how far it is at any time."""

    def __init__(
        self,
        work: Work,
        instances: Instances,
        *,
        threshold: Threshold | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Without a threshold, the run goes on however much fails."""
        self._work = work
        self._instances = instances
        self._threshold = threshold
        self._patience = patience or Patience()
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue()
        self._news = asyncio.Event()
        self._stopping = False
        self.tally = Tally()

    def stop(self) -> None:
        """Begin no more items; `run` returns when those in hand are done."""
        self._stopping = True
        self._news.set()

    async def run(self, items: AsyncIterator[Item], journal: Journal) -> Tally:
        """Feed all items, and return when the journal knows of each, or when too much failed.

        Cancel it to end it at once. However it ends, an item that the journal was not told of may have a result, and
        can be done again with no harm.

        Raises:
            Unavailable: no instance answers, or storage does not, for longer than patience has it.
            Denied: results may not be written.
            Exception: whatever the items or the journal raise.
        """
        self._outcomes = asyncio.Queue(maxsize=self._wanted())
        self._instances.on_change = self._news.set
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._watch())
                noting = group.create_task(self._note(journal))
                await self._do_all(group, _Shared(items))
                await self._outcomes.put(None)
                await noting
                watch.cancel()
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        return self.tally

    def _wanted(self) -> int:
        return max(_LEAST_ITEMS, _ITEMS_EACH * self._instances.capacity)

    async def _do_all(self, group: asyncio.TaskGroup, items: _Shared) -> None:
        """As many workers as the instances can use: more when there are more of them."""
        workers: set[asyncio.Task[None]] = set()
        while True:
            self._news.clear()
            while len(workers) < self._wanted() and not (items.dry or self._stopping or self.tally.given_up):
                workers.add(group.create_task(self._worker(items)))
            if not workers:
                return
            news = group.create_task(self._told())
            await asyncio.wait({news, *workers}, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if self.tally.given_up:
                for worker in workers:
                    worker.cancel()
                await asyncio.wait(workers)
            workers = {one for one in workers if not one.done()}

    async def _told(self) -> None:
        await self._news.wait()

    async def _worker(self, items: _Shared) -> None:
        while not self._stopping and (item := await items.next()) is not None:
            outcome = await self._outcome(item)
            self.tally.items += 1
            self.tally.failed += not outcome.ok
            self.tally.waiting_for = ""
            await self._outcomes.put(outcome)

    async def _outcome(self, item: Item) -> Outcome:
        waited = 0.0
        while True:
            try:
                return await self._work.do(item, self._count)
            except Failed as failed:
                return self._failed(item, str(failed))
            except Unavailable as error:
                # Storage is away, which is not the item's fault.
                self.tally.waiting_for = error.message
                if waited >= self._patience.stranded_seconds:
                    raise
                wait = min(_STORAGE_WAIT_LIMIT_SECONDS, max(_STORAGE_WAIT_SECONDS, waited))
                await asyncio.sleep(wait)
                waited += wait
            except MooringError as error:
                if error.case == OUTPUT_DENIED:
                    raise
                return self._failed(item, error.message)

    def _failed(self, item: Item, why: str) -> Outcome:
        self._count(1, 1)
        return Outcome(item, ok=False, error=shortened(why, _LONGEST_ERROR), failed=1)

    def _count(self, requests: int, failed: int) -> None:
        tally = self.tally
        tally.requests += requests
        tally.failed_requests += failed
        if failed > 0 and self._threshold is not None and not tally.given_up and self._threshold.exceeded(tally):
            tally.given_up = (
                f"{tally.failed_requests:,} of {tally.requests:,} requests failed, more than "
                f"{self._threshold.percent:g} % of what there is"
            )
            self._news.set()

    async def _note(self, journal: Journal) -> None:
        more = True
        while more:
            found = [await self._outcomes.get()]
            while not self._outcomes.empty():
                found.append(self._outcomes.get_nowait())
            outcomes = [one for one in found if one is not None]
            more = len(outcomes) == len(found)
            if outcomes:
                await journal(outcomes)

    async def _watch(self) -> None:
        """Give up when nobody has answered for too long."""
        limit = self._patience.stranded_seconds
        while (stranded := self._instances.stranded_seconds()) <= limit:
            await asyncio.sleep(min(1.0, limit / 4))
        raise Unavailable(f"no instance has answered for {stranded:.0f} s", hint="see the instances' logs, then resume")


class _Shared:
    """One stream of items for all workers; `dry` when it has ended."""

    def __init__(self, items: AsyncIterator[Item]) -> None:
        self._items = items
        self._turn = asyncio.Lock()
        self.dry = False

    async def next(self) -> Item | None:
        """The next item, or None at the end."""
        async with self._turn:
            if self.dry:
                return None
            item = await anext(self._items, None)
            self.dry = item is None
            return item


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; the rest is its consequence."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
