"""Signals that come while the server is still being imported: as process 1 it would ignore them, else die of them."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

arrived: list[int] = []


def note_signals() -> None:
    """Note SIGTERM and SIGINT until `drain` takes them."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _note)


def _note(number: int, frame: FrameType | None) -> None:
    del frame
    arrived.append(number)
