"""What every management call passes first: its form is sane, its body bounded, its caller known."""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from mooring.api import failing, hosts
from mooring.api.json_body import require_sane
from mooring.api.platform import PRINCIPAL, Platform
from mooring.api.problems import BODY_TOO_LARGE, BODY_TOO_SLOW, NO_SUCH_API, Problem
from mooring.errors import Denied, Invalid, MooringError
from mooring.gateway.heads import REQUEST_ID, request_id, value_of
from mooring.gateway.identity import Asked, identify, needs_body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOG = logging.getLogger(__name__)
# A config.json of hundreds of fields has some hundred KB.
BODY_BYTES = 4 * 1024**2
# Of those whom nobody knows yet: a login.
LOGIN_BYTES = 64 * 1024
BODY_SECONDS = 30.0
# What anyone may ask for: whether it lives, how to log in, and what there is to ask for.
OPEN = frozenset({"/healthz", "/v3/auth/tokens", "/openapi.json", "/docs"})
OPEN_BELOW = "/docs/"
GATEWAY_BELOW = "/gateway/"
METRICS = "/metrics"
BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
# Answers of the API are data: nothing in them is to be run, and nobody is to keep them.
DATA_HEADERS = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)


class Door:
    """An ASGI application around another. What comes through has a caller, in `scope[PRINCIPAL]`, unless it is open."""

    def __init__(self, app: App, platform: Platform) -> None:
        self._app = app
        self._platform = platform

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass on what may pass; answer the rest. HTTP only, and the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = request_id(scope["headers"])
        sending = _Sending(send, number)
        try:
            receive = await self._admit(scope, receive)
            await self._app(scope, receive, sending)
        except MooringError as error:
            await failing.told(error)(scope, receive, sending)
        except _Turned as turned:
            await failing.answer(turned.problem, turned.message)(scope, receive, sending)
        except Exception:
            LOG.exception("%s %s failed (%s)", scope["method"], scope["path"], number.decode())
            if not sending.started:
                await failing.failed(number.decode())(scope, receive, sending)

    async def _admit(self, scope: Message, receive: Receive) -> Receive:
        """Know who calls, and have the body; what then gives the body to whoever asks next."""
        hosts.require_sane(scope, self._platform.settings)
        if "\0" in scope["path"]:
            raise _Turned(Problem(404, NO_SUCH_API), "no path has a NUL character in it")
        if b"%00" in scope["query_string"]:
            raise Invalid("the query has a NUL character", hint="leave out %00", case="parameter-invalid")
        asked = Asked(
            method=scope["method"],
            path=scope.get("raw_path") or scope["path"].encode(),
            query=scope["query_string"],
            headers=scope["headers"],
        )
        body, most = None, BODY_BYTES
        if is_open(scope["path"]):
            most = LOGIN_BYTES
        elif scope["path"].startswith(GATEWAY_BELOW):
            await asyncio.to_thread(self._require_gateway, asked)
        elif scope["path"] == METRICS and hosts.is_local(scope):
            pass
        else:
            callers = await asyncio.to_thread(self._platform.keys.callers)
            if needs_body(asked, callers):
                body = await _whole_body(scope, receive, most)
                asked = replace(asked, body_sha256=hashlib.sha256(body).hexdigest())
            scope[PRINCIPAL] = identify(asked, callers, self._platform.clock.now_ms())
        if body is None:
            body = await _whole_body(scope, receive, most)
        if scope["method"] not in BODILESS:
            require_sane(body)
            # After the signature, of which it may be a part: a body is JSON, whatever curl calls it.
            kept = [header for header in scope["headers"] if header[0] != b"content-type"]
            scope["headers"] = [*kept, (b"content-type", b"application/json")]
        return _again(body, receive)

    def _require_gateway(self, asked: Asked) -> None:
        token = value_of(asked.headers, b"x-auth-token") or value_of(asked.headers, b"authorization")[len("Bearer ") :]
        if not self._platform.keys.is_gateway(token.decode("latin-1")):
            raise Denied(
                "this is for gateways", hint="show a gateway's token: mooring keys create", case="token-invalid"
            )


class _Turned(Exception):
    """A call that goes no further, and what its caller is told."""

    def __init__(self, problem: Problem, message: str) -> None:
        super().__init__(message)
        self.problem = problem
        self.message = message


class _Sending:
    """Sends on, with the headers that every answer has."""

    def __init__(self, send: Send, number: bytes) -> None:
        self.started = False
        self._send = send
        self._number = number

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            has = {name.lower() for name, _ in message.get("headers", ())}
            more = (*SECURITY_HEADERS, *DATA_HEADERS, (REQUEST_ID, self._number))
            kept = [*message.get("headers", ()), *(header for header in more if header[0] not in has)]
            message = {**message, "headers": kept}
        await self._send(message)


def is_open(path: str) -> bool:
    """Whether anyone may ask for it."""
    return path in OPEN or path.startswith(OPEN_BELOW)


async def _whole_body(scope: Message, receive: Receive, most: int) -> bytes:
    told = value_of(scope["headers"], b"content-length")
    if told.isdigit() and int(told[:20]) > most:
        raise _too_large(most)
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Turned(Problem(400, BODY_TOO_SLOW.code), "the body was broken off")
                body += message.get("body", b"")
                if len(body) > most:
                    raise _too_large(most)
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise _Turned(BODY_TOO_SLOW, f"the body did not arrive within {BODY_SECONDS:g} s") from None


def _too_large(most: int) -> _Turned:
    return _Turned(BODY_TOO_LARGE, f"the body is too large: {most} bytes are taken")


def _again(body: bytes, receive: Receive) -> Receive:
    """What gives a body that was read already, and then whatever comes after it."""
    left = [body]

    async def give() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return give
