"""How a service is doing: its instances, its calls, and what its replicas use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from mooring.control.tables import Calls, Replica
from mooring.control.wishes import flavor_of
from mooring.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from mooring.control.flavors import Flavor
    from mooring.control.service_views import ServiceView
    from mooring.engine.workload import Usage

MINUTE_MS = 60_000


@dataclass(frozen=True, kw_only=True)
class ModelFigures:
    """One model of a service. Calls are since the service exists; processors in cores, memory in bytes."""

    model_id: str
    model_name: str
    model_version: str
    calls: int
    failures: int
    instances: int
    running: int
    cpu_cores: float
    cpu_cores_total: float
    memory_bytes: int
    memory_bytes_total: int


@dataclass(frozen=True, kw_only=True)
class ServiceFigures:
    """All models of a service, and how many calls it had within the last minute."""

    calls_per_minute: int
    models: tuple[ModelFigures, ...]


def figures_of(
    session: Session, view: ServiceView, usage: Mapping[str, Usage], *, flavors: tuple[Flavor, ...], now_ms: int
) -> ServiceFigures:
    """The figures of a service; `usage` is by the names of replicas, and knows those that were measured."""
    named = session.execute(select(Replica.name, Replica.model_id).where(Replica.service_id == view.id))
    used: dict[str, list[Usage]] = {}
    for name, model_id in named:
        if name in usage:
            used.setdefault(model_id, []).append(usage[name])
    models = tuple(_model(row, view, used.get(row["model_id"], []), flavors) for row in view.config)
    return ServiceFigures(calls_per_minute=_last_minute(session, view.id, now_ms), models=models)


def _model(
    row: Mapping[str, Any], view: ServiceView, used: Iterable[Usage], flavors: tuple[Flavor, ...]
) -> ModelFigures:
    instances = row["instance_count"]
    used = list(used)
    cpu_cores, memory_bytes = _size(row, flavors)
    return ModelFigures(
        model_id=row["model_id"],
        model_name=row["model_name"],
        model_version=row["model_version"],
        calls=view.calls.get(row["model_id"], 0),
        failures=view.failures.get(row["model_id"], 0),
        instances=instances,
        running=min(row["ready_count"], instances),
        cpu_cores=sum(one.cpu_cores for one in used),
        cpu_cores_total=cpu_cores * instances,
        memory_bytes=sum(one.memory_bytes for one in used),
        memory_bytes_total=memory_bytes * instances,
    )


def _size(row: Mapping[str, Any], flavors: tuple[Flavor, ...]) -> tuple[float, int]:
    """Of one instance; none where the flavor is no longer in the list."""
    try:
        flavor = flavor_of(row, flavors)
    except Invalid:
        return 0.0, 0
    return flavor.cpu_cores, flavor.memory_bytes


def _last_minute(session: Session, service_id: str, now_ms: int) -> int:
    """Calls of this minute, and that part of those of the minute before that is less than a minute ago."""
    minute, passed_ms = divmod(now_ms, MINUTE_MS)
    found = session.scalars(select(Calls).where(Calls.service_id == service_id, Calls.minute >= minute - 1))
    counts = {minute: 0, minute - 1: 0}
    for row in found:
        counts[row.minute] = counts.get(row.minute, 0) + row.calls
    return counts[minute] + round(counts[minute - 1] * (1 - passed_ms / MINUTE_MS))
