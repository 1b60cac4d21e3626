"""The end of a container: SIGTERM with requests in flight, and more of them arriving."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.trial.aside import Aside, until
from mooring.checks.trial.sightings import Ending, Termination
from mooring.engine import inside
from mooring.engine.wire import REFUSED, Connection, Reply, Request, exchange
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.engine import DockerEngine
    from mooring.engine.wire import Target

# Ordinary requests that are under way when the signal comes, beside those whose second half is held back.
ORDINARY = 3
MOST_HELD = 3
SERVES_ON_SECONDS = 1.0
HELD_SECONDS = 0.4
# Until the server has read the beginning of what is sent.
SETTLE_SECONDS = 0.15
TAKEN_UP_SECONDS = 0.06
MOST_OPEN = 20
LOOK_SECONDS = 0.05
OVER_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds: how long the edition wants it to answer on, by when it has to be gone, and how long we look.

    An answer is waited for `answer`, and a new request comes `every` so often: no more than the model can bear.
    """

    linger: float
    drain: float
    watched: float
    answer: float
    every: float


@dataclass
class _Arrival:
    """A request after the signal: when it was sent, and what came of it, None as long as nothing did."""

    at: float
    reply: Reply | None = None

    @property
    def answered(self) -> bool:
        return self.reply is not None and self.reply.answered


@dataclass
class _Traffic:
    """Requests that go on arriving, each on a connection of its own."""

    target: Target
    request: Request
    limits: Limits
    arrivals: list[_Arrival] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, began: float) -> None:
        while not self.stop.is_set():
            open_now = sum(arrival.reply is None for arrival in self.arrivals)
            if open_now < MOST_OPEN:
                arrival = _Arrival(time.monotonic() - began)
                self.arrivals.append(arrival)
                Aside(lambda arrival=arrival: self._one(arrival))  # type: ignore[misc]
            self.stop.wait(self.limits.every)

    def _one(self, arrival: _Arrival) -> None:
        arrival.reply = exchange(self.target, self.request, timeout_seconds=self.limits.answer)

    def settled(self) -> bool:
        return all(arrival.reply is not None for arrival in self.arrivals)


@dataclass(frozen=True, kw_only=True)
class Farewell:
    """A running container with a request that it answers, one for its health, and how long its end may take."""

    engine: DockerEngine
    container: str
    target: Target
    request: Request
    health: Request
    termination: Termination
    limits: Limits

    def ending(self) -> Ending:
        """Send SIGTERM and see what becomes of requests; then end the container at once, whatever it does."""
        held = list(self._held())
        flying = [Aside(self._ordinary) for _ in range(ORDINARY)]
        traffic = _Traffic(self.target, self.request, self.limits)
        # One that nobody has taken up yet is not in flight, and one that is answered is not any more.
        until(lambda: False, seconds=TAKEN_UP_SECONDS)
        flying = [one for one in flying if not one.wait(0)]
        began = time.monotonic()
        with contextlib.suppress(MooringError):  # it may have ended just now
            inside.send(self.engine, self.container, signal.SIGTERM)
        arriving = Aside(lambda: traffic.run(began))
        until(lambda: False, seconds=HELD_SECONDS)
        flying += [Aside(one.complete) for one in held]
        gone = self._gone(began)
        traffic.stop.set()
        arriving.result()
        # What is still open gets its time while the container lives, and an error at once when it does not.
        patience = self.limits.answer if gone is None else OVER_SECONDS
        until(lambda: traffic.settled() and all(one.wait(0) for one in flying), seconds=patience)
        watched = time.monotonic() - began
        code = self._end()
        replies = [one.result() for one in flying if one.wait(OVER_SECONDS)]
        return self._told(replies, len(flying), traffic, _Over(gone, watched, code))

    def _held(self) -> Iterator[_Held]:
        """Some requests that are half sent; no more of them than the server can have open and still serve others."""
        for _ in range(MOST_HELD if self.request.body else 0):
            yield _Held(self.target, self.request, self.limits.answer)
            if not exchange(self.target, self.health, timeout_seconds=SERVES_ON_SECONDS).answered:
                return

    def _ordinary(self) -> Reply:
        return exchange(self.target, self.request, timeout_seconds=self.limits.answer)

    def _gone(self, began: float) -> float | None:
        """Look until it has ended, and give when that was; None when it had not within the time."""
        while (now := time.monotonic() - began) < self.limits.watched:
            if not self.engine.observe(self.container).running:
                return now
            time.sleep(LOOK_SECONDS)
        return None

    def _end(self) -> int | None:
        """Kill it if it runs; the exit code that it had before, None if it ran."""
        seen = self.engine.observe(self.container)
        if seen.running:
            with contextlib.suppress(MooringError):
                inside.send(self.engine, self.container, signal.SIGKILL)
        return seen.exit_code

    def _told(self, replies: list[Reply], in_flight: int, traffic: _Traffic, over: _Over) -> Ending:
        # Nobody promised to be there after the end, and that is seen a moment late.
        last = over.watched if over.gone is None else over.gone - 2 * LOOK_SECONDS
        arrived = [arrival for arrival in traffic.arrivals if arrival.at < last]
        lost = [one for one in arrived if one.at < self.limits.linger and not one.answered]
        return Ending(
            termination=self.termination if over.gone is None else Termination.CAUGHT,
            in_flight=in_flight,
            in_flight_lost=in_flight - sum(reply.answered for reply in replies),
            arrived=len(arrived),
            arrived_lost=len(lost),
            arrived_refused=sum(one.reply is not None and one.reply.outcome == REFUSED for one in lost),
            answered_seconds=max((one.at for one in arrived if one.answered), default=0.0),
            watched_seconds=over.watched if over.gone is None else over.gone,
            watched_whole=over.gone is not None or self.limits.watched >= self.limits.drain,
            exited_seconds=over.gone,
            exit_code=over.code,
        )


@dataclass(frozen=True)
class _Over:
    """When it had ended, if it had; how long it was watched; its exit code."""

    gone: float | None
    watched: float
    code: int | None


class _Held:
    """A request of which the second half is held back, so that it is in flight whatever the server's speed."""

    def __init__(self, target: Target, request: Request, answer_seconds: float) -> None:
        self._request = request
        self._seconds = answer_seconds
        self._connection: Connection | None = None
        body = request.body or b""
        self._rest = body[len(body) // 2 :]
        with contextlib.suppress(OSError):
            self._connection = Connection(target, timeout_seconds=answer_seconds)
            begun = request.head(target) + body[: len(body) // 2]
            self._connection.send(begun, time.monotonic() + answer_seconds)
        until(lambda: False, seconds=SETTLE_SECONDS)

    def complete(self) -> Reply:
        """Send the rest, and give what came of it."""
        if self._connection is None:
            return Reply(REFUSED)
        with contextlib.closing(self._connection) as connection:
            deadline = time.monotonic() + self._seconds
            with contextlib.suppress(OSError):  # an answer may have come before it was asked in full
                connection.send(self._rest, deadline)
            return connection.reply(self._request.method, deadline)
