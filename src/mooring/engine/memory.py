"""The memory engine: workloads that are servers in this very process, for tests of what stands above an engine.

Nothing of it is a stand-in for sockets: they listen on real ports of the loopback, and answer other processes, too.
What a workload does, its image's name tells (memory_behaviour.py).
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

from mooring.engine.asking import Asker
from mooring.engine.memory_behaviour import Behaviour
from mooring.engine.memory_replica import MemoryReplica
from mooring.engine.names import require_name
from mooring.engine.probe import Answer, Outcome
from mooring.engine.workload import Probe, State, Usage
from mooring.errors import NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping
    from datetime import datetime

    from mooring.engine.workload import LogLine, Workload, WorkloadSighting

T = TypeVar("T")
FOLLOW_SECONDS = 0.02
MEMORY_BYTES = 16 << 20
# What takes a connection needs some turns of the loop until there is somebody who closes it.
TAKING_TURNS = 6


class MemoryWorld:
    """Where the workloads live: a thread with a loop of its own, so that they outlive the engine that started them.

    A test may look and meddle: `applied` are the names of all that was ever started, in order; `reachable = False`
    lets every call of an engine raise Unavailable; `kill` ends a workload as `kill -9` does.
    """

    def __init__(self) -> None:
        self.replicas: dict[tuple[str, str], MemoryReplica] = {}
        self.applied: list[str] = []
        self.reachable = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="memory-world", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do it where the workloads live, and wait for it."""
        if not self.reachable or self._loop.is_closed():
            doing.close()
            raise Unavailable("the memory engine does not answer")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(doing, self._loop))

    def replica(self, name: str) -> MemoryReplica:
        """The one of that name, whatever platform's it is; KeyError when there is none."""
        return next(one for (_, known), one in list(self.replicas.items()) if known == name)

    def kill(self, name: str, *, exit_code: int = 137, why: str = "SIGKILL") -> None:
        """End it at once and leave it there, ended."""
        asyncio.run_coroutine_threadsafe(_call(lambda: self.replica(name).kill(exit_code, why)), self._loop).result()

    def close(self) -> None:
        """End all of it."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for replica in list(self.replicas.values()):
            await replica.close()
        self.replicas.clear()
        for _ in range(TAKING_TURNS):
            await asyncio.sleep(0)
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)


async def _call(doing: Any) -> None:
    doing()


class MemoryEngine:
    """The workloads of one platform in a world; without one given it has its own, which ends when it is closed."""

    name = "memory"

    def __init__(self, platform_id: str, world: MemoryWorld | None = None) -> None:
        self.world = world or MemoryWorld()
        self._owns_world = world is None
        self.platform_id = require_name(platform_id)
        self._asker = Asker()

    async def apply(self, workload: Workload) -> None:
        """As the promise has it."""
        require_name(workload.name)
        if workload.project:
            raise Refused("the memory engine runs no projects", hint="give an image, memory:ready for one")
        await self.world.run(self._apply(workload, Behaviour.of(workload.image)))

    async def _apply(self, workload: Workload, behaviour: Behaviour) -> None:
        key = self.platform_id, workload.name
        if key in self.world.replicas:
            return
        self.world.replicas[key] = replica = MemoryReplica(workload, behaviour)
        self.world.applied.append(workload.name)
        await replica.start()

    async def remove(self, name: str, *, grace_seconds: float) -> None:
        """As the promise has it."""
        await self.world.run(self._remove(name, grace_seconds))

    async def _remove(self, name: str, grace_seconds: float) -> None:
        key = self.platform_id, name
        replica = self.world.replicas.get(key)
        if replica is None:
            return
        await replica.stop(grace_seconds)
        await replica.close()
        if self.world.replicas.get(key) is replica:
            del self.world.replicas[key]

    async def observe(self) -> Mapping[str, WorkloadSighting]:
        """As the promise has it."""
        return await self.world.run(self._observe())

    async def _observe(self) -> Mapping[str, WorkloadSighting]:
        return {name: one.sighting for (owner, name), one in self.world.replicas.items() if owner == self.platform_id}

    async def ask(self, name: str, probe: Probe) -> Answer:
        """As the promise has it; a command is not run, but answered as a question about health is."""
        replica = await self._replica(name)
        seen = replica.sighting
        if not seen.url:
            return Answer(Outcome.REFUSED, detail=seen.why or "it has no address yet")
        if not probe.command:
            return await self._asker.http(seen.url, probe)
        health = await self.world.run(_health(replica))
        return Answer(Outcome.ANSWERED, status=health.status, body=str(health.value))

    async def measure(self) -> Mapping[str, Usage]:
        """Made-up figures within the limits, for each that runs."""
        seen = await self.observe()
        running = [name for name, one in seen.items() if one.state in {State.RUNNING, State.STOPPING}]
        return {
            name: Usage(
                cpu_cores=0.0,
                memory_bytes=MEMORY_BYTES,
                cpu_cores_limit=(replica := await self._replica(name)).workload.cpu_cores,
                memory_bytes_limit=replica.workload.memory_bytes,
            )
            for name in running
        }

    async def logs(self, name: str, *, since: datetime | None = None, follow: bool = False) -> AsyncIterator[LogLine]:
        """As the promise has it."""
        replica = await self._replica(name)
        at = 0
        while True:
            ended = replica.sighting.state is State.EXITED
            lines = replica.lines[at:]
            at += len(lines)
            for line in lines:
                if since is None or line.time > since:
                    yield line
            if not follow or ended:
                return
            await asyncio.sleep(FOLLOW_SECONDS)

    async def diagnose(self, name: str) -> str:
        """What its image's name asked for, where that is why it is not well."""
        replica = await self._replica(name)
        seen = replica.sighting
        if seen.state is State.EXITED:
            return f"it has ended: {seen.why}"
        answer = await self.ask(name, Probe(url="/health", timeout_seconds=0.5))
        if answer.ok:
            return ""
        said = f"{answer.status} {answer.reason}" if answer.status else f"{answer.outcome.value} {answer.detail}"
        return f"GET /health: {said.strip()}"

    async def close(self) -> None:
        """Let go; workloads stay, if the world was given."""
        self._asker.close()
        if self._owns_world:
            await asyncio.to_thread(self.world.close)

    async def _replica(self, name: str) -> MemoryReplica:
        replica = await self.world.run(self._find(name))
        if replica is None:
            raise NotFound(f"there is no workload {name!r}")
        return replica

    async def _find(self, name: str) -> MemoryReplica | None:
        return self.world.replicas.get((self.platform_id, name))


async def _health(replica: MemoryReplica) -> Any:
    return replica.health()
