"""One HTTP call: from who makes it to the last byte of the answer, streaming both ways."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from mooring.gateway.body import SIGNED_BYTES, Body
from mooring.gateway.connection import Broken, Failure
from mooring.gateway.heads import answered, forwarded, request_head, request_id
from mooring.gateway.identity import Asked, needs_body
from mooring.gateway.metrics import Times
from mooring.gateway.problem import Problem, failed, method_not_allowed, our_fault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from mooring.gateway.connection import Connection
    from mooring.gateway.table import Principal, Route
    from mooring.gateway.traffic import Addressed, Attempt, Traffic

    Message = MutableMapping[str, Any]

_log = logging.getLogger("mooring.gateway")
# An answer that comes sooner needs nobody who watches meanwhile whether the client is still there: a fifth of the CPU.
_UNWATCHED_SECONDS = 0.05
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")


class Call:
    """A call on its way. Nothing is retried once a byte of it was sent: a model may have begun to work on it."""

    def __init__(
        self,
        traffic: Traffic,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._traffic = traffic
        self._scope = scope
        self._receive = receive
        self._send = send
        self._arrived = time.monotonic()
        self._id = request_id(scope["headers"])
        self._body: Body | None = None
        self._started = False
        self._service_id = ""
        self._refusal: Problem | None = None  # of the body, while it was already on its way

    async def run(self) -> None:
        """Answer the call, whatever the answer is."""
        try:
            await self._run()
        except Problem as problem:
            await self._refuse(problem)
        except Broken as broken:
            if self._refusal is not None:
                await self._refuse(self._refusal)
            elif broken.failure is not Failure.CLIENT_GONE:
                await self._refuse(failed(broken.failure))
        except Exception:  # noqa: BLE001 - a fault of ours: the whole story to the log, its id to whoever called
            _log.exception("call %s failed", self._id.decode())
            await self._refuse(our_fault())
        finally:
            if self._body is not None:
                self._body.close()

    async def _run(self) -> None:
        scope, traffic = self._scope, self._traffic
        if scope["method"] not in METHODS:
            raise method_not_allowed(scope["method"], ", ".join(METHODS))
        body = self._body = Body(scope["headers"], self._receive)
        addressed = traffic.addressed(scope["raw_path"])
        principal = await self._identify(addressed, body)
        route = traffic.route(addressed.service_id, principal)
        self._service_id = route.service_id
        body.hold_to(route.limits.body_bytes)
        traffic.admit(route)
        first = b"" if body.ended else await body.next()
        client = scope.get("client")
        chosen = time.monotonic()
        attempt, connection = await traffic.reach(route, client[0] if client else "", traffic.connection)
        exchange = _Exchange(self, route, attempt, connection, (self._arrived, chosen))
        try:
            exchange.begin(addressed, body, first)
            await exchange.answer(self._send)
        finally:
            exchange.end()

    async def _identify(self, addressed: Addressed, body: Body) -> Principal:
        scope, traffic = self._scope, self._traffic
        asked = Asked(
            method=scope["method"], path=scope["raw_path"], query=scope["query_string"], headers=scope["headers"]
        )
        if not needs_body(asked, traffic.table.callers):
            return traffic.identify(asked)
        route = traffic.table.routes.get(addressed.service_id)
        limit = route.limits.body_bytes if route is not None else None
        body.hold_to(SIGNED_BYTES if limit is None else limit)
        digest = await body.keep()
        return traffic.identify(
            Asked(
                method=asked.method,
                path=asked.path,
                query=asked.query,
                headers=asked.headers,
                body_sha256=digest,
            )
        )

    async def _refuse(self, problem: Problem) -> None:
        """Tell the client; when the answer has begun, the only way to tell is to end the connection."""
        if self._started:
            abort = self._scope.get("extensions", {}).get("mooring.abort")
            if abort is not None:
                abort["now"]()
            return
        self._traffic.metrics.refused(self._service_id, problem.status)
        content = problem.body()
        headers = problem.headers(self._id, len(content))
        self._started = True
        await self._send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": content})

    def head(self, addressed: Addressed, attempt: Attempt, length: int | None) -> bytes:
        """The request's head for a replica."""
        scope = self._scope
        query = scope["query_string"]
        target = addressed.path + b"?" + query if query else addressed.path
        headers = forwarded(scope, self._id)
        return request_head(scope["method"], target, attempt.target.url, headers, length)

    async def start(self, connection: Connection) -> None:
        """Begin the answer with the head that the model gave."""
        self._started = True
        headers = answered(connection.status, connection.headers, self._id)
        await self._send({"type": "http.response.start", "status": connection.status, "headers": headers})

    async def hung_up(self) -> None:
        """Wait until the client is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def refuse_later(self, problem: Problem) -> None:
        """The body turned out to be one that is not taken."""
        self._refusal = problem

    @property
    def bodiless(self) -> bool:
        """Whether the answer to this method is a head alone."""
        return bool(self._scope["method"] == "HEAD")

    @property
    def traffic(self) -> Traffic:
        """What it shares with all others."""
        return self._traffic


class _Exchange:
    """The part of a call that is in flight at a replica, which ends in one place: `end`."""

    def __init__(
        self, call: Call, route: Route, attempt: Attempt, connection: Connection, times: tuple[float, float]
    ) -> None:
        self._call = call
        self._route = route
        self._attempt = attempt
        self._connection = connection
        self._arrived, self._chosen = times
        self._connected = time.monotonic()
        self._pump: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._open = True

    def begin(self, addressed: Addressed, body: Body, first: bytes) -> None:
        """Send the head with what is there of the body; the rest follows beside the answer."""
        connection = self._connection
        connection.begin(answer_seconds=self._route.limits.answer_seconds, bodiless=self._call.bodiless)
        head = self._call.head(addressed, self._attempt, body.length)
        chunked = body.length is None
        connection.write(head, _chunk(first) if chunked else first)
        loop = asyncio.get_running_loop()
        if body.ended:
            self._sent(chunked=chunked)
            self._watch = loop.call_later(_UNWATCHED_SECONDS, self._start, body, chunked)
        else:
            self._start(body, chunked)

    def _start(self, body: Body, chunked: bool) -> None:  # noqa: FBT001 - as the loop calls it
        self._pump = asyncio.get_running_loop().create_task(self._follow(body, chunked=chunked))

    async def _follow(self, body: Body, *, chunked: bool) -> None:
        """Send the rest of the body, then watch for a client that no longer waits."""
        connection = self._connection
        try:
            if not body.ended:
                while not body.ended:
                    await connection.drained()
                    data = await body.next()
                    connection.write(_chunk(data) if chunked else data)
                self._sent(chunked=chunked)
            await self._call.hung_up()
            connection.break_off(Failure.CLIENT_GONE)
        except Problem as problem:
            self._call.refuse_later(problem)
            connection.break_off(Failure.CLIENT_GONE)
        except Broken as broken:
            connection.break_off(broken.failure)

    def _sent(self, *, chunked: bool) -> None:
        if chunked:
            self._connection.write(b"0\r\n\r\n")
        self._connection.sent()

    async def answer(self, send: Callable[[Message], Awaitable[None]]) -> None:
        """Pass the answer on as it comes."""
        connection = self._connection
        await connection.answered()
        await self._call.start(connection)
        last = False
        while not last:
            data = await connection.chunk()
            last = connection.drawn
            if last:
                # The replica is done; how fast the client takes the rest is no longer its business.
                self.end()
            await send({"type": "http.response.body", "body": data, "more_body": not last})

    def end(self) -> None:
        """The call is no longer in flight, however it ended."""
        if not self._open:
            return
        self._open = False
        if self._watch is not None:
            self._watch.cancel()
        if self._pump is not None:
            self._pump.cancel()
        connection, route, (share, target) = self._connection, self._route, self._attempt
        traffic = self._call.traffic
        whole, failure = connection.complete, connection.failure
        if connection.end():
            traffic.upstream.release(target.url, connection, route.limits)
        traffic.counting.end(target.replica)
        now = time.monotonic()
        if whole or connection.status:
            traffic.breaker.answered(target.replica)
        elif failure in (Failure.CLOSED, Failure.TLS, Failure.MALFORMED):
            traffic.breaker.failed(target.replica, now)
        code = f"{connection.status // 100}xx" if whole else (failure or Failure.CLIENT_GONE).value
        bad = connection.status >= 400 if whole else code != Failure.CLIENT_GONE.value  # noqa: PLR2004
        traffic.count(route, share, failed=bad)
        times = Times(self._chosen - self._arrived, self._connected - self._chosen, now - self._connected)
        traffic.metrics.called(route, share, target.replica, code, times)


def _chunk(data: bytes) -> bytes:
    """A part of a body in chunks; nothing for no bytes, since an empty chunk would end it."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
