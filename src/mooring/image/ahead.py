"""A thread that makes chunks while another uses those made before, a few of them at most."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import TracebackType

# A few MiB each layer, enough for a reader that waits and a walker that is busy to even out.
CHUNKS_AHEAD = 4
POLL_SECONDS = 0.05


class Ahead:
    """An iterator over what `source` makes in a thread of its own; `close`, at the latest, ends that thread.

    `interrupt` is called first when the thread is to end early: it wakes a source that waits for a connection.
    What the source raises is raised where its chunks are used, and the source is closed in the thread that ran it.
    """

    def __init__(self, source: Generator[bytes, None, None], *, interrupt: Callable[[], object] | None = None) -> None:
        self._source = source
        self._made: queue.Queue[bytes | BaseException | None] = queue.Queue(CHUNKS_AHEAD)
        self._interrupt = interrupt
        self._unwanted = threading.Event()
        self._over = False
        self._thread = threading.Thread(target=self._make, name="mooring-ahead", daemon=True)
        self._thread.start()

    def _make(self) -> None:
        end: BaseException | None = None
        try:
            for chunk in self._source:
                if self._unwanted.is_set():
                    break
                self._made.put(chunk)
        except BaseException as error:  # noqa: BLE001 -- it is raised where the chunks are used
            end = error
        finally:
            self._source.close()
            self._made.put(end)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._over:
            raise StopIteration
        made = self._made.get()
        if isinstance(made, bytes):
            return made
        self._over = True
        if made is None:
            raise StopIteration
        raise made

    def close(self) -> None:
        """End the thread, as soon as its source lets it."""
        self._unwanted.set()
        if self._interrupt and not self._over:
            self._interrupt()
        while self._thread.is_alive():
            try:
                # It may be waiting for room to put the next chunk.
                self._made.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
        self._thread.join()
        self._over = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
