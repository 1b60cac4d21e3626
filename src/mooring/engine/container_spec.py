"""A workload as a container: its name and labels, and what is asked of the engine; and how it is known again by them.

Containers inherit the labels of their image, so what belongs to a platform is told by its name as well, and all that is
to be known again is in one label that every container of ours is given itself.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.engine.docker import LABEL
from mooring.engine.leftovers import CAGE_LABEL, OWNER_LABEL
from mooring.engine.sighting import PORT_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mooring.engine.workload import Workload

PLATFORM_LABEL = "io.mooring.platform"
WORKLOAD_LABEL = "io.mooring.workload"
# Processes and threads together; a server of many workers has some hundreds.
PROCESSES = 4096
LOG_BYTES, LOG_FILES = 10 << 20, 2
# What engines take for the least part of a processor.
LEAST_CPU_CORES = 0.01
BILLION = 1_000_000_000


@dataclass(frozen=True)
class Described:
    """What a container's own label says it was asked to be."""

    name: str
    labels: Mapping[str, str]
    port: int
    protocol: str
    cpu_cores: float | None
    memory_bytes: int | None


@dataclass(frozen=True)
class Place:
    """Where a container goes: the platform, its network, and whether its port is published on the loopback.

    `processors` are the machine's: engines refuse to promise more.
    """

    platform_id: str
    network: str
    published: bool
    processors: int


def container_name(platform_id: str, name: str) -> str:
    """The container of a workload; labels of host names have no dots, so no two workloads share one."""
    return f"mooring.{platform_id}.{name}"


def described(labels: Mapping[str, str]) -> Described | None:
    """What the labels of a container tell; None when it is none of ours."""
    try:
        told = json.loads(labels.get(WORKLOAD_LABEL, ""))
        return Described(**told)
    except (ValueError, TypeError):
        return None


def is_ours(platform_id: str, name: str, labels: Mapping[str, str]) -> bool:
    """Whether the container of that name was made for a workload of the platform."""
    told = described(labels)
    mine = told is not None and name.lstrip("/") == container_name(platform_id, told.name)
    return mine and labels.get(PLATFORM_LABEL) == platform_id


def creation(workload: Workload, place: Place) -> dict[str, Any]:
    """The arguments of the SDK's `create_container`; those of its `create_host_config` are in `host_config`."""
    entrypoint = {"entrypoint": list(workload.command)} if workload.command else {}
    return {
        "image": workload.image,
        "name": container_name(place.platform_id, workload.name),
        "hostname": workload.name,
        "environment": dict(workload.env),
        "labels": _labels(workload, place),
        "ports": [workload.port],
        "stop_timeout": math.ceil(workload.stop_seconds),
        "healthcheck": {"test": ["NONE"]},  # we ask ourselves
        "host_config": _host(workload, place),
        **entrypoint,
    }


def _labels(workload: Workload, place: Place) -> dict[str, str]:
    """Those of ours that it has not are given as empty, as its image could bring them along."""
    told = Described(
        name=workload.name,
        labels=dict(workload.labels),
        port=workload.port,
        protocol=workload.protocol,
        cpu_cores=workload.cpu_cores,
        memory_bytes=workload.memory_bytes,
    )
    return {
        **workload.labels,
        OWNER_LABEL: "",
        CAGE_LABEL: "",
        LABEL: "true",
        PORT_LABEL: "" if place.published else str(workload.port),
        PLATFORM_LABEL: place.platform_id,
        WORKLOAD_LABEL: json.dumps(vars(told)),
    }


def _host(workload: Workload, place: Place) -> dict[str, Any]:
    options: dict[str, Any] = {
        "network_mode": place.network,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "pids_limit": PROCESSES,
        "log_config": {"Type": "json-file", "Config": {"max-size": str(LOG_BYTES), "max-file": str(LOG_FILES)}},
        "restart_policy": {"Name": "no"},
        "init": False,  # the image's own program is process 1, as on the platforms it is made for
    }
    if place.published:
        options["port_bindings"] = {workload.port: ("127.0.0.1", None)}
    if workload.memory_bytes:
        options |= {"mem_limit": workload.memory_bytes, "memswap_limit": workload.memory_bytes}
    if workload.cpu_cores:
        cores = max(LEAST_CPU_CORES, min(workload.cpu_cores, place.processors))
        options["nano_cpus"] = int(cores * BILLION)
    return options
