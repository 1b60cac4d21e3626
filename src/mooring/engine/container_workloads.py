"""The docker engine: an image runs in containers of Docker or Podman, held to what the workload says.

Nothing is remembered that could not be read again from the engine: what a container was asked to be is in its labels.
Only that a workload was told to end, and what it answered last, is known to whoever did that.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import docker.errors

from mooring.engine.asking import Asker, http_answer
from mooring.engine.container_diagnosis import facts_of
from mooring.engine.container_ground import CALL_SECONDS, LONG_CALL_SECONDS, Ground
from mooring.engine.container_log import LogStream
from mooring.engine.container_spec import PLATFORM_LABEL, container_name, described, is_ours
from mooring.engine.container_starting import Starting
from mooring.engine.container_usage import Meter
from mooring.engine.diagnosis import diagnose
from mooring.engine.inside import run_health_command
from mooring.engine.names import is_name, require_name
from mooring.engine.probe import Answer, Outcome
from mooring.engine.pump import Pump
from mooring.engine.translation import translated
from mooring.engine.workload import Probe, State
from mooring.errors import Conflict, Invalid, MooringError, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping
    from datetime import datetime

    from mooring.engine.container_seen import Seen
    from mooring.engine.docker import DockerEngine
    from mooring.engine.workload import LogLine, Usage, Workload, WorkloadSighting

# Making and starting may each take as long as a call may.
APPLY_SECONDS = 2.5 * LONG_CALL_SECONDS
# For an engine to kill and remove what has not ended.
LAST_SECONDS = 60.0
POLL_SECONDS = 0.05, 0.5
FOLLOW_SECONDS = 0.2


class ContainerEngine:
    """The replicas of one platform, in an engine that is connected (and stays the caller's) or the first that answers.

    `call_seconds` is how long a single question to the engine may take; making a container may take longer.
    """

    name = "docker"

    def __init__(
        self, platform_id: str, engine: DockerEngine | None = None, *, call_seconds: float = CALL_SECONDS
    ) -> None:
        self.platform_id = require_name(platform_id)
        self._ground = Ground(engine, call_seconds=call_seconds)
        self._starting = Starting(platform_id, self._ground)
        self._meter = Meter(self._ground)
        self._asker = Asker()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._applying = 0
        self._stopping: Counter[str] = Counter()
        # What of a container does not change while its entry in the engine's list does not.
        self._known: dict[tuple[str, ...], WorkloadSighting] = {}
        self._last_asked: dict[str, tuple[Probe, Answer]] = {}
        self._pumps: set[Pump[list[LogLine]]] = set()

    async def apply(self, workload: Workload) -> None:
        """As the promise has it.

        Raises:
            NotFound: the engine has no such image.
            Refused: it is a project.
            Invalid: its name is none, it names no image, or the engine takes no such limits.
            Conflict: somebody else's container or network has the name that it would get.
        """
        _require_runnable(workload)
        try:
            await self._apply(workload)
        except MooringError:
            await self._remove_network()
            raise

    async def _apply(self, workload: Workload) -> None:
        lock = self._locks.setdefault(workload.name, asyncio.Lock())
        self._applying += 1
        try:
            async with lock:
                await self._ground.run(partial(self._starting.apply, workload), within=APPLY_SECONDS)
        finally:
            self._applying -= 1

    async def remove(self, name: str, *, grace_seconds: float) -> None:
        """As the promise has it; its anonymous volumes go with it, and the network with the last container."""
        seen = await self._find(name)
        self._last_asked.pop(name, None)
        if seen is None:
            return
        self._stopping[name] += 1
        try:
            await self._end(seen, grace_seconds)
            await self._take_away(seen.container.id)
        finally:
            self._stopping[name] -= 1
        self._stopping += Counter()  # forgets those at 0
        await self._remove_network()

    async def _end(self, seen: Seen, grace_seconds: float) -> None:
        """SIGTERM, and wait for it to end as long as the grace."""
        container, deadline = seen.container.id, time.monotonic() + grace_seconds
        if not seen.container.running or grace_seconds <= 0:
            return
        await self._ground.run(partial(self._signal, container))
        shortest, longest = POLL_SECONDS
        pause = shortest
        while (left := deadline - time.monotonic()) > 0:
            now = await self._ground.run(partial(self._starting.look, container))
            if now is None or not now.container.running:
                return
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 1.2, longest)

    def _signal(self, container: str) -> None:
        with translated(), contextlib.suppress(docker.errors.APIError):  # it may have ended by itself
            self._ground.engine.api.kill(container, signal="SIGTERM")

    async def _take_away(self, container: str) -> None:
        deadline = time.monotonic() + LAST_SECONDS
        while True:
            with contextlib.suppress(Conflict):  # somebody else is removing it, too
                await self._ground.run(lambda: self._ground.engine.remove(container), within=LAST_SECONDS)
            if await self._ground.run(partial(self._starting.look, container)) is None:
                self._starting.forget(container)
                return
            if time.monotonic() > deadline:
                raise Unavailable(f"the engine does not remove container {container[:12]}")
            await asyncio.sleep(POLL_SECONDS[1])

    async def _remove_network(self) -> None:
        with contextlib.suppress(MooringError):
            if not await self._ground.run(self._entries) and not self._applying:
                await self._ground.run(lambda: self._starting.network.remove(self._ground.engine))

    async def observe(self) -> Mapping[str, WorkloadSighting]:
        """As the promise has it: one list, and a closer look at those that have changed in it."""
        entries = list(map(_key, await self._ground.run(self._entries)))
        news = [key for key in entries if key not in self._known]
        looks = await asyncio.gather(*(self._ground.run(partial(self._starting.look, key[0])) for key in news))
        fresh = {key: seen for key, seen in zip(news, looks, strict=True) if seen is not None}
        found = {key: fresh[key].workload if key in fresh else self._known.get(key) for key in entries}
        # One that is about to change, or has changed since the list was made, is looked at again.
        settled = {key for key in entries if key not in fresh or _is_settled(key, fresh[key])}
        self._known = {key: one for key, one in found.items() if one is not None and key in settled}
        return {one.name: self._with_ending(one) for one in found.values() if one is not None}

    def _entries(self) -> list[Mapping[str, Any]]:
        """The platform's containers, as the engine lists them."""
        filters = {"label": f"{PLATFORM_LABEL}={self.platform_id}"}
        with translated():
            told = self._ground.engine.api.containers(all=True, filters=filters)
        return [entry for entry in told if self._is_ours(entry)]

    def _is_ours(self, entry: Mapping[str, Any]) -> bool:
        labels, names = entry.get("Labels") or {}, entry.get("Names") or ()
        return described(labels) is not None and any(is_ours(self.platform_id, name, labels) for name in names)

    def _with_ending(self, seen: WorkloadSighting) -> WorkloadSighting:
        if self._stopping[seen.name] and seen.state is State.RUNNING:
            return replace(seen, state=State.STOPPING)
        return seen

    async def ask(self, name: str, probe: Probe) -> Answer:
        """As the promise has it; a command runs in the container through its `/bin/sh`, as the image's user."""
        answer = await self._ask(await self._require(name), probe)
        self._last_asked[name] = probe, answer
        return answer

    async def _ask(self, seen: Seen, probe: Probe) -> Answer:
        workload = seen.workload
        if not workload.url:
            return Answer(Outcome.REFUSED, detail=workload.why or "it is being started")
        if not probe.command:
            return await self._asker.run(lambda: http_answer(workload.url, probe))
        engine, container, seconds = self._ground.engine, seen.container.id, probe.timeout_seconds
        return await self._asker.run(
            lambda: run_health_command(engine, container, probe.command, timeout_seconds=seconds)
        )

    async def measure(self) -> Mapping[str, Usage]:
        """As the promise has it: processors since the last call, or over a quarter of a second."""
        entries = await self._ground.run(self._entries)
        running = {entry["Id"]: described(entry["Labels"]) for entry in entries if _key(entry)[1] == "running"}
        return await self._meter.measure({one: asked for one, asked in running.items() if asked is not None})

    async def logs(self, name: str, *, since: datetime | None = None, follow: bool = False) -> AsyncIterator[LogLine]:
        """As the promise has it; the engine keeps the last 20 MiB, in two files."""
        seen: Seen | None = await self._require(name)
        container = seen.container.id if seen else ""
        while seen is not None:
            # Looked at before reading: what it wrote last must not be missed.
            over = not follow or seen.workload.state is State.EXITED
            if seen.workload.started_at is not None:
                async with contextlib.aclosing(self._read(container, since, follow=not over)) as lines:
                    async for line in lines:
                        since = line.time
                        yield line
            if over:
                return
            await asyncio.sleep(FOLLOW_SECONDS)
            seen = await self._ground.run(partial(self._starting.look, container))

    async def _read(self, container: str, since: datetime | None, *, follow: bool) -> AsyncGenerator[LogLine]:
        engine = await self._ground.run(lambda: self._ground.engine)
        pump = Pump(LogStream(engine.api, container, since, follow=follow))
        self._pumps.add(pump)
        try:
            with contextlib.suppress(NotFound, Conflict):  # it was removed meanwhile
                async with contextlib.aclosing(pump.told()) as batches:
                    async for batch in batches:
                        for line in batch:
                            yield line
        finally:
            pump.close()
            self._pumps.discard(pump)

    async def diagnose(self, name: str) -> str:
        """As the promise has it."""
        seen = await self._require(name)
        probe, answer = self._last_asked.get(name) or (Probe(), None)
        if seen.workload.url:
            answer = await self._ask(seen, probe)
        if answer is not None and answer.ok and seen.workload.state is not State.EXITED:
            return ""
        if seen.workload.state is State.STARTING:
            return "it is being started"
        facts = await self._ground.run(lambda: facts_of(self._ground.engine, seen, probe, answer))
        return str(diagnose(facts))

    async def close(self) -> None:
        """Let go of threads and connections; containers stay as they are."""
        for pump in list(self._pumps):
            pump.close()
        self._asker.close()
        self._ground.close()

    async def _find(self, name: str) -> Seen | None:
        if not is_name(name):
            return None
        return await self._ground.run(partial(self._starting.look, container_name(self.platform_id, name)))

    async def _require(self, name: str) -> Seen:
        seen = await self._find(name)
        if seen is None:
            raise NotFound(f"there is no workload {name!r}")
        return seen


def _key(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Of an entry its id, its state, and all that may change without either."""
    networks = ((entry.get("NetworkSettings") or {}).get("Networks") or {}).values()
    addresses = (str(network.get("IPAddress")) for network in networks)
    ports = (str(port.get("PublicPort")) for port in entry.get("Ports") or ())
    return (str(entry["Id"]), str(entry.get("State", "")).lower(), *addresses, *sorted(ports))


def _is_settled(key: tuple[str, ...], seen: Seen) -> bool:
    return seen.status == key[1] and seen.workload.state in {State.RUNNING, State.EXITED}


def _require_runnable(workload: Workload) -> None:
    require_name(workload.name)
    if workload.project:
        raise Refused(
            f"the docker engine runs images, and {workload.project} is a project",
            hint="build an image of it with mooring build, or start the platform with --engine process",
        )
    if not workload.image:
        raise Invalid(f"{workload.name} names no image")
