"""The workers and the queue before them: who answers which call, and what becomes of a call whose worker dies."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from typing import TYPE_CHECKING

from mooring_serve import wire
from mooring_serve.logs import log
from mooring_serve.member import Member
from mooring_serve.problem import not_ready, queue_full, timed_out, worker_died

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring_serve.call import Call
    from mooring_serve.problem import Problem
    from mooring_serve.settings import Settings
    from mooring_serve.worker_process import Job

_TICK_SECONDS = 0.1
_BACK_OFF_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class Pool:
    """Workers, the calls they hold, and the calls that wait."""

    def __init__(self, job: Job, settings: Settings) -> None:
        self._job = job
        self._settings = settings
        self._waiting: deque[Call] = deque()
        self._loop: asyncio.AbstractEventLoop
        self._on_restart: Callable[[], None]
        self._window: asyncio.TimerHandle | None = None
        self._closing = False
        self.members = [Member(number, job) for number in range(settings.workers)]

    @property
    def waiting(self) -> int:
        """How many calls wait for a worker."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many calls are waiting or with a worker."""
        return len(self._waiting) + sum(len(batch) for member in self.members for batch in member.held)

    @property
    def unready(self) -> str | None:
        """Why no call can be answered now, None when one can."""
        if any(member.ready for member in self.members):
            return None
        return "; ".join(sorted({member.reason for member in self.members}))

    async def start(self, on_restart: Callable[[], None]) -> None:
        """Take up the lines of the workers that were spawned before the loop ran, and begin to watch.

        Args:
            on_restart: called whenever a worker is started again.
        """
        self._on_restart = on_restart
        self._loop = asyncio.get_running_loop()
        for member in self.members:
            await member.connect(self._loop, self._on_frame, self._on_lost)
        self._loop.call_later(_TICK_SECONDS, self._tick)

    def submit(self, call: Call) -> None:
        """Put a call in line.

        Raises:
            Problem: 503 with no worker ready, 429 with the queue full.
        """
        reason = self.unready
        if reason is not None:
            raise not_ready(reason)
        if len(self._waiting) >= self._settings.queue_size:
            self._waiting = deque(waiting for waiting in self._waiting if not waiting.done)
        if len(self._waiting) >= self._settings.queue_size and not any(self._room(member) for member in self.members):
            raise queue_full(len(self._waiting), self._retry_after())
        self._waiting.append(call)
        self._dispatch()

    async def close(self) -> None:
        """End the workers; calls they still hold are given up."""
        self._closing = True
        for member in self.members:
            member.end()
        deadline = time.perf_counter() + 1.0
        while any(member.alive for member in self.members) and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)
        for member in self.members:
            member.kill()

    def give_up(self, reason: str) -> None:
        """Answer every call that waits or is with a worker with 503."""
        self._fail_waiting(not_ready(reason))
        for call in [call for member in self.members for batch in member.held for call in batch]:
            call.fail(not_ready(reason))

    def _retry_after(self) -> int:
        pace = min((member.pace for member in self.members if member.ready), default=1.0)
        return max(1, min(60, math.ceil(pace * len(self._waiting) / max(1, len(self.members)))))

    def _room(self, member: Member) -> bool:
        return member.ready and len(member.held) < member.depth

    def _freest(self) -> Member | None:
        if len(self.members) == 1:
            return self.members[0] if self._room(self.members[0]) else None
        return min((one for one in self.members if self._room(one)), key=lambda one: len(one.held), default=None)

    def _dispatch(self) -> None:
        while self._waiting:
            member = self._freest()
            if member is None or not self._full_enough(member):
                return
            batch = self._next_batch(member)
            if batch:
                member.send(batch, time.perf_counter())

    def _full_enough(self, member: Member) -> bool:
        """Whether to send now or wait for the micro-batch to fill; the window counts from its first call."""
        first = self._waiting[0]
        size = self._settings.batch_size
        if size == 1 or first.api not in member.batched or len(self._waiting) >= size:
            return True
        left = first.arrived + self._settings.batch_window_ms / 1000 - time.perf_counter()
        if left <= 0:
            return True
        if self._window is None:
            self._window = self._loop.call_later(left, self._window_closes)
        return False

    def _window_closes(self) -> None:
        self._window = None
        self._dispatch()

    def _next_batch(self, member: Member) -> list[Call]:
        first = self._waiting[0]
        size = self._settings.batch_size if first.api in member.batched else 1
        batch: list[Call] = []
        while self._waiting and len(batch) < size and self._waiting[0].api == first.api:
            call = self._waiting.popleft()
            if not call.done:  # its caller is gone or it timed out
                batch.append(call)
        return batch

    def _on_frame(self, member: Member, frame: wire.Frame) -> None:
        if frame[0] == wire.DONE:
            self._on_done(member, frame[1], frame[2])
        elif frame[0] == wire.READY:
            member.became_ready(frame[1], time.perf_counter())
            log("INFO", "worker ready", worker=member.number, pid=member.pid, seconds=f"{member.load_seconds:.3f}")
        elif frame[0] == wire.FAILED:
            member.failed_to_load(frame[1], frame[2])
        self._dispatch()

    def _on_done(self, member: Member, answers: list[wire.Answer], seconds: float) -> None:
        batch = member.done(seconds, time.perf_counter())
        for call, answer in zip(batch, answers, strict=True):
            call.model_seconds = seconds
            call.finish(answer)

    def _on_lost(self, member: Member) -> None:
        """A worker is gone: the call it was at is lost, the ones behind it were not begun and wait again."""
        if self._closing:
            return
        how = member.gone(time.perf_counter())
        held, member.held = list(member.held), deque()
        for call in held[0] if held else ():
            call.fail(worker_died(how))
        for batch in reversed(held[1:]):
            self._waiting.extendleft(reversed(batch))
        delay = _BACK_OFF_SECONDS[min(member.failures, len(_BACK_OFF_SECONDS)) - 1]
        member.reason = f"{member.story(how)}; starting it again" + (f" in {delay:g} s" if delay else "")
        log("ERROR", "worker gone", worker=member.number, pid=member.pid, how=how, reason=member.reason)
        if member.failure is not None and self.unready:
            self._fail_waiting(not_ready(self.unready))
        self._loop.call_later(delay, self._respawn, member)

    def _respawn(self, member: Member) -> None:
        if self._closing:
            return
        self._on_restart()
        member.spawn()
        member.connecting = self._loop.create_task(member.connect(self._loop, self._on_frame, self._on_lost))

    def _fail_waiting(self, problem: Problem) -> None:
        while self._waiting:
            self._waiting.popleft().fail(problem)

    def _tick(self) -> None:
        """Look after time limits, and after deaths that the line does not tell."""
        if self._closing:
            return
        now = time.perf_counter()
        limit = self._settings.predict_timeout_seconds
        for call in list(self._waiting):
            self._expire(call, now, limit)
        for member in self.members:
            for batch in member.held:
                for call in batch:
                    self._expire(call, now, limit)
            if member.held and now - member.began > limit:
                log("ERROR", "predict over the time limit", worker=member.number, seconds=f"{now - member.began:.1f}")
                member.kill(f"was stopped, because it was over the time limit of {limit:g} s,")
            elif member.connected and not member.alive:
                member.hang_up()
        self._loop.call_later(_TICK_SECONDS, self._tick)

    @staticmethod
    def _expire(call: Call, now: float, limit: float) -> None:
        if now - call.arrived > limit:
            call.fail(timed_out(limit))
