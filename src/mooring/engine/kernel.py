"""What the kernel says of a container: read from this machine where it is the same, else through the image's `cat`.

The second is the word of a program that nobody trusts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine import execution
from mooring.engine.probe import BODY_BYTES
from mooring.errors import MooringError

if TYPE_CHECKING:
    import docker

SECONDS = 5.0
PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
INSIDE = (GROUPS / "memory.stat", GROUPS / "memory" / "memory.stat")


def told(api: docker.APIClient, container: str, pid: int, path: str) -> str | None:
    """The beginning of a file below /proc/PID, for process 1 of the container; None when it cannot be seen.

    `container` is the whole id, `pid` what the engine calls that process.
    """
    here = PROC / str(pid)
    try:
        # The same number means the same process only if the engine shares our process table.
        if pid and container in _text(here / "cgroup"):
            return _text(here / path)
    except OSError:
        pass
    try:
        ran = execution.run(api, container, ["cat", f"/proc/1/{path}"], timeout_seconds=SECONDS)
    except MooringError:
        return None
    return ran.written.decode("utf-8", "replace") if ran.exit_code == 0 else None


def memory(api: docker.APIClient, container: str, pid: int) -> str | None:
    """What is counted of the container's memory (memory.stat of its cgroup); None when it cannot be seen."""
    try:
        groups = _text(PROC / str(pid) / "cgroup") if pid else ""
        if container in groups:
            return _text(_memory_group(groups) / "memory.stat")
    except OSError:
        pass
    try:
        # Of the two places one is there, by the version of cgroups.
        ran = execution.run(api, container, ["cat", *map(str, INSIDE)], timeout_seconds=SECONDS)
    except MooringError:
        return None
    return ran.written.decode("utf-8", "replace")


def _memory_group(groups: str) -> Path:
    """The folder that counts memory, by the lines of /proc/PID/cgroup (cgroups(7)): `number:controllers:path`."""
    lines = (line.split(":", 2) for line in groups.splitlines())
    paths = {controllers: path.lstrip("/") for _, controllers, path in lines}
    of_memory = next((name for name in paths if "memory" in name.split(",")), "")
    return GROUPS / "memory" / paths[of_memory] if of_memory else GROUPS / paths.get("", "")


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(BODY_BYTES).decode("utf-8", "replace")
