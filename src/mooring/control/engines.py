"""Which engine a platform keeps its replicas on."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from mooring.engine.memory import MemoryEngine
from mooring.engine.process import ProcessEngine
from mooring.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.control.settings import Settings
    from mooring.engine.workload import Engine

AUTO, DOCKER, PROCESS, MEMORY = "auto", "docker", "process", "memory"
REPLICAS = "replicas"
# What `auto` came to at the first start: a platform does not leave its replicas because an engine is late one morning.
CHOICE = "engine"


def open_engine(settings: Settings, platform_id: str) -> Engine:
    """The engine that the settings name, for the workloads of this platform.

    `auto` is a container engine when one answers at the first start, processes of this machine when none does, and the
    same again from then on. Blocks.

    Raises:
        Unavailable: it is to be a container engine, and none answers.
    """
    name = settings.engine
    if name == AUTO:
        return _chosen(settings, platform_id)
    if name == DOCKER:
        return _containers(platform_id)
    if name == PROCESS:
        return ProcessEngine(platform_id, settings.data / REPLICAS)
    if name == MEMORY:
        return MemoryEngine(platform_id)
    raise Invalid(f"there is no engine {name!r}", hint=f"it is {AUTO}, {DOCKER} or {PROCESS}")


def _chosen(settings: Settings, platform_id: str) -> Engine:
    file = settings.data / CHOICE
    before = _read(file)
    if before != PROCESS:
        try:
            engine = _containers(platform_id)
        except Unavailable as error:
            if before == DOCKER:
                hint = f"the replicas of this platform are there; {error.hint or 'start it'}"
                raise Unavailable(error.message, hint=hint, case=error.case) from error
        else:
            file.write_text(f"{DOCKER}\n")
            return engine
    file.write_text(f"{PROCESS}\n")
    return ProcessEngine(platform_id, settings.data / REPLICAS)


def _read(file: Path) -> str:
    with contextlib.suppress(OSError):
        return file.read_text().strip()
    return ""


def _containers(platform_id: str) -> Engine:
    from mooring.engine.container_workloads import ContainerEngine  # noqa: PLC0415 - its library is slow to import
    from mooring.engine.docker import DockerEngine  # noqa: PLC0415 - the same

    DockerEngine.connect().close()  # only to see that one answers
    return ContainerEngine(platform_id)
