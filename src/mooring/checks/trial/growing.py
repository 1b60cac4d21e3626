"""Many equal calls, and the memory of the container before and after them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.trial.sightings import Growth

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 200
WARM_UP = 20
MOST_SECONDS = 12.0


def growth(ask: Callable[[], object], memory: Callable[[], int | None]) -> Growth:
    """Ask 200 times, fewer where that takes long; the first tenth warms up. NotKnown where memory is not counted."""
    began = time.monotonic()
    for made in range(1, WARM_UP + 1):
        ask()
        # A tenth of the time for a tenth of the calls.
        if time.monotonic() - began > MOST_SECONDS / 10 and made > 1:
            break
    before = memory()
    made = 0
    while made < CALLS - WARM_UP and time.monotonic() - began < MOST_SECONDS:
        ask()
        made += 1
    after = memory()
    if before is None or after is None:
        raise NotKnown("the engine does not tell how much memory the container uses")
    return Growth(calls=made, before_bytes=before, after_bytes=after)
