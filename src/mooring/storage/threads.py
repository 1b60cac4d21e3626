"""Work that blocks, done beside the event loop, and never left behind half done.

A job reads and writes many small files: the loop's own executor wakes a thread, and the loop, for each. Here a thread
goes on while there is more, and tells the loop of all that it has done since the loop last looked. And a loop that has
nothing else to do, such as a job's own, may say that it would rather do the work itself while that is quick.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary, ref

if TYPE_CHECKING:
    from collections.abc import Callable

    Done = tuple[asyncio.Future[Any], Any, BaseException | None]

T = TypeVar("T")

# They wait for disks rather than for processors.
_THREADS = 8
# Work is quick when it takes no longer than this on average: to hand it over and back would take as long.
_QUICK_SECONDS = 0.002
# What the newest piece of work counts in that average, and how many go to threads before it is tried here again.
_WEIGHT, _PAUSE = 0.05, 1000


async def in_thread(work: Callable[[], T], *, quick: bool = True) -> T:
    """What `work` returns, from a thread; a caller that is cancelled waits for its end first, then goes.

    A loop that said `stay_here` does it in place, unless it is not `quick` by its nature or was not lately.
    """
    here: _Here | None = getattr(_local, "here", None)
    if quick and here is not None and here.now():
        return here.do(work)
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


def stay_here() -> None:
    """Let the loop of this thread do quick work itself: it has nothing to do that could not wait for it."""
    _local.here = _Here()


class _Here:
    """Whether work is quick, as far as it has shown."""

    def __init__(self) -> None:
        self._average_seconds = 0.0
        self._paused = 0

    def now(self) -> bool:
        """Whether the next piece of work is to be done here."""
        if self._paused:
            self._paused -= 1
            return False
        return True

    def do(self, work: Callable[[], T]) -> T:
        """Do it, and see how long that takes."""
        began = time.perf_counter()
        try:
            return work()
        finally:
            took = time.perf_counter() - began
            self._average_seconds += (took - self._average_seconds) * _WEIGHT
            if self._average_seconds > _QUICK_SECONDS:
                self._average_seconds, self._paused = 0.0, _PAUSE


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
_local = threading.local()
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
