"""The jobs of batch services, each worked at by one task for as long as its service wants that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from mooring.batch.instances import Instances
from mooring.batch.spool import tidy
from mooring.control.job_rows import Overtaken
from mooring.control.job_run import JobRun
from mooring.control.own_loop import OwnLoop
from mooring.control.threads import in_thread
from mooring.errors import Unavailable
from mooring.storage.threads import stay_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mooring.control.job_run import JobGround

LOG = logging.getLogger(__name__)
# Requests that an instance gets at a time, where its service does not say.
AT_ONCE = 8
# A fault of our own is tried again so often, after so long each time.
ATTEMPTS, AGAIN_SECONDS = 3, 1.0


class Jobs:
    """Level-triggered, as the reconciler is: what is to be worked at is read from the rows again and again."""

    def __init__(self, ground: JobGround, *, resync_seconds: float) -> None:
        self._ground = ground
        self._resync_seconds = resync_seconds
        self._working: dict[int, asyncio.Task[None]] = {}
        self._feeding: dict[str, tuple[OwnLoop, Instances]] = {}
        self._targets: Mapping[str, Mapping[str, str]] = {}
        self._event = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Called with a service's id when its job changed what is wanted of it.
        self.on_wish: Callable[[str], None] = lambda _: None

    def wake(self, _: str = "") -> None:
        """Look at the rows at once; from any thread."""
        if self._loop:
            with contextlib.suppress(RuntimeError):  # a loop that is closed has nobody to wake
                self._loop.call_soon_threadsafe(self._event.set)

    def see(self, targets: Mapping[str, Mapping[str, str]]) -> None:
        """These are the ready replicas of batch services now: URLs by name, by the service's id."""
        before, self._targets = self._targets, targets
        for service_id, (loop, instances) in self._feeding.items():
            found = targets.get(service_id, {})
            if found != before.get(service_id, {}):
                loop.call(instances.replace, tuple(found.values()))

    async def run(self) -> None:
        """Go on for ever; a database that is away is waited for."""
        try:
            while True:
                try:
                    await self.look()
                except Unavailable as error:
                    LOG.warning("jobs have to wait: %s", error)
                except Exception:
                    LOG.exception("looking at the jobs failed")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._resync_seconds):
                        await self._event.wait()
                self._event.clear()
        finally:
            await self.close()

    async def look(self) -> None:
        """Begin to work at every job that is wanted, and leave those that no longer are."""
        self._loop = asyncio.get_running_loop()
        wanted = await in_thread(self._ground.rows.wanted)
        await self._leave(set(self._working) - set(wanted))
        for job_id, (service_id, at_once) in wanted.items():
            if job_id not in self._working:
                self._working[job_id] = asyncio.ensure_future(self._work(job_id, service_id, at_once or AT_ONCE))

    def tidy(self) -> None:
        """Remove what is kept of the tables of jobs that nobody can go on with; blocks."""
        tidy(self._ground.spools, {str(job_id) for job_id in self._ground.rows.present()})

    async def close(self) -> None:
        """Leave all jobs as they are; whoever comes next goes on from there."""
        await self._leave(set(self._working))

    async def _leave(self, jobs: set[int]) -> None:
        tasks = [self._working.pop(job_id) for job_id in jobs]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, job_id: int, service_id: str, at_once: int) -> None:
        # In a loop of its own, it may wait for a disk, and be busy, without anybody's waiting for it.
        loop = OwnLoop(f"job-{job_id}")
        instances = Instances(tuple(self._targets.get(service_id, {}).values()), each=at_once)
        self._feeding[service_id] = loop, instances
        try:
            await loop.run(lambda: self._attempt(job_id, instances))
        except Overtaken:
            LOG.debug("job %d is not wanted any more", job_id)
        finally:
            if self._feeding.get(service_id) == (loop, instances):
                del self._feeding[service_id]
            self._working.pop(job_id, None)
        self.on_wish(service_id)

    async def _attempt(self, job_id: int, instances: Instances) -> None:
        stay_here()
        for attempt in range(1, ATTEMPTS + 1):
            run = JobRun(self._ground, job_id, instances)
            try:
                return await run.work()
            except (Overtaken, Unavailable):
                raise
            except Exception as error:
                LOG.exception("working at job %d failed", job_id)
                if attempt == ATTEMPTS:
                    return await run.give_up(f"a fault of the platform's own: {type(error).__name__}: {error}")
                await self._ground.clock.sleep(AGAIN_SECONDS)
        return None
