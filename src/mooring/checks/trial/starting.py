"""How a container comes up: waited for, diagnosed when it does not, and looked at when it does."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mooring.checks.trial.sightings import Start, Termination
from mooring.engine import Started, diagnose, inside, wait_until_healthy
from mooring.engine.probe import Outcome, speaks_tls
from mooring.engine.wire import Request, Target, exchange
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mooring.engine import Answer, Caged, DockerEngine, Expectation, Facts, ImageFacts

MOST_ANSWERS = 20
SPOKEN_SECONDS = 3.0
TERMINATIONS = {True: Termination.CAUGHT, False: Termination.IGNORED, None: Termination.UNSEEN}


@dataclass(frozen=True, kw_only=True)
class Starting:
    """A container that was just started in its cage, and what is expected of it; `began` is when, as monotonic time."""

    engine: DockerEngine
    image: ImageFacts
    cage: Caged
    expectation: Expectation
    began: float

    def start(self, *, ready: Callable[[Target], None]) -> Start:
        """Wait until it is ready, or its time is over; `ready` is called the moment it is, with where it is reached."""
        answers: list[Answer] = []
        started = Started(self.cage.container, self.cage.launch, self.image, self.expectation)
        facts = wait_until_healthy(self.engine, started, noticed=answers.append)
        facts = facts and replace(facts, ended_as=self.cage.disk.told)
        seconds = time.monotonic() - self.began
        memory = self._memory()
        target = self.target()
        if facts is None:
            ready(target)
        return Start(
            command=self._command(),
            ready=facts is None,
            seconds=seconds,
            diagnosis=diagnose(facts) if facts else None,
            port=self.cage.launch.port,
            declared_protocol=self.expectation.protocol,
            spoken=self.expectation.protocol if facts is None else self._spoken(facts, target),
            listeners=facts.listeners if facts else self.engine.listeners(self.cage.container),
            loading=tuple(one for one in answers if one.outcome is not Outcome.REFUSED)[:MOST_ANSWERS],
            memory_bytes=memory,
            memory_limit_bytes=self.cage.launch.memory_bytes,
            termination=TERMINATIONS[inside.handles(self.engine, self.cage.container, signal.SIGTERM)],
            caged=self.cage.leak,
        )

    def target(self) -> Target:
        """Where it is reached."""
        seen = self.engine.observe(self.cage.container)
        return Target(seen.host, seen.host_port, self.expectation.protocol == "https")

    def _command(self) -> tuple[str, ...]:
        launch = self.cage.launch
        return (*launch.entrypoint, *launch.command) or self.image.command

    def _memory(self) -> int | None:
        try:
            return inside.memory_bytes(self.engine, self.cage.container)
        except MooringError:
            return None

    def _spoken(self, facts: Facts, target: Target) -> str:
        """The protocol found on the port of a container that did not become ready, "" where none was."""
        return "" if facts.ended or not target.port else spoken(target, self.expectation.health_url)


def spoken(target: Target, url: str) -> str:
    """The protocol found at an address, "" where none was."""
    if speaks_tls(target.host, target.port, timeout_seconds=SPOKEN_SECONDS):
        return "https"
    plain = Target(target.host, target.port, path=target.path)
    return "http" if exchange(plain, Request("GET", url), timeout_seconds=SPOKEN_SECONDS).answered else ""
