"""WebSockets: a client on one side, a replica on the other, and messages passed between the two as they come."""

from __future__ import annotations

import asyncio
import hashlib
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from mooring.gateway.connection import Failure
from mooring.gateway.heads import answered, handshake, request_id
from mooring.gateway.identity import Asked
from mooring.gateway.problem import Problem, failed, no_websocket
from mooring.gateway.upstream import any_certificate

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, MutableMapping

    from websockets.asyncio.client import ClientConnection

    from mooring.gateway.heads import Header
    from mooring.gateway.table import Limits, Route
    from mooring.gateway.traffic import Traffic

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

_NOTHING_SHA256 = hashlib.sha256(b"").hexdigest()
_LARGEST_ANSWER_BYTES = 64 << 20
_GOING_AWAY, _NO_CODE, _ABNORMAL, _TOO_BIG, _BROKEN = 1001, 1005, 1006, 1009, 1011


class _Over(NamedTuple):
    """How a WebSocket ends: the code and the reason that whoever is still there is told."""

    code: int
    reason: str


class _Handshake(connect):
    """A handshake that goes where it was sent: a replica cannot redirect the gateway to another place."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow nothing."""
        return exc


class Sockets:
    """All WebSockets of a gateway. Each counts as a call in flight at its replica until it is closed."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self._open: dict[_Carrier, str] = {}

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Take a client's handshake, and carry messages until either side closes."""
        number = request_id(scope["headers"])
        try:
            await self._serve(scope, receive, send, number)
        except Problem as problem:
            content = problem.body()
            await _deny(scope, send, problem.status, problem.headers(number, len(content)), content)
        except InvalidStatus as refused:
            response = refused.response
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in response.headers.raw_items()]
            await _deny(
                scope,
                send,
                response.status_code,
                answered(response.status_code, headers, number),
                bytes(response.body or b""),
            )

    def drain(self) -> None:
        """Close, once their time is up, those whose replica gets no new calls."""
        served = self._traffic.replicas
        for carrier, replica in self._open.items():
            if replica not in served:
                carrier.drain(partial(self._is_served, replica))

    def _is_served(self, replica: str) -> bool:
        return replica in self._traffic.replicas

    async def _serve(self, scope: Message, receive: Receive, send: Send, number: bytes) -> None:
        traffic = self._traffic
        addressed = traffic.addressed(scope["raw_path"])
        query = scope["query_string"]
        asked = Asked(
            method="GET", path=scope["raw_path"], query=query, headers=scope["headers"], body_sha256=_NOTHING_SHA256
        )
        route = traffic.route(addressed.service_id, traffic.identify(asked))
        if not route.websocket:
            raise no_websocket(route.service_name)
        await receive()  # the client's wish to connect
        client = scope.get("client")
        attempt, bare = await traffic.reach(route, client[0] if client else "", traffic.upstream.socket)
        replica = attempt.target.replica
        try:
            target = addressed.path + b"?" + query if query else addressed.path
            other = await _shake_hands(scope, number, attempt.target.url + target.decode("ascii"), bare, route)
            carrier = _Carrier(other, route.limits)
            self._open[carrier] = replica
            try:
                await send(
                    {
                        "type": "websocket.accept",
                        "subprotocol": other.subprotocol,
                        "headers": [(b"x-request-id", number)],
                    }
                )
                await carrier.carry(receive, send)
            finally:
                del self._open[carrier]
                other.transport.abort()
        finally:
            traffic.counting.end(replica)


async def _shake_hands(scope: Message, number: bytes, url: str, bare: socket.socket, route: Route) -> ClientConnection:
    """The handshake with the replica, on a connection that stands."""
    secure = url.startswith("https:")
    try:
        return await _Handshake(
            "ws" + url.removeprefix("http"),
            sock=bare,
            ssl=any_certificate() if secure else None,
            subprotocols=scope["subprotocols"] or None,
            additional_headers=handshake(scope, number),
            user_agent_header=None,
            compression=None,
            proxy=None,
            open_timeout=route.limits.answer_seconds,
            ping_interval=None,  # a model may be busy for longer than a ping may wait
            close_timeout=2,
            max_size=_LARGEST_ANSWER_BYTES,
        )
    except InvalidStatus:
        raise
    except TimeoutError:
        raise failed(Failure.ANSWER_TIMEOUT) from None
    except WebSocketException:
        raise failed(Failure.MALFORMED) from None
    except (OSError, EOFError):
        raise failed(Failure.TLS if secure else Failure.CLOSED) from None


async def _deny(scope: Message, send: Send, status: int, headers: list[Header], content: bytes) -> None:
    """Answer a handshake with an HTTP error, where the server can; else it says 403."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": content})


class _Carrier:
    """Messages both ways, until somebody closes, falls silent for too long, or the replica is drained."""

    def __init__(self, replica: ClientConnection, limits: Limits) -> None:
        self._replica = replica
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[_Over] = self._loop.create_future()
        self._client_here = True
        self._heard_at = self._loop.time()
        self._timers: list[asyncio.TimerHandle] = []
        self._draining = False

    async def carry(self, receive: Receive, send: Send) -> None:
        """Carry messages until it is over, then tell both sides."""
        self._watch()
        pumps = [self._loop.create_task(pump) for pump in (self._to_replica(receive), self._to_client(send))]
        try:
            over = await self._over
        finally:
            for timer in self._timers:
                timer.cancel()
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        if self._client_here:
            await send({"type": "websocket.close", "code": over.code, "reason": over.reason})
        await self._replica.close(over.code, over.reason)

    def drain(self, is_back: Callable[[], bool]) -> None:
        """Close when the limit has passed, unless the replica gets calls again by then."""
        if self._draining:
            return
        self._draining = True

        def close() -> None:
            self._draining = False
            if not is_back():
                self._end(_GOING_AWAY, "the service is being updated; connect again")

        self._timers.append(self._loop.call_later(self._limits.drain_seconds, close))

    async def _to_replica(self, receive: Receive) -> None:
        limit = self._limits.body_bytes
        try:
            while (message := await receive())["type"] != "websocket.disconnect":
                self._heard_at = self._loop.time()
                data = message.get("text")
                data = message["bytes"] if data is None else data
                if limit is not None and len(data) > limit:
                    self._end(_TOO_BIG, f"messages may have {limit} bytes")
                    return
                await self._replica.send(data)
            self._client_here = False
            code = message.get("code", _NO_CODE)
            self._end(_GOING_AWAY if code in (_NO_CODE, _ABNORMAL) else code, message.get("reason") or "")
        except ConnectionClosed:
            pass  # the other pump tells how

    async def _to_client(self, send: Send) -> None:
        try:
            while True:
                data = await self._replica.recv()
                self._heard_at = self._loop.time()
                kind = "text" if isinstance(data, str) else "bytes"
                await send({"type": "websocket.send", kind: data})
        except ConnectionClosed as closed:
            said = closed.rcvd
            if said is None:
                self._end(_BROKEN, "the instance broke the connection off")
            else:
                self._end(1000 if said.code == _NO_CODE else said.code, said.reason)
        except OSError:  # as servers say that the client is gone
            self._client_here = False
            self._end(_GOING_AWAY, "")

    def _watch(self) -> None:
        """Close when neither side has said anything for as long as an answer may take."""
        limit = self._limits.answer_seconds
        if limit is None:
            return
        left = self._heard_at + limit - self._loop.time()
        if left <= 0:
            self._end(_GOING_AWAY, f"nothing was said for {limit:g} s")
            return
        self._timers = [one for one in self._timers if one.when() > self._loop.time()]
        self._timers.append(self._loop.call_later(left, self._watch))

    def _end(self, code: int, reason: str) -> None:
        if not self._over.done():
            self._over.set_result(_Over(code, reason))
