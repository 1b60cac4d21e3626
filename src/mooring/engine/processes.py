"""Processes of this machine as the kernel tells of them: who descends from whom, what they use, where they listen."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine.keeper import memory_bytes, stat_fields
from mooring.engine.sockets import Listener, listeners

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
# Fields of proc(5)'s stat, counted from the third: time spent in the program and in the kernel, in clock ticks.
PROGRAM_TICKS, KERNEL_TICKS = 11, 12
SAMPLE_SECONDS = 0.25
KILL_SECONDS = 5.0
SOCKET = re.compile(r"socket:\[(\d+)\]")


@dataclass(frozen=True)
class Used:
    """What processes use together."""

    cpu_cores: float
    memory_bytes: int


def families(ancestors: Iterable[int]) -> dict[int, list[int]]:
    """The living processes below each of the ancestors, in one look at all there are."""
    below: dict[int, list[int]] = {}
    for pid in _all():
        fields = stat_fields(pid)
        if fields and fields[0] not in "ZX":
            below.setdefault(int(fields[1]), []).append(pid)
    found = {ancestor: list(below.get(ancestor, ())) for ancestor in ancestors}
    for family in found.values():
        for pid in family:
            family.extend(below.get(pid, ()))
    return found


def used(of: Mapping[int, list[int]]) -> dict[int, Used]:
    """What each family uses: memory that is in no file, and processors over a quarter of a second. Blocks as long."""
    before, began = {pid: _ticks(pid) for family in of.values() for pid in family}, time.monotonic()
    time.sleep(SAMPLE_SECONDS)
    seconds = time.monotonic() - began
    return {
        ancestor: Used(
            cpu_cores=sum(max(0, _ticks(pid) - before[pid]) for pid in family) / TICKS / seconds,
            memory_bytes=sum(memory_bytes(pid) for pid in family),
        )
        for ancestor, family in of.items()
    }


def listening(pids: Iterable[int]) -> tuple[Listener, ...]:
    """The addresses that these processes listen on."""
    sockets = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            for link in (PROC / str(pid) / "fd").iterdir():
                with contextlib.suppress(OSError):
                    sockets |= set(SOCKET.findall(str(link.readlink())))
    return listeners(_lines_of(table, sockets) for table in ("tcp", "tcp6"))


def kill_marked(mark: str) -> None:
    """Kill every process that has the variable `mark` (`NAME=value`) in its environment, until none is left."""
    deadline = time.monotonic() + KILL_SECONDS
    while (left := [pid for pid in _all() if _carries(pid, mark.encode())]) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _carries(pid: int, mark: bytes) -> bool:
    try:
        return mark in (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _all() -> list[int]:
    return [int(entry.name) for entry in os.scandir(PROC) if entry.name.isdigit()]


def _ticks(pid: int) -> int:
    fields = stat_fields(pid)
    return int(fields[PROGRAM_TICKS]) + int(fields[KERNEL_TICKS]) if fields else 0


def _lines_of(table: str, sockets: set[str]) -> str:
    """The lines of the kernel's table whose tenth field, the socket's number, is one of these."""
    try:
        lines = (PROC / "net" / table).read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    number = 9
    return "\n".join(line for line in lines if len(words := line.split()) > number and words[number] in sockets)
