"""The route table that a gateway holds: who may call, what is served and where it goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Principal:
    """Who makes a call: a user of a project, by one of the project's keys.

    `service_id` is set for an app code, which opens that one service and nothing else.
    """

    project_id: str
    user_name: str
    key_id: str
    service_id: str = ""


@dataclass(frozen=True)
class AccessKey:
    """One half of a key pair that is known by name, and the secret that signatures are made with."""

    secret: str = field(repr=False)
    principal: Principal
    expires_at_ms: int | None = None


@dataclass(frozen=True)
class Token:
    """A token by the SHA-256 of its text, which is all that is kept of it."""

    principal: Principal
    expires_at_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Callers:
    """Everyone who may call, as of one moment; revoked keys are not in it.

    `tokens` and `app_codes` are by the lower-case hex SHA-256 of the secret, `access_keys` by the access key.
    """

    tokens: Mapping[str, Token] = field(default_factory=dict)
    app_codes: Mapping[str, Token] = field(default_factory=dict)
    access_keys: Mapping[str, AccessKey] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """One ready replica: the name of its workload and where it is reached, `http://172.17.0.2:8080`."""

    replica: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Share:
    """One model version's part of a service's traffic: `weight` against the other shares', 0 for none."""

    model_id: str
    model_name: str
    model_version: str
    weight: int
    targets: tuple[Target, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a service's calls are held to; None is no limit. Sizes in bytes, times in seconds.

    `drain_seconds` is how long a WebSocket may stay with a replica that gets no new calls.
    """

    body_bytes: int | None = None
    connect_seconds: float = 5.0
    answer_seconds: float | None = None
    requests_per_second: float | None = None
    keep_alive_seconds: float = 50.0
    drain_seconds: float = 60.0


@dataclass(frozen=True, kw_only=True)
class Route:
    """How one service is served now. A service that is stopped or has no ready replica has a route without targets."""

    service_id: str
    service_name: str
    project_id: str
    status: str
    shares: tuple[Share, ...] = ()
    limits: Limits = field(default_factory=Limits)
    websocket: bool = False
    load_balancer_policy: str = "LEAST_CONNECTIONS"


@dataclass(frozen=True, kw_only=True)
class Table:
    """All routes and callers as of `number`; a higher number is a later table, also after a restart of control."""

    number: int = 0
    routes: Mapping[str, Route] = field(default_factory=dict)
    callers: Callers = field(default_factory=Callers)
