"""What containers use, by two looks at the engine's counters."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from mooring.engine.container_seen import moment
from mooring.engine.translation import translated
from mooring.engine.workload import Usage
from mooring.errors import Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.engine.container_ground import Ground
    from mooring.engine.container_spec import Described

# Processors are counted over no less, and over no more than this.
LEAST_SECONDS, MOST_SECONDS = 0.25, 60.0
NANO = 1e9
# Files that the kernel kept in memory and would let go of at once: cgroup v1 with all below, v2.
INACTIVE = ("total_inactive_file", "inactive_file")


@dataclass(frozen=True)
class Counted:
    """The counters at one moment: seconds of processors since the start, bytes of memory."""

    at_seconds: float
    cpu_seconds: float
    memory_bytes: int


def counted(stats: Mapping[str, Any]) -> Counted | None:
    """What one answer of the engine tells; None when the container did not run."""
    memory = stats.get("memory_stats") or {}
    usage = memory.get("usage")
    at = moment(stats.get("read") or "")
    if not usage or at is None:
        return None
    kept = memory.get("stats") or {}
    inactive = next((int(kept[name]) for name in INACTIVE if name in kept), 0)
    spent = ((stats.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage") or 0
    return Counted(at.timestamp(), spent / NANO, max(int(usage) - inactive, 0))


def usage(before: Counted, after: Counted, asked: Described) -> Usage:
    """What it used between two looks, beside what it may use."""
    seconds = after.at_seconds - before.at_seconds
    return Usage(
        cpu_cores=max(after.cpu_seconds - before.cpu_seconds, 0.0) / seconds if seconds > 0 else 0.0,
        memory_bytes=after.memory_bytes,
        cpu_cores_limit=asked.cpu_cores,
        memory_bytes_limit=asked.memory_bytes,
    )


class Meter:
    """Counts what containers use; the last look serves as the first of the next two, if it is not long ago."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._before: dict[str, Counted] = {}

    async def measure(self, asked: Mapping[str, Described]) -> dict[str, Usage]:
        """Of running containers by their ids, the usage by the names of workloads; without those that have ended."""
        now = time.time()
        before = {one: told for one, told in self._before.items() if abs(now - told.at_seconds) < MOST_SECONDS}
        if unknown := [one for one in asked if one not in before]:
            before |= await self._count(unknown)
            await asyncio.sleep(LEAST_SECONDS)
        after = await self._count(list(asked))
        self._before = after
        return {asked[one].name: usage(before[one], told, asked[one]) for one, told in after.items() if one in before}

    async def _count(self, ids: list[str]) -> dict[str, Counted]:
        told = await asyncio.gather(*(self._ground.wait(partial(self._count_one, one)) for one in ids))
        return {one: figures for one, figures in zip(ids, told, strict=True) if figures is not None}

    def _count_one(self, container: str) -> Counted | None:
        try:
            with translated():
                return counted(self._ground.engine.api.stats(container, stream=False, one_shot=True))
        except (NotFound, Conflict):
            return None
