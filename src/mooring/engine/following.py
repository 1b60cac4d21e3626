"""What a container writes, as it comes.

Podman does not even begin its answer before the container has written something: to ask is to wait.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import requests.exceptions

from mooring.engine.translation import translated
from mooring.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.engine.container import LogStream


class Following:
    """Pieces of output; the engine is asked by whoever reads, so that nobody else waits for it.

    `ask` begins a stream. `close`, from any thread, ends one that has begun; a reader that still waits for the first
    piece ends with the container. Of a container that is gone nothing comes.
    """

    def __init__(self, ask: Callable[[], LogStream]) -> None:
        self._ask = ask
        self._closed = threading.Event()
        self._stream: LogStream | None = None

    def __iter__(self) -> Iterator[bytes]:
        while not self._closed.is_set():
            try:
                with translated():
                    self._stream = self._asked()
            except NotFound:
                return
            if self._stream is None:
                continue
            if self._closed.is_set():
                self._stream.close()
                return
            yield from self._stream
            return

    def _asked(self) -> LogStream | None:
        """A stream; None when nothing was written in the time for a call, so that nothing is lost by asking again."""
        try:
            return self._ask()
        except requests.exceptions.ReadTimeout:
            return None

    def close(self) -> None:
        """Stop listening."""
        self._closed.set()
        if self._stream is not None:
            self._stream.close()
