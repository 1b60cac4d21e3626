"""Which resource limits an engine is asked to set, where it may refuse some.

A limit above the engine's own takes a privilege (CAP_SYS_RESOURCE) that an engine in a container, or a user's, has not.
Podman adds one of processes, as high as can be, to any that it is asked for, and its user's defaults to none.
"""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.engine.container import Confinement

MOST_PROCESSES = Path("/proc/sys/kernel/pid_max")


def milder(confinement: Confinement) -> Iterator[Confinement]:
    """It, and what may be tried in turn instead where an engine refuses its limits: at last the engine's own."""
    yield confinement
    processes = _processes()
    if processes:
        # So many that it limits nothing, as the kernel counts all that the user has outside of the container, too.
        yield replace(confinement, limits={**confinement.limits, "nproc": processes})
    yield replace(confinement, limits={})


def _processes() -> int:
    """The most that an engine like us may allow; 0 where the kernel does not tell."""
    _, hard = resource.getrlimit(resource.RLIMIT_NPROC)
    try:
        # Podman lowers its own to this one.
        most = int(MOST_PROCESSES.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0
    return most if hard == resource.RLIM_INFINITY else min(hard, most)
