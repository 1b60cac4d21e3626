"""The instances that share a job: who gets the next request, and how many at a time."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

# How many good answers it takes to try one more request at a time: doubled each time that it was one too many.
_FIRST_NEEDED, _MOST_NEEDED = 8, 1024
_COOL_SECONDS, _COOL_LIMIT_SECONDS = 0.1, 5.0


@dataclass
class Instance:
    """One instance: `limit` is how many requests it takes at a time, as far as it has shown."""

    url: str
    limit: int
    calls: int = 0
    good: int = 0
    """Answers since the limit last changed, and in `needed`, how many it takes to try one more."""
    needed: int = _FIRST_NEEDED
    excused: int = 0
    """Calls under way that were begun under an earlier limit, and say nothing of this one."""
    breaks: int = 0
    lost_at: float = math.inf
    """Since when it has not answered, while it was asked."""
    cool_until: float = 0.0
    alone: bool = False


class Instances:
    """Which instances there are may change at any time: `replace` them.

    The instance with the fewest calls in flight is next. One that says it is too busy gets half as many at a time, and
    one more again after a while, which is longer each time; one whose connections break rests for a while. A caller may
    ask to be alone: nothing else is with that instance then, and if it breaks, everybody knows why.
    """

    def __init__(self, urls: Collection[str] = (), *, each: int = 8) -> None:
        """`each` is the most requests that one instance gets at a time."""
        self._each = each
        self._all: dict[str, Instance] = {}
        self._waiting: deque[tuple[asyncio.Future[Instance], bool]] = deque()
        self._lone = 0
        self._reserved: Instance | None = None
        self._empty_at: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._found_loop: asyncio.AbstractEventLoop | None = None
        # Called when there are others; the feed listens.
        self.on_change: Callable[[], None] = lambda: None
        self.replace(urls)

    @property
    def capacity(self) -> int:
        """How many requests all of them get at a time at most."""
        return self._each * len(self._all)

    def replace(self, urls: Collection[str]) -> None:
        """These are all there are from now on. Calls to others go on until they end."""
        self._all = {url: self._all.get(url) or Instance(url, self._each) for url in dict.fromkeys(urls)}
        self._empty_at = None
        if self._reserved is not None and self._all.get(self._reserved.url) is not self._reserved:
            self._reserved = None
        self.on_change()
        self._grant()

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        # Asking for the running loop costs a system call in some Pythons.
        self._found_loop = self._found_loop or asyncio.get_running_loop()
        return self._found_loop

    def stranded_seconds(self) -> float:
        """For how long there has been no instance, or none that answers; 0 while one may."""
        now = self._loop.time()
        if not self._all:
            self._empty_at = self._empty_at or now
            return now - self._empty_at
        return max(0.0, now - max(one.lost_at for one in self._all.values()))

    def take(self) -> Instance | None:
        """An instance that can take a request now, if there is one and nobody waits; `release` it afterwards."""
        return None if self._waiting else self._free(alone=False)

    async def acquire(self, *, alone: bool = False) -> Instance:
        """Wait for an instance that can take a request; `release` it afterwards."""
        if not self._waiting and (found := self._free(alone=alone)) is not None:
            return found
        future: asyncio.Future[Instance] = self._loop.create_future()
        self._waiting.append((future, alone))
        self._lone += alone
        self._grant()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self.release(future.result())
            raise
        finally:
            self._lone -= alone
            if not self._lone and self._reserved is not None:
                self._reserved = None
                self._grant()

    def release(self, instance: Instance) -> None:
        """Give back what `acquire` gave."""
        instance.calls -= 1
        instance.alone = False
        if self._waiting:
            self._grant()

    def answered(self, instance: Instance, *, busy: bool) -> None:
        """It answered; `busy` when that was that it has too much to do."""
        instance.lost_at, instance.breaks = math.inf, 0
        if instance.excused:
            instance.excused -= 1
        elif busy:
            instance.limit = max(1, instance.limit // 2)
            instance.good, instance.needed = 0, min(2 * instance.needed, _MOST_NEEDED)
            instance.excused = instance.calls - 1
        else:
            instance.good += 1
            if instance.good >= instance.needed and instance.limit < self._each:
                instance.limit, instance.good = instance.limit + 1, 0

    def broke(self, instance: Instance) -> None:
        """A connection to it broke, or was refused."""
        now = self._loop.time()
        instance.lost_at = min(instance.lost_at, now)
        rest = min(_COOL_LIMIT_SECONDS, _COOL_SECONDS * 2**instance.breaks)
        if now >= instance.cool_until:
            instance.breaks = min(instance.breaks + 1, 16)
            instance.cool_until = now + rest

    def _free(self, *, alone: bool) -> Instance | None:
        """An instance for the next request, if one may have it now."""
        found = self._lone_one() if alone else self._least_busy()
        if found is not None:
            found.calls += 1
        return found

    def _lone_one(self) -> Instance | None:
        """The one that is kept free for a caller who must be alone, once nothing else is with it."""
        ready = [one for one in self._all.values() if not one.alone and not self._rests(one)]
        if ready and self._reserved is None:
            self._reserved = min(ready, key=_calls)
        found = self._reserved
        if found is None or found not in ready or found.calls:
            return None
        found.alone, self._reserved = True, None
        return found

    def _least_busy(self) -> Instance | None:
        found: Instance | None = None
        for one in self._all.values():
            if one.calls >= one.limit or one.alone or one is self._reserved or self._rests(one):
                continue
            if found is None or one.calls < found.calls:
                found = one
        return found

    def _rests(self, instance: Instance) -> bool:
        return instance.cool_until > 0 and instance.cool_until > self._loop.time()

    def _grant(self) -> None:
        """Give what is free to those who wait, in turn; who must be alone does not keep the others waiting."""
        passed: list[tuple[asyncio.Future[Instance], bool]] = []
        seen_lone = False
        while self._waiting:
            future, alone = self._waiting.popleft()
            if future.done():
                continue
            found = None if alone and seen_lone else self._free(alone=alone)
            if found is not None:
                future.set_result(found)
                continue
            passed.append((future, alone))
            seen_lone = seen_lone or alone
            if not alone:
                break
        self._waiting.extendleft(reversed(passed))
        self._look_again()

    def _look_again(self) -> None:
        """Grant once more when the first of those that rest has rested."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiting:
            return
        resting = [one.cool_until for one in self._all.values() if self._rests(one)]
        if resting:
            self._timer = self._loop.call_at(min(resting), self._grant)


def _calls(instance: Instance) -> int:
    return instance.calls
