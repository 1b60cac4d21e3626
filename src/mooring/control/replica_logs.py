"""What replicas wrote, taken down as they write it, and there to read when they are gone."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import shutil
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from mooring.control.log_file import LogFile, Reading, replicas_in
from mooring.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from mooring.engine.workload import Engine, LogLine

LOG = logging.getLogger(__name__)
# After a stream broke, before it is opened again.
AGAIN_SECONDS = 1.0
# What a replica said last is on its way when its engine has let it go.
ENDING_SECONDS = 2.0
# So many lines at once are read in a thread.
BATCH = 500
# After so many lines others have their turn on the event loop: one that never stops writing must not be all it does.
TURN_LINES = 200
TURN_SECONDS = 0.03


@dataclass(frozen=True)
class Followed:
    """A replica that runs or ran: whose it is, and since when (ms), which tells its processes from each other."""

    service_id: str
    started_at_ms: int | None


@dataclass
class _Following:
    followed: Followed
    task: asyncio.Task[None]


class ReplicaLogs:
    """Follows every replica it is told of, into DATA/logs/SERVICE/REPLICA.jsonl; bounded per replica."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        most_bytes: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._folder = folder
        self._most_bytes = most_bytes
        self._sleep = sleep
        self._following: dict[str, _Following] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._written: dict[str, asyncio.Event] = {}

    def keep(self, replicas: Mapping[str, Followed]) -> None:
        """Follow these from now on; what others say last is still taken down."""
        for name in set(self._following) - set(replicas):
            self._let_go(self._following.pop(name).task)
        for name, followed in replicas.items():
            known = self._following.get(name)
            if known is None or known.followed != followed:
                task = asyncio.ensure_future(self._follow(name, followed, known.task if known else None))
                self._following[name] = _Following(followed, task)

    async def close(self) -> None:
        """Follow nobody any more."""
        tasks = [one.task for one in self._following.values()] + list(self._ending)
        self._following.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def remove(self, service_id: str) -> None:
        """Forget all that the service's replicas wrote."""
        tasks = [one.task for one in self._following.values() if one.followed.service_id == service_id]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(shutil.rmtree, self._folder / service_id, ignore_errors=True)
        self._wake(service_id)

    async def read(
        self,
        service_id: str,
        *,
        replica: str | None = None,
        since_ms: int | None = None,
        tail: int | None = None,
        follow: bool = False,
    ) -> AsyncIterator[dict[str, Any]]:
        """Lines as {time, stream, text, replica}, oldest first: of one replica or all, later than a time, the last few.

        With `follow` it goes on with what is written until the service is removed.
        """
        since = "" if since_ms is None else _text(datetime.fromtimestamp(since_ms / 1000, UTC))
        readings = _Readings(self._folder / service_id, replica)
        try:
            event = self._written.setdefault(service_id, asyncio.Event())
            async for line in _batches(readings.merged(since=since, tail=tail)):
                yield line
            while follow:
                await event.wait()
                event = self._written.setdefault(service_id, asyncio.Event())
                async for line in _batches(readings.merged(since=since)):
                    yield line
                if not readings.folder.exists():
                    return
        finally:
            readings.close()

    def prune(self, *, before_ms: int, keep: frozenset[str]) -> None:
        """Forget what replicas that are gone wrote last before that time; blocks."""
        for folder in self._folder.glob("*/"):
            for path in folder.glob("*.jsonl"):
                name = path.name.split(".")[0]
                with contextlib.suppress(FileNotFoundError):  # the service was deleted meanwhile, or the file rotated
                    if name not in keep and path.stat().st_mtime * 1000 < before_ms:
                        path.unlink()

    async def _follow(self, name: str, followed: Followed, before: asyncio.Task[None] | None) -> None:
        if before:
            await self._end(before)
        file = LogFile(self._folder / followed.service_id, name, most_bytes=self._most_bytes)
        try:
            while not await self._stream(name, file, followed.service_id):
                await self._sleep(AGAIN_SECONDS)
        finally:
            file.close()

    async def _stream(self, name: str, file: LogFile, service_id: str) -> bool:
        """Take down what it says until it is gone; False when the stream broke before."""
        since = await asyncio.to_thread(file.last_time)
        loop, lines = asyncio.get_running_loop(), 0
        gathered: list[LogLine] = []
        write = partial(self._write, file, gathered, service_id)
        try:
            async for line in self._engine.logs(name, since=since, follow=True):
                # What comes in one turn of the loop is written in one.
                if not gathered:
                    loop.call_soon(write)
                gathered.append(line)
                lines += 1
                if lines % TURN_LINES == 0:
                    await asyncio.sleep(TURN_SECONDS)
        except NotFound:
            return True
        except Unavailable as error:
            LOG.debug("cannot follow %s: %s", name, error)
            return False
        except Exception:
            LOG.exception("following %s failed", name)
            return False
        finally:
            write()
        return True

    def _write(self, file: LogFile, gathered: list[LogLine], service_id: str) -> None:
        if gathered:
            file.write(*gathered)
            gathered.clear()
            self._wake(service_id)

    def _wake(self, service_id: str) -> None:
        if event := self._written.pop(service_id, None):
            event.set()

    def _let_go(self, task: asyncio.Task[None]) -> None:
        ending = asyncio.ensure_future(self._end(task))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def _end(self, task: asyncio.Task[None]) -> None:
        await asyncio.wait((task,), timeout=ENDING_SECONDS)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class _Readings:
    """The files of one service's replicas, read in step."""

    def __init__(self, folder: Path, replica: str | None) -> None:
        self.folder = folder
        self._replica = replica
        self._readings: dict[str, Reading] = {}

    def merged(self, *, since: str, tail: int | None = None) -> Iterator[dict[str, Any]]:
        """What there is to read now, by time."""
        names = [name for name in replicas_in(self.folder) if self._replica in {None, name}]
        for name in names:
            self._readings.setdefault(name, Reading(self.folder, name))
        lines = heapq.merge(*(self._readings[name].lines() for name in names), key=lambda line: str(line["time"]))
        later = (line for line in lines if line["time"] > since)
        return later if tail is None else iter(deque(later, maxlen=tail))

    def close(self) -> None:
        for reading in self._readings.values():
            reading.close()


async def _batches(lines: Iterator[dict[str, Any]]) -> AsyncIterator[dict[str, Any]]:
    while batch := await asyncio.to_thread(lambda: list(islice(lines, BATCH))):
        for line in batch:
            yield line


def _text(time: datetime) -> str:
    return time.isoformat(timespec="microseconds")
