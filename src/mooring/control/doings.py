"""What is being done to replicas at the moment, each thing once, in the background."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mooring.control.look import End
from mooring.control.world import Condition
from mooring.errors import MooringError, Unavailable
from mooring.project.serving import served

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
    from typing import Any

    from mooring.contract.edition import Edition
    from mooring.control.look import Apply
    from mooring.engine.workload import Engine, Workload

LOG = logging.getLogger(__name__)
# An engine that has not explained itself by then has nothing to say.
DIAGNOSIS_SECONDS = 20.0


class Doings:
    """Starts and ends replicas; `refused` hears of those that the engine would not have, `done` of all that is over."""

    def __init__(
        self,
        engine: Engine,
        edition: Edition,
        *,
        refused: Callable[[str, str], Awaitable[None]],
        done: Callable[[str], None],
    ) -> None:
        self._engine = engine
        self._edition = edition
        self._refused = refused
        self._done = done
        self._busy: dict[str, Condition] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._diagnosing: set[str] = set()
        self.diagnoses: dict[str, str] = {}

    @property
    def busy(self) -> Mapping[str, Condition]:
        """The replicas that something is being done about, and how they are to be looked at meanwhile."""
        return dict(self._busy)

    def begin(self, service_id: str, name: str, doing: Apply | End) -> None:
        """Do it, unless something is being done about that replica already."""
        if name not in self._busy:
            self._busy[name] = Condition.STOPPING if isinstance(doing, End) else Condition.STARTING
            self.spawn(self._do(service_id, name, doing))

    def diagnose(self, service_id: str, names: Iterable[str]) -> None:
        """Ask the engine what is wrong with them, and have the service looked at again with the answers."""
        if service_id not in self._diagnosing:
            self._diagnosing.add(service_id)
            self.spawn(self._ask(service_id, tuple(names)))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background until it is done, or all of this is closed."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Leave everything as it is; whoever comes next goes on from there."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, service_id: str, name: str, doing: Apply | End) -> None:
        try:
            if isinstance(doing, End):
                await self._engine.remove(name, grace_seconds=doing.grace_seconds)
            else:
                if doing.after_grace is not None:
                    await self._engine.remove(name, grace_seconds=doing.after_grace)
                await self._engine.apply(await self._equipped(doing))
        except Unavailable as error:
            LOG.warning("%s has to wait: %s", name, error)
            return  # the next look comes by itself, and not at once
        except MooringError as error:
            await self._refused(name, f"{error}; {error.hint}" if error.hint else str(error))
        except Exception as error:
            LOG.exception("%s could not be brought about", name)
            await self._refused(name, f"{type(error).__name__}: {error}")
        finally:
            self._busy.pop(name, None)
        self._done(service_id)

    async def _equipped(self, doing: Apply) -> Workload:
        """A project's workload with the command that serves it."""
        if not doing.workload.project:
            return doing.workload
        return await asyncio.to_thread(served, doing.workload, self._edition, config=doing.config)

    async def _ask(self, service_id: str, names: tuple[str, ...]) -> None:
        try:
            found = await asyncio.gather(*(self._diagnosis(name) for name in names))
            self.diagnoses.update(zip(names, found, strict=True))
        finally:
            self._diagnosing.discard(service_id)
        self._done(service_id)

    async def _diagnosis(self, name: str) -> str:
        try:
            async with asyncio.timeout(DIAGNOSIS_SECONDS):
                return await self._engine.diagnose(name)
        except (MooringError, TimeoutError) as error:
            LOG.debug("no diagnosis of %s: %s", name, error)
        except Exception:
            LOG.exception("diagnosing %s failed", name)
        return ""
