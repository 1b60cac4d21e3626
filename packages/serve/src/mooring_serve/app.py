"""The ASGI application: from a request to its route, its call and its answer."""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
from typing import TYPE_CHECKING, Any

from mooring_serve.body import Reader
from mooring_serve.logs import log
from mooring_serve.metrics import CONTENT_TYPE, Metrics
from mooring_serve.problem import Problem, invalid, too_large

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mooring_serve.config import Config
    from mooring_serve.pool import Call, Pool
    from mooring_serve.settings import Settings

    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

_JSON = b"application/json"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
# After an early refusal the rest of the body is read and dropped this far, so that the client sees the answer
# rather than a connection reset.
_DISCARD_BYTES = 1 << 30
_DISCARD_SECONDS = 5.0


class Route:
    """One method of one path."""

    def __init__(self, number: int, label: str, reader: Reader, metrics: Metrics) -> None:
        self.number = number
        self.label = label
        self.reader = reader
        self.latency = metrics.latency.labels(label)
        self.queue = metrics.queue.labels(label)
        self.model = metrics.model.labels(label)
        self.answered = metrics.requests.labels(label, "200")


class App:
    """Answers the declared APIs, the health check and `/metrics`."""

    def __init__(self, config: Config, settings: Settings, pool: Pool, metrics: Metrics) -> None:
        self._settings = settings
        self._pool = pool
        self._metrics = metrics
        self._health_url = config.health_url
        self._routes: dict[str, dict[str, Route]] = {}
        for number, api in enumerate(config.apis):
            reader = Reader(api, enforce=not config.is_package)
            label = f"{api.method} {api.url}"
            self._routes.setdefault(api.url, {})[api.method] = Route(number, label, reader, metrics)
        self._prefix = os.urandom(4).hex()
        self._count = 0
        self.draining: str | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        exchange = Exchange(self, scope, send)
        call = route = None
        try:
            route = self._route(exchange)
            if route is None:
                await exchange.answer(*self._own_page(exchange))
                return
            call = await self._submit(route, exchange, receive)
            status, body = await call.answer
            await exchange.answer(status, body, timing=call)
        except Problem as problem:
            await exchange.refuse(problem, receive)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug of ours still answers in our form
            log("ERROR", "internal error", request_id=exchange.request_id, error=repr(error))
            await exchange.answer(500, Problem(500, "INTERNAL", "the server failed; see its log").body())
        finally:
            self._account(exchange, route, call, began)

    def _route(self, exchange: Exchange) -> Route | None:
        """The API that is asked for; None for a page of the server's own.

        Raises:
            Problem: 404 or 405.
        """
        scope = exchange.scope
        path, method = scope["path"], scope["method"]
        methods = self._routes.get(path)
        if methods is not None and method in methods:
            return methods[method]
        if path in (self._health_url, "/metrics"):
            if method in ("GET", "HEAD"):
                return None
            methods = {"GET": None, **(methods or {})}  # type: ignore[dict-item]
        if methods is None:
            known = ", ".join(sorted(self._routes)) or "none"
            raise Problem(404, "NOT_FOUND", f"there is no {path!r} here; config.json declares {known}")
        allowed = ", ".join(sorted(methods))
        raise Problem(
            405, "METHOD_NOT_ALLOWED", f"{path} takes {allowed}, not {method}", ((b"allow", allowed.encode()),)
        )

    def _own_page(self, exchange: Exchange) -> tuple[int, bytes]:
        if exchange.scope["path"] == "/metrics":
            exchange.content_type = CONTENT_TYPE
            return 200, self._metrics.page()
        reason = self.draining or self._pool.unready
        if reason is None:
            return 200, b'{"health": "true"}'
        return 503, json.dumps({"health": "false", "reason": reason}).encode()

    async def _submit(self, route: Route, exchange: Exchange, receive: Receive) -> Call:
        body = await self._body(exchange, receive)
        query = exchange.scope["query_string"]
        content_type = exchange.header(b"content-type").decode("latin-1")
        read = route.reader.read(content_type, query.decode("latin-1") if query else "", body)
        return self._pool.submit(route.number, exchange.request_id, read)

    async def _body(self, exchange: Exchange, receive: Receive) -> bytes:
        """The whole body, never more of it in memory than the limit."""
        limit = self._settings.body_limit_bytes
        declared = exchange.header(b"content-length")
        if declared and int(declared) > limit:
            raise too_large(limit)
        if exchange.header(b"content-encoding") not in (b"", b"identity"):
            raise Problem(415, "UNSUPPORTED_MEDIA_TYPE", "compressed bodies are not taken; send the body as it is")
        message = await receive()
        if not message.get("more_body") and message["type"] == "http.request":
            body: bytes = message["body"]
            if len(body) > limit:
                raise too_large(limit)
            exchange.body_ended = True
            return body
        pieces, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                exchange.body_ended = True
                raise invalid("the connection was closed before the body was whole")
            pieces.append(message["body"])
            size += len(message["body"])
            if size > limit:
                raise too_large(limit)
            if not message.get("more_body"):
                exchange.body_ended = True
                return b"".join(pieces)
            message = await receive()

    def request_id(self, sent: bytes) -> str:
        """The caller's request id if it is a sane one, else one of our own."""
        if sent and _REQUEST_ID.match(sent):
            return sent.decode()
        self._count += 1
        return f"{self._prefix}-{self._count:06x}"

    def _account(self, exchange: Exchange, route: Route | None, call: Call | None, began: float) -> None:
        if route is None and exchange.status == 200:  # noqa: PLR2004 - health and metrics that go well are not news
            return
        seconds = time.perf_counter() - began
        status = exchange.status
        timing = {}
        if route is not None:
            (route.answered if status == 200 else self._metrics.requests.labels(route.label, str(status))).inc()  # noqa: PLR2004
            route.latency.observe(seconds)
            if call is not None and call.sent:
                route.queue.observe(call.sent - call.arrived)
                route.model.observe(call.model_seconds)
                timing = {
                    "queue_ms": f"{(call.sent - call.arrived) * 1000:.1f}",
                    "model_ms": f"{call.model_seconds * 1000:.1f}",
                }
        if self._settings.access_log:
            scope = exchange.scope
            told = {"code": exchange.code} if exchange.code else {}
            log(
                "INFO" if status < 500 else "ERROR",  # noqa: PLR2004
                "request",
                request_id=exchange.request_id,
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=f"{seconds * 1000:.1f}",
                **timing,
                **told,
            )


class Exchange:
    """One request and its answer."""

    def __init__(self, app: App, scope: dict[str, Any], send: Send) -> None:
        self.scope = scope
        self.status = 499  # until answered: the client went away
        self.code = ""
        self.body_ended = False
        self.content_type = _JSON
        self._app = app
        self._send = send
        self._headers = dict(scope["headers"])
        self.request_id = app.request_id(self.header(b"x-request-id"))

    def header(self, name: bytes) -> bytes:
        """A request header, b"" if it was not sent."""
        value: bytes = self._headers.get(name, b"")
        return value

    async def answer(self, status: int, body: bytes, *, timing: Call | None = None) -> None:
        """Send the answer."""
        self.status = status
        headers = self._answer_headers(body)
        if timing is not None and timing.sent:
            queue = (timing.sent - timing.arrived) * 1000
            headers.append((b"server-timing", b"queue;dur=%.2f, model;dur=%.2f" % (queue, timing.model_seconds * 1000)))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, problem: Problem, receive: Receive) -> None:
        """Send an error; when part of the body is still to come, read it away and close the connection after."""
        self.status, self.code = problem.status, problem.code
        body = problem.body()
        headers = [*self._answer_headers(body), *problem.headers]
        early = not self.body_ended and self.scope["method"] not in ("GET", "HEAD")
        if early:
            headers = [pair for pair in headers if pair[0] != b"connection"]
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": early})
        if early:
            await self._discard(receive)
            await self._send({"type": "http.response.body", "body": b""})

    async def _discard(self, receive: Receive) -> None:
        if self.header(b"expect"):
            return  # the client waits for our word and will not send the body
        left = _DISCARD_BYTES
        deadline = time.monotonic() + _DISCARD_SECONDS
        while left > 0 and time.monotonic() < deadline:
            try:
                message = await asyncio.wait_for(receive(), _DISCARD_SECONDS)
            except asyncio.TimeoutError:  # another class in Python 3.10
                return
            left -= len(message.get("body", b""))
            if not message.get("more_body"):
                return

    def _answer_headers(self, body: bytes) -> list[tuple[bytes, bytes]]:
        headers = [
            (b"content-type", self.content_type),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", self.request_id.encode()),
        ]
        if self._app.draining is not None:
            headers.append((b"connection", b"close"))
        return headers
