"""What all calls of a gateway share: the table, who may call what, which replica is next, and what is counted."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from mooring.errors import Denied
from mooring.gateway.breaker import Breaker
from mooring.gateway.choice import Draw, choose
from mooring.gateway.connection import Broken
from mooring.gateway.counting import Counting
from mooring.gateway.identity import identify, require_service
from mooring.gateway.limiting import Buckets
from mooring.gateway.metrics import Metrics
from mooring.gateway.problem import (
    Problem,
    failed,
    just_started,
    no_right,
    no_such_api,
    not_identified,
    not_started,
    nothing_ready,
    too_many,
)
from mooring.gateway.table import Table
from mooring.gateway.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mooring.gateway.connection import Connection
    from mooring.gateway.identity import Asked
    from mooring.gateway.table import Limits, Principal, Route, Share, Target

_T = TypeVar("_T")

INFERS = b"/v1/infers/"
# Statuses in which a service without a ready replica is on its way to one.
_COMING = frozenset(("deploying", "running", "concerning", "pending", "waiting"))
_ATTEMPTS = 3


class Addressed(NamedTuple):
    """What a path names: a service, and where in its container the call goes."""

    service_id: str
    path: bytes


class Attempt(NamedTuple):
    """A replica that was chosen for a call; the call is in flight there until `Counting.end`."""

    share: Share
    target: Target


class Traffic:
    """The shared state of a gateway. `now_ms` is the time of day, `lot` a random number from 0 up to 1."""

    def __init__(
        self, *, now_ms: Callable[[], int], fell_silent: Callable[[], None], lot: Callable[[], float] = random.random
    ) -> None:
        self.table = Table()
        self.replicas: frozenset[str] = frozenset()  # that the table has
        self.now_ms = now_ms
        self.upstream = Upstream()
        self.counting = Counting(fell_silent)
        self.breaker = Breaker()
        self.metrics = Metrics()
        self._buckets = Buckets()
        self._lot = lot
        self._turns: dict[str, int] = {}

    def take(self, table: Table) -> None:
        """Go by this table from now on."""
        self.table = table
        targets = [one for route in table.routes.values() for share in route.shares for one in share.targets]
        self.replicas = replicas = frozenset(one.replica for one in targets)
        self.upstream.keep_only({one.url for one in targets})
        self.counting.serve_only(replicas)
        self.breaker.keep_only(replicas)
        self.metrics.keep_only(table.routes, time.monotonic())
        self._buckets.keep_only(frozenset(table.routes))
        self._turns = {name: turn for name, turn in self._turns.items() if name in table.routes}

    def addressed(self, raw_path: bytes) -> Addressed:
        """Read `/v1/infers/{service_id}[/{path}]`, or the form with a cluster's id before the service's.

        A Problem 503 until there is a table: who may call, and what there is to be called, is not known yet.
        """
        if not raw_path.startswith(INFERS):
            raise no_such_api()
        if not self.table.number:
            raise just_started()
        first, slash, rest = raw_path[len(INFERS) :].partition(b"/")
        service_id = first.decode("ascii", "replace")
        if slash and service_id not in self.table.routes:
            second, _, after = rest.partition(b"/")
            if second.decode("ascii", "replace") in self.table.routes:
                return Addressed(second.decode("ascii"), b"/" + after)
        if not service_id:
            raise Problem(400, "ModelArts.4201", "There is no service id in the URL: /v1/infers/{service_id}.")
        return Addressed(service_id, b"/" + rest)

    def identify(self, asked: Asked) -> Principal:
        """Who calls; a Problem 401 when it is nobody known."""
        try:
            return identify(asked, self.table.callers, self.now_ms())
        except Denied as denied:
            reason = f"{denied.message}; {denied.hint}" if denied.case == "no-auth" else denied.message
            raise not_identified(reason) from denied

    def route(self, service_id: str, principal: Principal) -> Route:
        """The route of a service that this caller may call; a service of somebody else is like none."""
        if principal.service_id and principal.service_id != service_id:
            raise no_right("This app code is for another service.")
        route = self.table.routes.get(service_id)
        if route is None:
            raise no_such_api()
        try:
            require_service(principal, route.project_id, service_id)
        except Denied:
            raise no_such_api() from None
        return route

    def admit(self, route: Route) -> None:
        """Hold the service to its traffic limit; a Problem 429 when it is reached."""
        rate = route.limits.requests_per_second
        if rate is None:
            return
        wait = self._buckets.take(route.service_id, rate, time.monotonic())
        if wait:
            raise too_many(rate, max(1, round(wait + 0.5)))

    def choose(self, route: Route, source: str, tried: frozenset[str] = frozenset()) -> Attempt | None:
        """A replica for a call; one that rests after failures only when there is no other."""
        turn = self._turns[route.service_id] = self._turns.get(route.service_id, -1) + 1
        draw = Draw(self._lot(), turn, source)
        now = time.monotonic()
        resting = self.breaker.resting(now)
        in_flight = self.counting.in_flight
        found = choose(route, in_flight, draw, tried | resting) if resting else None
        found = found or choose(route, in_flight, draw, tried)
        if found is None:
            return None
        self.breaker.tried(found[1].replica, now)
        return Attempt(*found)

    async def connection(self, url: str, limits: Limits) -> Connection:
        """A connection for one HTTP exchange; Broken when there is none to be had.

        One that stands already is only used when nothing has come on it, not even its end.
        """
        return self.upstream.idle(url) or await self.upstream.connect(url, limits)

    async def reach(
        self, route: Route, source: str, connect: Callable[[str, Limits], Awaitable[_T]]
    ) -> tuple[Attempt, _T]:
        """A replica and a connection with it, the call counted as in flight there; a Problem when there is none.

        A replica that `connect` finds no connection with was sent nothing, so another is tried, up to three in all.
        """
        tried: frozenset[str] = frozenset()
        reason: Problem | None = None
        last: Attempt | None = None
        while len(tried) < _ATTEMPTS and (attempt := self.choose(route, source, tried)) is not None:
            replica, url = attempt.target.replica, attempt.target.url
            self.counting.begin(replica)
            try:
                return attempt, await connect(url, route.limits)
            except Broken as broken:
                reason = failed(broken.failure)
                self.counting.end(replica)
                self.breaker.failed(replica, time.monotonic())
                self.metrics.failed(route, attempt.share, replica, broken.failure.value)
                tried |= {replica}
                last = attempt
            except BaseException:
                self.counting.end(replica)
                raise
        if reason is not None and last is not None:
            self.count(route, last.share, failed=True)
            raise reason
        if route.status in _COMING:
            raise nothing_ready(route.service_name, route.status)
        raise not_started(route.service_name, route.status)

    def count(self, route: Route, share: Share, *, failed: bool) -> None:
        """A call of this version has ended."""
        self.counting.count(route.service_id, share.model_id, self.now_ms() // 60_000, failed=failed)
