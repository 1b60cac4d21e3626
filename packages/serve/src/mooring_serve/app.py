"""From a request to its route, its call and its answer; every request ends in one line of the log."""

from __future__ import annotations

import json
import os
import re
import time
from typing import TYPE_CHECKING

from mooring_serve.body import Reader
from mooring_serve.call import Call
from mooring_serve.logs import log, quoted, stamp, write
from mooring_serve.metrics import CONTENT_TYPE, Metrics
from mooring_serve.problem import Problem

if TYPE_CHECKING:
    from mooring_serve.config import Config
    from mooring_serve.connection import Connection
    from mooring_serve.pool import Pool
    from mooring_serve.request import Request
    from mooring_serve.settings import Settings

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}\Z")
_METRICS = "/metrics"
_CLIENT_GONE = 499  # never sent; what other servers' logs call a client that did not wait
_NO_API = "none"
_SHOWN_REASON = 300


class Route:
    """One method of one path, and its figures."""

    def __init__(self, number: int, label: str, reader: Reader, metrics: Metrics) -> None:
        self.number = number
        self.label = label
        self.reader = reader
        self.latency = metrics.latency.labels(label).observe
        self.queue = metrics.queue.labels(label).observe
        self.model = metrics.model.labels(label).observe
        self.answered = metrics.requests.labels(label, "200").inc


class App:
    """Answers the declared APIs, the health check and `/metrics`."""

    def __init__(self, config: Config, settings: Settings, pool: Pool, metrics: Metrics) -> None:
        self._settings = settings
        self._pool = pool
        self._metrics = metrics
        self._own_pages = (config.health_url, _METRICS)
        self._routes: dict[str, dict[str, Route]] = {}
        for number, api in enumerate(config.apis):
            reader = Reader(api, enforce=not config.is_package)
            label = f"{api.method} {api.url}"
            self._routes.setdefault(api.url, {})[api.method] = Route(number, label, reader, metrics)
        self._prefix = os.urandom(4).hex()
        self._count = 0
        self.draining: str | None = None

    def judge_head(self, request: Request) -> Problem | None:
        """What is wrong with a request whose body has not come yet, None if nothing is."""
        methods = self._routes.get(request.path)
        if methods is None or request.method not in methods:
            problem = self._lost(request, methods)
            if problem is not None:
                return problem
        if request.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            return Problem(415, "UNSUPPORTED_MEDIA_TYPE", "compressed bodies are not taken; send the body as it is")
        return None

    def _lost(self, request: Request, methods: dict[str, Route] | None) -> Problem | None:
        allowed = set(methods or ())
        if request.path in self._own_pages:
            if request.method in ("GET", "HEAD"):
                return None
            allowed.add("GET")
        if not allowed:
            known = ", ".join(sorted(self._routes)) or "none"
            return Problem(404, "NOT_FOUND", f"there is no {request.path!r} here; config.json declares {known}")
        told = ", ".join(sorted(allowed))
        said = f"{request.path} takes {told}, not {request.method}"
        return Problem(405, "METHOD_NOT_ALLOWED", said, ((b"allow", told.encode()),))

    def handle(self, request: Request, connection: Connection) -> None:
        """Answer a whole request, now or when its call comes back."""
        began = time.perf_counter()
        request_id = self._request_id(request)
        if request.problem is not None:
            self._refuse(request, connection, request.problem, request_id)
            return
        methods = self._routes.get(request.path)
        route = methods.get(request.method) if methods is not None else None
        if route is None:
            self._own_page(request, connection, request_id)
            return
        content_type = request.headers.get(b"content-type", b"").decode("latin-1")
        try:
            body = route.reader.read(content_type, request.query, request.content())
            request.body.clear()
            request.call = Call(route.number, request_id, body, lambda call: self._came_back(call, began))
            request.call.origin = (request, connection, route)
            self._pool.submit(request.call)
        except Problem as problem:
            self._forget(request)
            self._refuse(request, connection, problem, request_id)
        except Exception as error:  # noqa: BLE001 - a bug of ours still answers in our form
            log("ERROR", "internal error", request_id=request_id, error=repr(error))
            self._forget(request)
            self._refuse(request, connection, Problem(500, "INTERNAL", "the server failed; see its log"), request_id)

    @staticmethod
    def _forget(request: Request) -> None:
        if request.call is not None:
            request.call.drop()
            request.call = None

    def _came_back(self, call: Call, began: float) -> None:
        request, connection, route = call.origin
        call.origin = request.call = None  # no circles: a body is let go as soon as it is answered
        queue = call.sent - call.arrived if call.sent else 0.0
        if call.problem is not None:
            status, body, more = call.problem.status, call.problem.body(), _lines(call.problem)
        else:
            (status, body), more = call.answer, b""
        timing = b"x-request-id: %b\r\nserver-timing: queue;dur=%.2f, model;dur=%.2f\r\n" % (
            call.frame[1].encode(),
            queue * 1000,
            call.model_seconds * 1000,
        )
        connection.answer(request, status, body, more=more + timing)
        seconds = time.perf_counter() - began
        if status == 200:  # noqa: PLR2004 - the ordinary case has its counter at hand
            route.answered()
        else:
            self._metrics.requests.labels(route.label, str(status)).inc()
        route.latency(seconds)
        if call.sent:
            route.queue(queue)
            route.model(call.model_seconds)
        if self._settings.access_log:
            why = _why(body) if status >= 400 else ""  # noqa: PLR2004 - errors begin here
            self._log(request, status, call.frame[1], why, (seconds, queue, call.model_seconds))

    def _refuse(self, request: Request, connection: Connection, problem: Problem, request_id: str) -> None:
        more = b"x-request-id: %b\r\n" % request_id.encode() + _lines(problem)
        connection.answer(request, problem.status, problem.body(), more=more)
        self._account(request, problem, request_id)

    def hung_up(self, request: Request) -> None:
        """The client is gone before its answer: a call that has not begun is dropped."""
        call, request.call = request.call, None
        if call is not None:
            call.drop()
            self._account(request, Problem(_CLIENT_GONE, "CLIENT_GONE", ""), call.frame[1])

    def _account(self, request: Request, problem: Problem, request_id: str) -> None:
        route = self._routes.get(request.path, {}).get(request.method)
        self._metrics.requests.labels(route.label if route else _NO_API, str(problem.status)).inc()
        if self._settings.access_log:
            self._log(request, problem.status, request_id, _reason(problem.code, problem.message))

    def _log(self, request: Request, status: int, request_id: str, why: str, times: tuple[float, ...] = ()) -> None:
        level = "INFO" if status < 500 else "ERROR"  # noqa: PLR2004 - 5xx are ours
        line = (
            f"{stamp()} {level} request request_id={request_id} method={request.method or '-'} "
            f"path={quoted(request.path)} status={status}"
        )
        if times:
            line += " ms={:.1f} queue_ms={:.1f} model_ms={:.1f}".format(*(seconds * 1000 for seconds in times))
        write(f"{line}{why}\n")

    def _own_page(self, request: Request, connection: Connection, request_id: str) -> None:
        """Health and metrics; not logged, because they are asked for every few seconds: what changes them is."""
        more = b"x-request-id: %b\r\n" % request_id.encode()
        if request.path == _METRICS:
            connection.answer(request, 200, self._metrics.page(), content_type=CONTENT_TYPE, more=more)
            return
        reason = self.draining or self._pool.unready
        if reason is None:
            connection.answer(request, 200, b'{"health": "true"}', more=more)
            return
        body = json.dumps({"health": "false", "reason": reason}, ensure_ascii=False).encode("utf-8", "replace")
        connection.answer(request, 503, body, more=more)

    def _request_id(self, request: Request) -> str:
        """The caller's request id if it is a sane one, else one of our own."""
        sent = request.headers.get(b"x-request-id")
        if sent is not None and _REQUEST_ID.match(sent):
            return sent.decode()
        self._count += 1
        return f"{self._prefix}-{self._count:06x}"


def _reason(code: str, message: str) -> str:
    """Why a request was refused, as the fields of its log line."""
    shown = message if len(message) <= _SHOWN_REASON else f"{message[:_SHOWN_REASON]}..."
    return f" code={code}" + (f" reason={quoted(shown)}" if message else "")


def _why(body: bytes) -> str:
    try:
        told = json.loads(body)
        return _reason(quoted(told["error_code"]), str(told["error_msg"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""  # an error in the project's own form


def _lines(problem: Problem) -> bytes:
    return b"".join(b"%b: %b\r\n" % pair for pair in problem.headers)
