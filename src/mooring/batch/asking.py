"""One request, asked until it has an answer, or until it is clear that it will have none."""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from mooring.batch.connection import Broken, Connections, Trouble
from mooring.contract.node import shortened

if TYPE_CHECKING:
    from mooring.batch.connection import Connection
    from mooring.batch.instances import Instance, Instances
    from mooring.batch.requests import Request, Streamed

T = TypeVar("T")
Take = Callable[[bytes | AsyncIterator[bytes]], Awaitable[T]]

# An instance that says so has too much to do; behind 502 and 504 is another server that got no answer.
_BUSY, _AGAIN = (429, 503), (429, 502, 503, 504)
_HELD_BYTES = 1024 * 1024
_SHOWN_CHARACTERS = 200
# Twice could be the company it was in.
_BREAKS_IN_COMPANY = 2
_LONGEST_WAIT_SECONDS = 300.0
_OK = range(200, 300)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for answers, in seconds, and how often to ask."""

    request_seconds: float = 60.0
    """For the answer to one request, from when it is sent; while a large answer comes, for the next part of it."""
    attempts: int = 5
    """For 429, 502, 503, 504 and connections that break. A connection that is refused is none."""
    backoff_seconds: float = 0.25
    """Before the second attempt; doubles each time, to 30 at most. Retry-After counts instead, up to 300."""
    backoff_limit_seconds: float = 30.0
    stranded_seconds: float = 600.0
    """Without any instance that answers, or with storage that does not: then the whole job is given up."""


class Failed(Exception):
    """The request has no good answer, and asking again would not change that; the text says why, for its owner."""


class _Late(Exception):
    """The answer takes too long."""


@dataclass(slots=True)
class _Held:
    """The whole body of a good answer."""

    body: bytes


@dataclass(slots=True)
class _Again:
    """Why to ask again: what was said, whether it counts as an attempt, and how long to wait if somebody told."""

    said: str
    counts: bool = True
    broke: bool = False
    stale: bool = False
    wait_seconds: float | None = None


class Asker:
    """Asks whichever instance is free, and again where that may help."""

    def __init__(self, instances: Instances, path: str, patience: Patience) -> None:
        """`path` is put behind the instances' URLs; it begins with `/`."""
        self._instances = instances
        self._connections = Connections()
        self._path = path
        self._patience = patience
        self._heads: dict[tuple[str, str], bytes] = {}

    async def ask(self, request: Request, take: Take[T]) -> T:
        """What `take` makes of the body of a good answer: bytes if it is small, a stream if not.

        A stream may break off: what it raises must come out of `take`, which is then called again. Failed when there is
        no good answer.
        """
        attempts = breaks = 0
        fresh = False
        while True:
            found = await self._once(request, take, alone=breaks >= _BREAKS_IN_COMPANY, fresh=fresh)
            if isinstance(found, _Held):
                # Whoever waits for the instance sends his request first: it is what the model waits for.
                await asyncio.sleep(0)
                return await take(found.body)
            if not isinstance(found, _Again):
                return found
            attempts += found.counts
            breaks += found.broke
            fresh = found.stale
            if attempts >= self._patience.attempts:
                raise Failed(f"{found.said}, in each of {attempts} attempts")
            if not found.stale:
                await asyncio.sleep(self._backoff(attempts) if found.wait_seconds is None else found.wait_seconds)

    async def _once(self, request: Request, take: Take[T], *, alone: bool, fresh: bool) -> T | _Held | _Again:
        instances = self._instances
        instance = (None if alone else instances.take()) or await instances.acquire(alone=alone)
        try:
            if isinstance(request.body, bytes):
                return await self._exchanged(instance, request, request.body, take, fresh=fresh)
            return await self._streamed(instance, request, request.body, take, fresh=fresh)
        except _Late:
            seconds = self._patience.request_seconds
            raise Failed(f"the model gives no answer within {seconds:g} s") from None
        except Broken as broken:
            if broken.trouble is Trouble.STALE:
                return _Again("", counts=False, stale=True)
            instances.broke(instance)
            broke = broken.trouble is Trouble.BROKEN
            return _Again(str(broken), counts=broke, broke=broke)
        finally:
            instances.release(instance)

    async def _exchanged(
        self, instance: Instance, request: Request, body: bytes, take: Take[T], *, fresh: bool
    ) -> T | _Held | _Again:
        """The way of nearly all requests, which says what it can in one go."""
        url, seconds = instance.url, self._patience.request_seconds
        connection = await self._connections.take(url, fresh=fresh)
        try:
            try:
                held = await connection.exchange(self._head(url, request) + body, seconds, _HELD_BYTES)
            except TimeoutError:
                raise _Late from None
            found = self._judged(connection, instance, held)
            if found is not None:
                return found
            async with self._limit() as limit:
                return await take(self._stream(connection, limit))
        finally:
            self._connections.give_back(url, connection)

    async def _streamed(
        self, instance: Instance, request: Request, body: Streamed, take: Take[T], *, fresh: bool
    ) -> T | _Held | _Again:
        url = instance.url
        async with self._limit() as limit:
            connection = await self._connections.take(url, fresh=fresh)
            try:
                async with body() as chunks:
                    await connection.send(self._head(url, request), chunks)
                await connection.answered()
                held = await connection.rest(_HELD_BYTES)
                return self._judged(connection, instance, held) or await take(self._stream(connection, limit))
            finally:
                self._connections.give_back(url, connection)

    @contextlib.asynccontextmanager
    async def _limit(self) -> AsyncIterator[asyncio.Timeout]:
        limit = asyncio.timeout(self._patience.request_seconds)
        try:
            async with limit:
                yield limit
        except TimeoutError:
            if not limit.expired():
                raise
            raise _Late from None

    def _head(self, url: str, request: Request) -> bytes:
        found = self._heads.get((url, request.content_type))
        if found is None:
            target = self._connections.target(url)
            found = self._heads[url, request.content_type] = (
                f"POST {target.path}{self._path} HTTP/1.1\r\nhost: {target.authority}\r\naccept: */*\r\n"
                f"content-type: {request.content_type}\r\ncontent-length: "
            ).encode()
        return b"%b%d\r\n\r\n" % (found, request.length)

    def _judged(self, connection: Connection, instance: Instance, held: bytes | None) -> _Held | _Again | None:
        """What the answer means; None for a good one that is too large to be held."""
        status = connection.status
        self._instances.answered(instance, busy=status in _BUSY)
        if status in _OK:
            return None if held is None else _Held(held)
        said = f"the model answers {status}{_shown(held)}"
        if status not in _AGAIN:
            raise Failed(said)
        return _Again(said, wait_seconds=_retry_after(connection.headers.get(b"retry-after", b"")))

    async def _stream(self, connection: Connection, limit: asyncio.Timeout) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        async for data in connection.chunks():
            # Whoever takes it may be slow.
            limit.reschedule(None)
            yield data
            limit.reschedule(loop.time() + self._patience.request_seconds)

    def _backoff(self, attempts: int) -> float:
        """Seconds before the next attempt: not all at once, so that what broke together does not come back together."""
        longest: float = min(
            self._patience.backoff_limit_seconds, self._patience.backoff_seconds * 2.0 ** max(0, attempts - 1)
        )
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - it keeps no secret

    def close(self) -> None:
        """Close the connections that stand."""
        self._connections.close()


def _shown(body: bytes | None) -> str:
    text = " ".join((body or b"").decode("utf-8", "replace").split())
    return f": {shortened(text, _SHOWN_CHARACTERS)}" if text else ""


def _retry_after(value: bytes) -> float | None:
    """Seconds, from a number of them or a date; None for neither."""
    text = value.decode("latin-1").strip()
    if text.isdecimal():
        return min(float(text[:9]), _LONGEST_WAIT_SECONDS)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
    return min(max(0.0, until - time.time()), _LONGEST_WAIT_SECONDS)
