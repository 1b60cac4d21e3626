"""One workload of the memory engine: a server in this process that behaves as its image's name tells."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from mooring.engine.memory_server import Call, Response, Server
from mooring.engine.workload import LogLine, State, WorkloadSighting

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mooring.engine.memory_behaviour import Behaviour
    from mooring.engine.workload import Workload

CANNOT_START = 127
KILLED = 137
HEALTHY, BAD_REQUEST, UNAVAILABLE = 200, 400, 503


class MemoryReplica:
    """What happens to it happens in one event loop; `lines` and `sighting` may be read from any thread."""

    def __init__(self, workload: Workload, behaviour: Behaviour) -> None:
        self.workload = workload
        self.lines: list[LogLine] = []
        self.health_questions = 0
        self.calls: list[Call] = []
        self.terminated = 0
        self._behaviour = behaviour
        self._server: Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = False
        self._sighting = WorkloadSighting(name=workload.name, labels=dict(workload.labels), state=State.STARTING)
        self._ended = asyncio.Event()

    @property
    def sighting(self) -> WorkloadSighting:
        """How it is now."""
        return self._sighting

    async def start(self) -> None:
        """Begin to do what its image's name tells."""
        wanted = self._behaviour
        for number in range(1, int(wanted.logs or 0) + 1):
            self.write(f"line {number}", stream="stdout" if number % 2 else "stderr")
        if wanted.cannot_start:
            self._end(CANNOT_START, "the memory engine was told that it cannot start it")
            return
        if wanted.exits is not None:
            self._see(state=State.RUNNING, started_at=datetime.now(UTC))
            self.write(f"ending with {wanted.exits:g}", stream="stderr")
            self._end(int(wanted.exits), f"exit code {wanted.exits:g}")
            return
        self._server = Server(self.workload.name, self._answer)
        await self._server.open()
        port = self._server.port
        if wanted.deaf:
            self._server.kill()
        self._see(state=State.RUNNING, started_at=datetime.now(UTC), url=f"http://127.0.0.1:{port}")
        self._later(self._become_ready())
        if wanted.dies_after is not None:
            self._later(self._die(wanted.dies_after))

    async def stop(self, grace_seconds: float) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        if self._sighting.state is State.EXITED:
            return
        self._see(state=State.STOPPING)
        self.terminated += 1
        if not self._behaviour.ignores_sigterm and self._server:
            self._later(self._end_well(self._server))
        try:
            await asyncio.wait_for(self._ended.wait(), grace_seconds)
        except TimeoutError:
            self.kill()

    def kill(self, exit_code: int = KILLED, why: str = "SIGKILL") -> None:
        """End it at once, whoever is being answered."""
        if self._sighting.state is not State.EXITED:
            self._end(exit_code, why)

    def write(self, text: str, *, stream: str = "stdout") -> None:
        """Write a line to its log; no two have the same time."""
        now = datetime.now(UTC)
        if self.lines:
            now = max(now, self.lines[-1].time + timedelta(microseconds=1))
        self.lines.append(LogLine(now, stream, text))

    def health(self) -> Response:
        """Its answer to one question about its health."""
        self.health_questions += 1
        limit = self._behaviour.fails_health_after
        if not self._ready:
            return Response(UNAVAILABLE, {"reason": "the model is loading"})
        if limit is not None and self.health_questions > limit:
            return Response(UNAVAILABLE, {"reason": f"it was told to fail after {limit:g} answers"})
        return Response(HEALTHY, {"status": "ok", "workload": self.workload.name})

    async def _answer(self, call: Call) -> Response:
        if self._behaviour.silent:
            await asyncio.Event().wait()
        path = call.path.partition("?")[0]
        if call.method in {"GET", "HEAD"} and (path == "/" or path.startswith("/health")):
            return self.health()
        self.calls.append(call)
        if self._behaviour.slow is not None:
            await asyncio.sleep(self._behaviour.slow)
        if self._behaviour.picky and b"bad" in call.body:
            return Response(BAD_REQUEST, {"reason": "it was told to refuse what is bad"})
        if self._behaviour.digest:
            return Response(HEALTHY, {"sha256": _digest(call)})
        told = {"workload": self.workload.name, "image": self.workload.image, "env": dict(self.workload.env)}
        told |= {"method": call.method, "path": call.path, "body": call.body.decode("utf-8", "replace")}
        return Response(HEALTHY, {**told, "headers": dict(call.headers)})

    async def _become_ready(self) -> None:
        if self._behaviour.ready_after is not None:
            await asyncio.sleep(self._behaviour.ready_after)
        self._ready = not self._behaviour.never_ready

    async def _die(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._end(1, "exit code 1")

    async def _end_well(self, server: Server) -> None:
        if self._behaviour.lingers is not None:
            await asyncio.sleep(self._behaviour.lingers)
        await server.drain()
        self._end(0, "exit code 0")

    def _end(self, exit_code: int, why: str) -> None:
        self._sighting = WorkloadSighting(
            name=self.workload.name,
            labels=self._sighting.labels,
            state=State.EXITED,
            started_at=self._sighting.started_at,
            exit_code=exit_code,
            why=why,
        )
        self._ended.set()
        if self._server:
            self._server.kill()
        for task in self._tasks - {asyncio.current_task()}:
            task.cancel()

    def _see(self, *, state: State, started_at: datetime | None = None, url: str = "") -> None:
        seen = self._sighting
        self._sighting = WorkloadSighting(
            name=seen.name,
            labels=seen.labels,
            state=state,
            url=url or seen.url,
            started_at=started_at or seen.started_at,
        )

    def _later(self, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Leave nothing of it behind."""
        self.kill()
        for task in list(self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def _digest(call: Call) -> str:
    """Of the body, but for what a form is taken apart by: that is another each time."""
    _, found, boundary = call.headers.get("content-type", "").partition("boundary=")
    body = call.body.replace(boundary.strip('"').encode(), b"") if found else call.body
    return hashlib.sha256(body).hexdigest()
