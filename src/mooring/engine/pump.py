"""From an iterator that blocks to one that asyncio reads, through a thread of its own that ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
# As many may wait to be read; then whoever tells them has to wait.
WAITING = 16


class Source(Protocol[T_co]):
    """What is pumped; `close`, from any thread, ends the iteration."""

    def __iter__(self) -> Iterator[T_co]: ...

    def close(self) -> None:
        """Let go of it."""


class Pump(Generic[T]):
    """Reads a source in a thread, which nobody waits for when the program ends."""

    def __init__(self, source: Source[T]) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[T | BaseException | None] = asyncio.Queue()
        self._room = threading.Semaphore(WAITING)
        self._closed = False

    async def told(self) -> AsyncGenerator[T]:
        """What it tells, as it comes; its errors, too."""
        threading.Thread(target=self._run, name="pump", daemon=True).start()
        try:
            while (told := await self._told.get()) is not None:
                if isinstance(told, BaseException):
                    raise told
                self._room.release()
                yield told
        finally:
            self.close()

    def close(self) -> None:
        """End it, whoever reads."""
        self._closed = True
        self._room.release()
        self._source.close()
        self._told.put_nowait(None)

    def _run(self) -> None:
        try:
            for one in self._source:
                self._room.acquire()
                if self._closed:
                    return
                self._tell(one)
        except Exception as error:  # noqa: BLE001 - it is raised where it is read
            self._tell(error)
        self._tell(None)

    def _tell(self, one: T | BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._told.put_nowait, one)
