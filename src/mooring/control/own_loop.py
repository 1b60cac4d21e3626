"""A thread with an event loop of its own: what is done there holds up nobody else, however busy it is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class OwnLoop:
    """Runs one coroutine in a loop of its own; `call` reaches that loop from any thread, before it runs as well."""

    def __init__(self, name: str) -> None:
        """`name` is that of the thread."""
        self._name = name
        self._loop = uvloop.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._cancelled = False

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Have it called in that loop; nothing happens when that is over."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *args)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do the work there, once; raises what it does. Cancelled, it is cancelled there, and its end is waited for."""
        home = asyncio.get_running_loop()
        over: asyncio.Future[BaseException | None] = home.create_future()

        def serve() -> None:
            raised: BaseException | None = None
            try:
                with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                    runner.run(self._watched(work))
            except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
                raised = error
            with contextlib.suppress(RuntimeError):  # a loop that is closed waits for nothing
                home.call_soon_threadsafe(_tell, over, raised)

        threading.Thread(target=serve, name=self._name, daemon=True).start()
        cancelled = False
        while not over.done():
            try:
                await asyncio.shield(over)
            except asyncio.CancelledError:
                cancelled = True
                self.call(self._cancel)
        if cancelled:
            raise asyncio.CancelledError
        if (error := over.result()) is not None:
            raise error

    async def _watched(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if self._cancelled:
            raise asyncio.CancelledError
        self._task = asyncio.current_task()
        await work()

    def _cancel(self) -> None:
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()


def _tell(over: asyncio.Future[BaseException | None], raised: BaseException | None) -> None:
    if not over.done():
        over.set_result(raised)
