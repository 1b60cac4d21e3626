"""Work that blocks, done beside the event loop, and never left behind half done.

A job reads and writes many small files: the loop's own executor wakes a thread, and the loop, for each. Here a thread
goes on while there is more, and tells the loop of all that it has done since the loop last looked.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from collections.abc import Callable

    Done = tuple[asyncio.Future[Any], Any, BaseException | None]

T = TypeVar("T")

# They wait for disks rather than for processors.
_THREADS = 8


async def in_thread(work: Callable[[], T]) -> T:
    """What `work` returns, from a thread; a caller that is cancelled waits for its end first, then goes."""
    future = _outbox().begin(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        # What the thread works on (a file descriptor, say) must stay until it is done.
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()
        raise


class _Outbox:
    """What was done for one loop, until the loop takes it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        # Whoever is kept by his loop must not keep it.
        self._loop = ref(loop)
        self._lock = threading.Lock()
        self._done: list[Done] = []
        self._told = False

    def begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        """Have the work done; in the loop's thread."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        _waiting.put((self, future, work))
        return future

    def add(self, done: Done) -> None:
        """Hand over what came of it; in any thread."""
        with self._lock:
            self._done.append(done)
            first, self._told = not self._told, True
        if first and (loop := self._loop()) is not None:
            with contextlib.suppress(RuntimeError):  # a loop that is closed waits for nothing
                loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        with self._lock:
            found, self._done, self._told = self._done, [], False
        for future, result, error in found:
            if future.cancelled():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)


_waiting: SimpleQueue[tuple[_Outbox, asyncio.Future[Any], Callable[[], Any]]] = SimpleQueue()
_outboxes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Outbox] = WeakKeyDictionary()
_starting = threading.Lock()
_threads: list[threading.Thread] = []


def _outbox() -> _Outbox:
    loop = asyncio.get_running_loop()
    found = _outboxes.get(loop)
    if found is None:
        with _starting:
            while len(_threads) < _THREADS:
                _threads.append(threading.Thread(target=_serve, name=f"storage-{len(_threads)}", daemon=True))
                _threads[-1].start()
            found = _outboxes[loop] = _Outbox(loop)
    return found


def _serve() -> None:
    while True:
        outbox, future, work = _waiting.get()
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001 - it is the caller's to see
            error = raised
        # Nothing of it stays with a thread that has nothing to do.
        del work
        outbox.add((future, result, error))
        del outbox, future, result, error
