"""The end of a server: on SIGTERM it lingers, finishes what is in hand, and goes within its limit."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from mooring_serve import early
from mooring_serve.logs import log

if TYPE_CHECKING:
    from mooring_serve.app import App
    from mooring_serve.listener import Listener
    from mooring_serve.pool import Pool
    from mooring_serve.settings import Settings

_STEP_SECONDS = 0.02
# How long the last answers have to leave the socket buffers.
_LAST_WORDS_SECONDS = 0.1


class Drain:
    """Watches for SIGTERM and SIGINT.

    SIGTERM: the platform has begun to send traffic elsewhere, but callers still come: go on for the linger, answer
    with `Connection: close`, then finish and exit. SIGINT, or a second SIGTERM: finish what is in hand and exit.
    """

    def __init__(self, app: App, listener: Listener, pool: Pool, settings: Settings) -> None:
        self._app = app
        self._listener = listener
        self._pool = pool
        self._settings = settings
        self._hurry = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.unfinished = 0
        self.finished = asyncio.Event()

    def watch(self) -> None:
        """Take the signals."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._signalled, "SIGTERM")
        loop.add_signal_handler(signal.SIGINT, self._signalled, "SIGINT")
        for number in early.arrived:
            self._signalled(signal.Signals(number).name)

    def _signalled(self, name: str) -> None:
        if name == "SIGINT" or self._task is not None:
            self._hurry.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain(name))

    async def _drain(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        limit = loop.time() + self._settings.drain_limit_seconds
        linger = 0.0 if self._hurry.is_set() else self._settings.linger_seconds
        self._app.draining = f"stopping: {name} received, answering on for up to {linger:g} s"
        self._listener.drain()
        log("INFO", "stopping", signal=name, linger_seconds=f"{linger:g}", in_flight=self._pool.in_flight)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), linger)
        self._listener.close()
        while loop.time() < limit and (self._pool.in_flight or self._listener.busy):
            self._listener.close_silent()
            await asyncio.sleep(_STEP_SECONDS)
        self.unfinished = max(self._pool.in_flight, self._listener.busy)
        if self.unfinished:
            log("ERROR", "stopped at the drain limit", unfinished=self.unfinished)
            self._pool.give_up("the server stopped before the model answered")
        await asyncio.sleep(_LAST_WORDS_SECONDS)
        self.finished.set()
