"""The route of a service: where its calls go now, and what they are held to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mooring.contract import vocabulary
from mooring.control.status import ServiceStatus
from mooring.gateway.table import Limits, Route, Share
from mooring.gateway.table import Target as RouteTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mooring.contract.edition import Edition
    from mooring.control.tables import Service
    from mooring.control.world import Part

POLICY = "LEAST_CONNECTIONS"
# Where a service's request says how many calls a second it may have; the console of the contract's platform sets it.
RATE = "traffic_limit"


def route_of(
    service: Service,
    parts: Sequence[Part],
    *,
    names: Mapping[str, tuple[str, str]],
    urls: Mapping[str, str],
    limits: Limits,
) -> Route:
    """The route with these parts: `names` are (name, version) of models by id, `urls` those of replicas by name."""
    properties = service.additional_properties or {}
    return Route(
        service_id=service.id,
        service_name=service.service_name,
        project_id=service.project_id,
        status=str(service.status),
        shares=tuple(_share(part, names, urls) for part in parts),
        limits=limits,
        websocket=bool(properties.get("websocket_upgrade")),
        load_balancer_policy=str(service.request.get("load_balancer_policy") or POLICY),
    )


def targets_of(route: Route) -> dict[str, str]:
    """The URLs of all replicas that a route leads to, by their names."""
    return {target.replica: target.url for share in route.shares for target in share.targets}


def closed(route: Route) -> Route:
    """The route of a service that nobody may call: gateways answer as for one that is stopped."""
    return replace(route, status=str(ServiceStatus.STOPPED), shares=())


def _share(part: Part, names: Mapping[str, tuple[str, str]], urls: Mapping[str, str]) -> Share:
    name, version = names.get(part.model_id, ("", ""))
    targets = tuple(RouteTarget(replica, urls[replica]) for replica in part.names if urls.get(replica))
    return Share(model_id=part.model_id, model_name=name, model_version=version, weight=part.weight, targets=targets)


def limits_of(service: Service, edition: Edition, *, drain_seconds: float) -> Limits:
    """What the edition holds every call to, and the service its own: so many calls a second, when it says so."""
    rate = _rate(service)
    seconds = [float(edition[fact]) for fact in (vocabulary.PREDICT_TIME_LIMIT,) if fact in edition]
    return Limits(
        body_bytes=edition[vocabulary.BODY_LIMIT] if vocabulary.BODY_LIMIT in edition else None,  # noqa: SIM401 - an int
        answer_seconds=seconds[0] if seconds else None,
        requests_per_second=rate,
        drain_seconds=drain_seconds,
    )


def _rate(service: Service) -> float | None:
    told: Any = (service.additional_properties or {}).get(RATE, service.request.get(RATE))
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and told > 0 else None
