"""Folders that were entered, kept open for a while: what lies in them is then reached without the way from the root."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 32


class Entered:
    """Descriptors of folders by their names; whoever asks gets one of his own, and closes it. For any thread."""

    def __init__(self, enter: Callable[[str], int]) -> None:
        """`enter` opens the folder of a name."""
        self._enter = enter
        self._held: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._held)

    def descriptor(self, name: str) -> int:
        """One of the folder, which may have been moved or taken away since it was entered. Raises what `enter` does."""
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
                return os.dup(self._held[name])
        opened = self._enter(name)
        with self._lock:
            if name not in self._held:
                self._held[name] = os.dup(opened)
            while len(self._held) > MOST:
                os.close(self._held.popitem(last=False)[1])
        return opened

    def forget(self, name: str) -> None:
        """Enter it anew when it is next asked for."""
        with self._lock:
            held = self._held.pop(name, None)
        if held is not None:
            os.close(held)


def _close_all(held: dict[str, int]) -> None:
    for descriptor in held.values():
        with contextlib.suppress(OSError):
            os.close(descriptor)
    held.clear()
