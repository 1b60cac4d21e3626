"""Health, asked while calls are made: at its url on connections of its own, or by its command in the container."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.engine.wire import HUNG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.checks.trial.calling import Caller
    from mooring.engine.wire import Reply

EVERY_SECONDS = 0.1


@dataclass(frozen=True)
class Asked:
    """One question for health: whether calls were open meanwhile, and what came of it."""

    busy: bool
    outcome: str
    status: int
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether it was answered, or broken off, with anything but 2xx; to be late is another matter."""
        return self.outcome != HUNG and not 200 <= self.status < 300  # noqa: PLR2004 - the 2xx class of HTTP


class Watch:
    """Asks from `begin` to `end`; `limit_seconds` is how long each answer may take, after which `ask` gives up."""

    def __init__(self, caller: Caller, ask: Callable[[], Reply], *, limit_seconds: float) -> None:
        self._caller = caller
        self._ask = ask
        self._limit = limit_seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.asked: list[Asked] = []

    def begin(self) -> None:
        """Ask from now on."""
        self._thread.start()

    def end(self, *, wait: bool = True) -> None:
        """Ask no more, and wait for the last answer; again is no harm."""
        self._stop.set()
        if wait:
            self._thread.join(self._limit + 1)

    def _run(self) -> None:
        while not self._stop.is_set():
            before = self._caller.busy
            reply = self._ask()
            busy = before or self._caller.busy
            self.asked.append(Asked(busy, reply.outcome, reply.status, reply.seconds))
            self._stop.wait(EVERY_SECONDS)


def busy(watch: Watch, *, died: bool) -> Iterator[Asked]:
    """What was asked while calls were open; without what no answer was to be had for, as the container had died."""
    return (one for one in watch.asked if one.busy and not (died and not one.status and one.outcome != HUNG))
