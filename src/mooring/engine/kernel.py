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


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(BODY_BYTES).decode("utf-8", "replace")
