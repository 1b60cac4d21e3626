"""From the rows of a service to what its replicas are: templates, workloads, and how long each is given to end."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.contract import vocabulary
from mooring.control.status import BATCH, REAL_TIME
from mooring.control.wishes import flavor_of
from mooring.control.world import Entry, count_of
from mooring.engine.workload import Workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mooring.contract.edition import Edition
    from mooring.control.settings import Settings
    from mooring.control.tables import Model

SERVICE_LABEL = "io.mooring.service"
MODEL_LABEL = "io.mooring.model"
SERVICE_PORT = 8080
LARGEST_PORT = 65535
# What makes two replicas of a model alike. Not what a size means or where a port is: that is the platform's to change
# without every service being rolled anew when it is started again.
ALIKE = ("model_id", "specification", "custom_spec", "envs")
# Our server goes on answering for a minute after SIGTERM. Here a replica is out of the traffic, and has answered its
# last call, before it is told to end; only an edition that asks for a linger has it.
OUT_OF_THE_TRAFFIC = {"MOORING_LINGER_SECONDS": "1"}


@dataclass(frozen=True)
class Making:
    """What is needed to make a replica of one entry of a service's configuration."""

    service_id: str
    entry: Mapping[str, Any]
    model: Model
    grace_seconds: float
    infer_type: str = REAL_TIME


def template_of(row: Mapping[str, Any]) -> str:
    """The digest of an entry of a configuration by which its replicas are told from others."""
    alike = {key: row[key] for key in ALIKE if row.get(key)}
    return hashlib.sha256(json.dumps(alike, sort_keys=True).encode()).hexdigest()[:16]


def entry_of(row: Mapping[str, Any]) -> Entry:
    """An entry of a configuration, as a plan wants it."""
    instances = int(row["instance_count"])
    rolling = row.get("additional_properties") or {}
    return Entry(
        model_id=row["model_id"],
        template=template_of(row),
        weight=int(row["weight"]),
        instances=instances,
        surge=count_of(rolling.get("max_surge"), instances, default=1, up=True),
        unavailable=count_of(rolling.get("max_unavailable"), instances, default=0, up=False),
    )


def weights_of(config: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The weight of each template of a configuration."""
    return {template_of(row): int(row["weight"]) for row in config}


def grace_seconds_of(row: Mapping[str, Any] | None, settings: Settings, edition: Edition) -> float:
    """How long a replica may take to end: as its service says, else the edition, else the settings."""
    told = ((row or {}).get("additional_properties") or {}).get("termination_grace_period_seconds")
    if told is not None:
        return float(told)
    limit = vocabulary.DRAIN_LIMIT
    return float(edition[limit]) if limit in edition else settings.timings.grace_seconds


def protocol_of(config: Mapping[str, Any] | None) -> str:
    """What a model speaks on its port, http or https: what the first of its apis says."""
    apis = (config or {}).get("apis") or [{}]
    return "https" if str(apis[0].get("protocol", "")).lower() in {"https", "wss"} else "http"


def port_of(model: Model, edition: Edition) -> int:
    """Where its server listens: as the model was created with, else as the edition says."""
    port: Any = model.request.get("port")
    if isinstance(port, int) and 0 < port <= LARGEST_PORT:
        return port
    return edition.get(vocabulary.SERVICE_PORT, SERVICE_PORT)


def _command(making: Making, edition: Edition, *, engine: str) -> tuple[str, ...]:
    """What starts it instead of the image's own command: the model's, else for a batch service the edition's."""
    command = making.model.request.get("cmd")
    if not isinstance(command, str) and making.infer_type == BATCH and engine != "process":
        command = edition.get(vocabulary.BOOT_COMMAND, "")
    return tuple(shlex.split(command)) if isinstance(command, str) else ()


def workload_of(name: str, making: Making, settings: Settings, edition: Edition, *, engine: str) -> Workload:
    """The workload of one replica. Invalid when its specification is no longer one of the platform's."""
    flavor = flavor_of(making.entry, settings.flavors)
    model = making.model
    return Workload(
        name=name,
        labels={SERVICE_LABEL: making.service_id, MODEL_LABEL: model.id},
        image="" if engine == "process" else model.image,
        project=model.image if engine == "process" else "",
        command=_command(making, edition, engine=engine),
        env=_env(making.entry, edition),
        port=port_of(model, edition),
        protocol=protocol_of(model.config),
        cpu_cores=flavor.cpu_cores,
        memory_bytes=flavor.memory_bytes,
        stop_seconds=making.grace_seconds,
    )


def _env(entry: Mapping[str, Any], edition: Edition) -> dict[str, str]:
    ours = {} if vocabulary.LINGER_AFTER_SIGTERM in edition else OUT_OF_THE_TRAFFIC
    return {**ours, **{str(key): str(value) for key, value in (entry.get("envs") or {}).items()}}
