"""Which engine a platform keeps its replicas on."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from mooring.engine.memory import MemoryEngine
from mooring.engine.process import ProcessEngine
from mooring.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from mooring.control.settings import Settings
    from mooring.engine.workload import Engine

FOLDER = "replicas"


def open_engine(settings: Settings, platform_id: str) -> Engine:
    """The engine that the settings name, for the workloads of this platform; `auto` is Docker's when it answers.

    Blocks. Unavailable when it is to be a container engine and none answers.
    """
    match settings.engine:
        case "process":
            return ProcessEngine(platform_id, settings.data / FOLDER)
        case "memory":
            return MemoryEngine(platform_id)
        case "docker":
            return _docker(platform_id)
        case "auto":
            try:
                return _docker(platform_id)
            except Unavailable:
                return ProcessEngine(platform_id, settings.data / FOLDER)
    raise Invalid(f"there is no engine {settings.engine!r}", hint="auto, docker, process or memory")


def _docker(platform_id: str) -> Engine:
    """Opened only where it is wanted: its library takes a while to load."""
    workloads = importlib.import_module("mooring.engine.docker_workloads")
    engine: Engine = workloads.DockerWorkloads.connect(platform_id)
    return engine
