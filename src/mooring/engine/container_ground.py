"""The engine that a platform's containers live in: connected to when it is first needed, asked in threads, in time."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import docker
import docker.utils

from mooring.engine.docker import DockerEngine
from mooring.engine.translation import INSTALL_HINT, translated
from mooring.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
# Questions to the engine at one time; more would only wait for each other inside of it.
THREADS = 16
# And those that an engine lets wait whatever it has to do: Docker counts what is used once a second.
PATIENT_THREADS = 64
# Connections kept open: each follower of a log has one beside those.
CONNECTIONS = 256
# A platform wants to know soon that its engine is gone; a healthy one answers in milliseconds.
CALL_SECONDS = 30.0
# Under load an engine takes its time to start a container; no single call takes longer than this.
LONG_CALL_SECONDS = 120


class Ground:
    """`engine` is one that is connected and stays the caller's; without it, the first that answers when needed."""

    def __init__(self, engine: DockerEngine | None, *, call_seconds: float = CALL_SECONDS) -> None:
        self._given = engine
        self._own: DockerEngine | None = None
        self._connecting = threading.Lock()
        self._call_seconds = call_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="containers")
        self._patient = ThreadPoolExecutor(PATIENT_THREADS, thread_name_prefix="waiting")

    @property
    def engine(self) -> DockerEngine:
        """The engine. Blocks; Unavailable when none answers."""
        if self._given is not None:
            return self._given
        with self._connecting:
            if self._own is None:
                self._own = _connected()
            return self._own

    @cached_property
    def program(self) -> str:
        """Its kind: docker or podman. Blocks."""
        return self.engine.program

    @cached_property
    def processors(self) -> int:
        """How many its machine has. Blocks."""
        with translated():
            return int(self.engine.api.info().get("NCPU") or 1)

    async def run(self, doing: Callable[[], T], *, within: float = 0.0) -> T:
        """Do what blocks in a thread; Unavailable when it is not done within the time (0: that of short calls).

        What had not begun by then is not done any more.
        """
        return await self._done(self._threads, doing, within or self._call_seconds)

    async def wait(self, doing: Callable[[], T]) -> T:
        """The same for what the engine takes its time for, so that nothing else is kept from it."""
        return await self._done(self._patient, doing, self._call_seconds)

    async def _done(self, threads: ThreadPoolExecutor, doing: Callable[[], T], seconds: float) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(threads, self._knocked, doing), seconds)
        except TimeoutError:
            raise Unavailable(f"the container engine did not answer within {seconds:g} s", hint=INSTALL_HINT) from None

    def _knocked(self, doing: Callable[[], T]) -> T:
        """Do it, if anybody is behind the engine's socket: the SDK leaves its half of a failed connection open."""
        engine = self.engine
        if engine.is_here:
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knocking:
                    knocking.settimeout(self._call_seconds)
                    knocking.connect(engine.address.url.removeprefix("unix://"))
            except OSError as error:
                raise Unavailable(
                    f"no container engine answers at {engine.address.url}: {error.strerror or error}", hint=INSTALL_HINT
                ) from error
        return doing()

    def close(self) -> None:
        """Let go of threads and connections."""
        for threads in (self._threads, self._patient):
            threads.shutdown(wait=False, cancel_futures=True)
        with self._connecting:
            if self._own is not None:
                self._own.close()


def _connected() -> DockerEngine:
    """A connection that many threads use at once."""
    with DockerEngine.connect() as found:
        address = found.address
    known = {**docker.utils.kwargs_from_env(environment=dict(os.environ)), "base_url": address.url}
    with translated():
        client = docker.DockerClient(**known, timeout=LONG_CALL_SECONDS, max_pool_size=CONNECTIONS)
    return DockerEngine(client, address)
