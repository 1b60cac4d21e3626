"""Waiting for a container to be healthy, and collecting what explains it when it is not."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.engine.cause import Facts
from mooring.engine.inside import run_health_command
from mooring.engine.loading import UNAVAILABLE, failure, is_hopeless
from mooring.engine.probe import Answer, Outcome, speaks_tls
from mooring.engine.silence import health_missing, listens_on_loopback
from mooring.engine.wire import Request, Target, exchange

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.engine.container import ImageFacts, Launch, Sighting
    from mooring.engine.docker import DockerEngine

PROBE_EVERY_SECONDS = 0.1
LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What healthy means for one container: where to ask, how long for each answer, and how long in all.

    With `health_required` false any HTTP answer but 503 will do: the image promised to serve, not to have a health url;
    503 is the answer of one that has it and still loads. With a `health_command` that is run in the container instead.
    A server that lacks the health url, or listens on loopback alone, and has done so for `settled_seconds`, is waited
    for no longer, once the `delay_seconds` are over that the image says it takes to start.
    """

    health_url: str = "/health"
    health_command: str = ""
    protocol: str = "http"
    health_required: bool = True
    answer_seconds: float = 3.0
    wait_seconds: float = 60.0
    settled_seconds: float = math.inf
    delay_seconds: float = 0.0

    def met_by(self, answer: Answer) -> bool:
        """Whether this answer means healthy."""
        serves = answer.outcome is Outcome.ANSWERED and answer.status != UNAVAILABLE
        return answer.ok or (not self.health_required and serves)


@dataclass(frozen=True)
class Started:
    """A container with what it was made from and what it should become."""

    container: str
    launch: Launch
    image: ImageFacts
    expectation: Expectation


def wait_until_healthy(
    engine: DockerEngine,
    started: Started,
    *,
    noticed: Callable[[Answer], None] | None = None,
) -> Facts | None:
    """Probe until healthy and give None; give the facts of the failure when it ends or its time is over.

    Its time is over early when its model keeps failing to load for one reason, or when it long has been in a state that
    more waiting does not change. `noticed` hears each answer that differs
    from the one before it, and of one load failure the first only.
    """
    began = time.monotonic()
    deadline = began + started.expectation.wait_seconds
    answers: list[Answer] = []
    settling = _Settling(engine, started)
    while True:
        sighting = engine.observe(started.container)
        if not sighting.running:
            return _facts(engine, started, sighting, answers, waited=time.monotonic() - began)
        answer = _probe(engine, started, sighting)
        if started.expectation.met_by(answer):
            return None
        if not answers or answer != answers[-1]:
            is_news = not answers or not failure(answer) or failure(answer) != failure(answers[-1])
            answers.append(answer)
            if noticed and is_news:
                noticed(answer)
        if time.monotonic() >= deadline or is_hopeless(answers) or settling.is_over(answer):
            # Looked at again: it may have ended during the last probe.
            return _facts(engine, started, engine.observe(started.container), answers, waited=time.monotonic() - began)
        time.sleep(PROBE_EVERY_SECONDS)


class _Settling:
    """For how long a container has been in one of the states that come from its code and not from its still loading.

    To listen on another port is none of them: it may be that of its metrics, open while the model loads.
    """

    def __init__(self, engine: DockerEngine, started: Started) -> None:
        self._engine = engine
        self._started = started
        self._began = self._since = self._looked = time.monotonic()
        self._state = ""

    def is_over(self, answer: Answer) -> bool:
        """Whether it has been in that state long enough to be judged; `answer` is the newest of its health url."""
        expected, now = self._started.expectation, time.monotonic()
        if math.isinf(expected.settled_seconds) or expected.health_command or now < self._looked + LOOK_EVERY_SECONDS:
            return False
        self._looked = now
        state = self._named(answer)
        if state != self._state:
            self._state, self._since = state, now
        long_enough = now - self._since >= expected.settled_seconds and now - self._began >= expected.delay_seconds
        return bool(state) and long_enough

    def _named(self, answer: Answer) -> str:
        silent = answer.outcome is not Outcome.ANSWERED
        facts = Facts(
            port=self._started.launch.port,
            answers=(answer,),
            listeners=self._engine.listeners(self._started.container) if silent else None,
        )
        cause = health_missing(facts) or listens_on_loopback(facts)
        return cause.name if cause else ""


def _probe(engine: DockerEngine, started: Started, sighting: Sighting) -> Answer:
    expectation = started.expectation
    if expectation.health_command:
        return run_health_command(
            engine, started.container, expectation.health_command, timeout_seconds=expectation.answer_seconds
        )
    target = Target(sighting.host, sighting.host_port, tls=expectation.protocol == "https")
    request = Request("GET", expectation.health_url)
    return exchange(target, request, timeout_seconds=expectation.answer_seconds).as_answer()


def _facts(
    engine: DockerEngine, started: Started, sighting: Sighting, answers: list[Answer], *, waited: float
) -> Facts:
    facts = Facts(
        port=started.launch.port,
        protocol=started.expectation.protocol,
        health_url=started.expectation.health_url,
        health_command=started.expectation.health_command,
        waited_seconds=waited,
        exit_code=sighting.exit_code,
        oom_killed=sighting.oom_killed,
        memory_bytes=started.launch.memory_bytes,
        start_error=sighting.error,
        log_tail=engine.last_lines(started.container),
        image_architecture=started.image.architecture,
        engine_architecture=engine.architecture,
        answers=tuple(answers),
    )
    if not sighting.running:
        return facts
    return replace(
        facts,
        listeners=engine.listeners(started.container),
        tls=speaks_tls(sighting.host, sighting.host_port),
    )
