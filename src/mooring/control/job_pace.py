"""How fast a job goes, lately."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW_MS = 30_000
MOST_MARKS = 1000


class Pace:
    """Hears how much is done, and tells how much is done in 1000 seconds, by the last half minute."""

    def __init__(self, done: int, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._marks: deque[tuple[int, int]] = deque([(now_ms(), done)], maxlen=MOST_MARKS)

    def at(self, done: int) -> int:
        """So much is done by now: the pace."""
        now = self._now_ms()
        self._marks.append((now, done))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW_MS:  # noqa: PLR2004 - a span has two ends
            self._marks.popleft()
        began, before = self._marks[0]
        return max(done - before, 0) * 1_000_000 // max(now - began, 1)
