"""Asking a workload once over HTTP whether it is well, from asyncio and without taking anybody else's threads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from mooring.engine.probe import Outcome
from mooring.engine.wire import Request, Target, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.engine.probe import Answer
    from mooring.engine.workload import Probe

T = TypeVar("T")
# A probe that hangs holds its thread until its time is over; those of other workloads must not wait for that.
THREADS = 64
HEALTHY = 200
AGENT = "mooring-probe"


class Asker:
    """Threads for questions, made as they are needed."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe")

    async def run(self, question: Callable[[], T]) -> T:
        """Do what blocks in one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, question)

    async def http(self, url: str, probe: Probe) -> Answer:
        """Ask the server at `url` (`http://HOST:PORT`) what `http_answer` asks."""
        return await self.run(lambda: http_answer(url, probe))

    def close(self) -> None:
        """Let the threads go as they end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def http_answer(url: str, probe: Probe) -> Answer:
    """What the server at `url` answers to the probe; without a url of its own any HTTP answer counts as 200."""
    request = Request("GET", probe.url or "/", {"User-Agent": AGENT})
    answer = exchange(Target.of(url), request, timeout_seconds=probe.timeout_seconds).as_answer()
    if probe.url or answer.outcome is not Outcome.ANSWERED:
        return answer
    return replace(answer, status=HEALTHY, detail=f"answered {answer.status}")
