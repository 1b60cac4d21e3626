"""One place in the pool: the worker that fills it now, the calls it holds, and how it has fared."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

from mooring_serve.logs import log_traceback
from mooring_serve.wire import CALLS, pack
from mooring_serve.worker_process import Job, Line, Spawned

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from mooring_serve.call import Call

# A worker that lived this long is not in a crash loop.
_STEADY_SECONDS = 10.0
# Below this model time the next call is sent before the last is answered, so that the worker never waits for us.
_SHORT_SECONDS = 0.005
_SMOOTHING = 0.1
# How long a worker that hung up has to exit.
_LAST_BREATHS, _BREATH_SECONDS = 20, 0.01


class Member:
    """A worker's place: process, line, calls in hand, health."""

    def __init__(self, number: int, job: Job) -> None:
        self.number = number
        self.ready = False
        self.reason = "loading: the worker is starting"
        self.failure: str | None = None  # why the worker could not load, in its own words
        self.failures = 0  # in a row
        self.batched: tuple[int, ...] = ()
        self.held: deque[list[Call]] = deque()  # oldest first; the first is the one being answered
        self.began = 0.0  # when the first began
        self.pace = 0.0  # smoothed seconds a call
        self.load_seconds = 0.0
        self.connecting: asyncio.Task[None] | None = None
        self._job = job
        self._since = time.monotonic()
        self._ready_at = 0.0
        self._killed_because = ""
        self._told = ""  # the load failure whose traceback is in the log already
        self._spawned: Spawned | None = None
        self._line: Line | None = None
        self.spawn()

    def spawn(self) -> None:
        """Start the process; when the interpreter cannot be run, `connect` will find it lost."""
        self.failure = None
        self._since = time.monotonic()
        try:
            self._spawned = Spawned(self._job)
        except OSError as error:
            self._spawned = None
            self.failure = f"the worker's interpreter {self._job.interpreter} cannot be run: {error.strerror}"

    async def connect(
        self,
        loop: asyncio.AbstractEventLoop,
        on_frame: Callable[[Member, Any], None],
        on_lost: Callable[[Member], None],
    ) -> None:
        """Listen to the worker."""
        if self._spawned is None:
            loop.call_soon(on_lost, self)
            return
        self._line = Line(lambda frame: on_frame(self, frame), lambda: self._hung_up(loop, on_lost, _LAST_BREATHS))
        line = self._line
        await loop.create_unix_connection(lambda: line, sock=self._spawned.line)

    def _hung_up(self, loop: asyncio.AbstractEventLoop, on_lost: Callable[[Member], None], left: int) -> None:
        """Its line is closed: give the process a moment to end by itself, so that we learn how."""
        if self.ready:
            self.ready, self.reason = False, "the worker hung up"
        if self.alive and left and not self._killed_because:
            loop.call_later(_BREATH_SECONDS, self._hung_up, loop, on_lost, left - 1)
        else:
            on_lost(self)

    @property
    def pid(self) -> int:
        """The process id of the worker that is or was here."""
        return self._spawned.process.pid if self._spawned else 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._spawned is not None and self._spawned.ending() is None

    @property
    def connected(self) -> bool:
        """Whether there is a line to the process."""
        return self._line is not None

    @property
    def depth(self) -> int:
        """How many batches the worker may hold."""
        return 2 if 0 < self.pace < _SHORT_SECONDS else 1

    def became_ready(self, batched: tuple[int, ...], now: float) -> None:
        """The model is loaded."""
        self.ready = True
        self.batched = tuple(batched)
        self._ready_at = now
        self.load_seconds = time.monotonic() - self._since

    def failed_to_load(self, reason: str, told_more: str) -> None:
        """The worker says why it could not load; the traceback is logged when the reason is a new one."""
        if told_more and reason != self._told:
            self._told = reason
            log_traceback("loading failed", told_more, worker=self.number)
        self.failure = reason

    def send(self, batch: list[Call], now: float) -> None:
        """Give the worker its next calls."""
        if not self.held:
            self.began = now
        for call in batch:
            call.sent = now
        self.held.append(batch)
        if self._line is not None:
            self._line.transport.write(pack((CALLS, [call.frame for call in batch])))

    def done(self, seconds: float, now: float) -> list[Call]:
        """The calls the worker has just answered."""
        batch = self.held.popleft()
        self.began = now
        share = seconds / len(batch)
        self.pace = share if self.pace == 0 else self.pace + _SMOOTHING * (share - self.pace)
        return batch

    def gone(self, now: float) -> str:
        """Note the end of the process; how it ended, in words that follow "it"."""
        if self._line is not None:
            self._line.transport.abort()
        if self._spawned is not None:
            self._spawned.kill()  # what it started, and itself when only the line was closed
        how = "did not start"
        if self._spawned is not None:
            self._spawned.process.wait()
            how = self._spawned.ending() or how
        how, self._killed_because = self._killed_because or how, ""
        steady = self._ready_at > 0 and now - self._ready_at > _STEADY_SECONDS
        self._ready_at = 0.0
        self.failures = 1 if steady else self.failures + 1
        self.ready = False
        self._line = None
        return how

    def story(self, how: str) -> str:
        """What happened to the worker, for the health answer and the log."""
        if self.failure is not None:
            return f"loading failed: {self.failure}"
        return f"the worker {how}"

    def hang_up(self) -> None:
        """Close the line, so that the loss is noticed."""
        if self._line is not None:
            self._line.transport.abort()

    def end(self) -> None:
        """Close the line: the worker finishes what it does and exits."""
        if self._line is not None:
            self._line.transport.close()

    def kill(self, because: str = "") -> None:
        """End the process now, with what it started.

        Args:
            because: how its end will be told, in words that follow "it".
        """
        self._killed_because = because
        if self._spawned is not None:
            self._spawned.kill()
