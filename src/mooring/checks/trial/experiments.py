"""What is asked of a running server, wherever it runs: health, every api, the largest bodies, the same thing twice."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.trial.aside import Aside, together, until
from mooring.checks.trial.comparing import compared
from mooring.checks.trial.expecting import IDLE_SECONDS
from mooring.checks.trial.idling import idle
from mooring.checks.trial.question import Question, grown, kind_of
from mooring.checks.trial.questions import bad_questions, first_question, further_questions
from mooring.checks.trial.sightings import Bodies, Calls, Exchange, HealthWatch, Idle, Purpose, Repeats
from mooring.checks.trial.watching import Asked, Watch, busy
from mooring.contract import vocabulary
from mooring.engine.wire import CLOSED, HUNG, REFUSED, Reply, Request, exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.trial.calling import Caller
    from mooring.checks.trial.commanding import HealthCommand
    from mooring.checks.trial.expecting import Expected
    from mooring.checks.wish import Wish
    from mooring.contract import Api

SERVER_ERROR = 500
# How long refusals right after the first healthy answer may go on before they are no teething troubles.
PREMATURE_SECONDS = 10.0
PREMATURE_EVERY_SECONDS = 0.25
FAILING_SECONDS = 3.0
FURTHER_SECONDS = 5.0
BAD_SECONDS = 8.0
MOST_HUNG = 2
# Parallel calls while health is asked: for longer than an answer of health may take, should it wait for them.
BURST = 8
BURST_SECONDS = 4.0
BURST_LEAST_SECONDS = 1.0
# What is left free below the largest body, and what is too much above it.
MARGIN_BYTES = 4096
OVER_BYTES = 64 << 10
NO_CONFIG = "its apis are not known, as no config.json was found"
LET_GO_SECONDS = 2.0
SHOWN_CHARACTERS = 200


@dataclass
class Experiments:
    """One server, asked stage by stage, `wish.samples` where an api has their field; a `command` may tell health."""

    caller: Caller
    expected: Expected
    wish: Wish
    command: HealthCommand | None = None
    first_health: Reply | None = None
    watched: list[Asked] = field(default_factory=list)
    premature: tuple[float, str] = (0.0, "")
    disturbed_at: float = math.inf
    _firsts: dict[str, tuple[Question, Exchange]] = field(default_factory=dict)
    _watch: Watch | None = None
    _asking: Aside[None] | None = None
    _idle: Aside[Idle | None] | None = None
    _idle_began: float = 0.0
    _idle_stop: threading.Event = field(default_factory=threading.Event)

    @property
    def apis(self) -> tuple[Api, ...]:
        """The apis there are to ask. NotKnown without a config.json."""
        if self.expected.config is None:
            raise NotKnown(NO_CONFIG)
        return tuple(api for api in self.expected.config.apis if api.protocol in ("http", "https"))

    @property
    def health_request(self) -> Request:
        """The question to the health url."""
        return Request("GET", self.expected.health_url)

    def look_at_health(self) -> Reply:
        """Ask health once more, for all that its answer has."""
        seconds = self.expected.health_seconds
        ask = (
            self.command.run if self.command else lambda: self.caller.ask(self.health_request, timeout_seconds=seconds)
        )
        self.first_health = ask()
        return self.first_health

    def begin(self) -> None:
        """Ask every api at once, beside what else is to be seen of a server that has just become ready."""
        target, request, seconds = self.caller.target, self.health_request, self.expected.health_seconds
        ask = self.command.run if self.command else lambda: exchange(target, request, timeout_seconds=seconds)
        self._watch = Watch(self.caller, ask, limit_seconds=seconds)
        self._watch.begin()
        ready = time.monotonic()
        self._asking = Aside(lambda: self._ask_firsts(ready))

    def stop(self) -> None:
        """Ask nothing more."""
        self._idle_stop.set()
        if self._watch:
            self._watch.end(wait=False)

    def ask_valid(self) -> None:
        """All valid questions, with health asked meanwhile. NotKnown when it was not begun."""
        if self._watch is None or self._asking is None:
            raise NotKnown("it did not become ready")
        self._asking.result()
        if self.expected.config is not None:
            for api in self.apis:
                self._further(api)
            self._burst()
        self._watch.end()
        self._begin_idling()
        self.watched = list(busy(self._watch, died=bool(self.caller.death)))

    def _ask_firsts(self, ready: float) -> None:
        for api in self.apis if self.expected.config else ():
            if self.caller.spent:
                break
            self._first(first_question(api, self.wish.samples), ready)
        self.look_at_health()

    def _first(self, question: Question, ready: float) -> None:
        found = first = self.caller.tried(question)
        while time.monotonic() - ready < _patience(found) and not self._over():
            time.sleep(PREMATURE_EVERY_SECONDS)
            found = self.caller.tried(question)
        if found is not first and not _patience(found):
            said = f"{question.name} answers {first.outcome}: {first.body[:SHOWN_CHARACTERS]}"
            self.premature = max(self.premature, (time.monotonic() - ready, said))
        self.caller.keep(question, first if _patience(found) else found)
        self._firsts[question.name] = question, found

    def _over(self) -> bool:
        return bool(self.caller.spent) or self._dead()

    def _dead(self) -> bool:
        self.caller.look_for_death("soon after it had become ready")
        return bool(self.caller.death)

    def _further(self, api: Api) -> None:
        deadline = time.monotonic() + FURTHER_SECONDS / len(self.apis)
        hung = 0
        for question in further_questions(api, self.wish.samples):
            if self.caller.death or self.caller.spent or hung >= MOST_HUNG or time.monotonic() > deadline:
                break
            hung += self.caller.call(question).outcome == HUNG

    def _burst(self) -> None:
        question = self.best()
        if question is None or self.caller.death or self.caller.spent or self.caller.slowest_seconds > BURST_SECONDS:
            return
        enough = math.ceil(BURST_SECONDS / max(self.caller.slowest_seconds, 0.001))
        until_then = time.monotonic() + BURST_LEAST_SECONDS

        def ask() -> None:
            self.caller.ask(question.request)
            while time.monotonic() < until_then:
                self.caller.ask(question.request)

        together([ask] * min(BURST, enough))
        self.caller.look_for_death(f"under {BURST} parallel calls")

    def best(self) -> Question | None:
        """The question to ask many times: accepted if there is any, else answered; None without an api."""
        asked = sorted(self._firsts.values(), key=lambda pair: (not pair[1].accepted, pair[1].outcome == HUNG))
        return asked[0][0] if asked else None

    @property
    def hangs(self) -> bool:
        """Whether there are apis, and none gave any answer to its first question in time."""
        return bool(self._firsts) and all(found.outcome == HUNG for _, found in self._firsts.values())

    def ordinary(self) -> Request:
        """A request that stands for any: the best question, else one for health."""
        best = self.best()
        return best.request if best else self.health_request

    def ask_bad(self) -> None:
        """What should be refused, as long as there is time and the container lives."""
        self.disturbed_at = time.monotonic()
        self.caller.require_time()
        for api in self.apis:
            deadline = time.monotonic() + BAD_SECONDS / len(self.apis)
            hung = 0
            for question in bad_questions(api, self.wish.samples):
                if self.caller.death or self.caller.spent or hung >= MOST_HUNG or time.monotonic() > deadline:
                    break
                hung += self.caller.call(question).outcome == HUNG
        self.caller.look_for_death("after bad requests")

    def calls(self) -> Calls:
        """Every call to the apis so far."""
        if self.expected.config is None:
            raise NotKnown(NO_CONFIG)
        return Calls(exchanges=tuple(self.caller.exchanges), death=self.caller.death, cut=self.caller.spent)

    def health(self) -> HealthWatch:
        """What health said so far."""
        first = self.first_health or self.look_at_health()
        limit = self.expected.health_seconds
        return HealthWatch(
            url=self.expected.health_url,
            declared=self.expected.health_declared or self.command is not None,
            command=self.command.command if self.command else "",
            first=first.as_answer(),
            content_type=first.content_type,
            limit_seconds=limit,
            busy_asked=len(self.watched),
            busy_late=sum(one.outcome == HUNG or one.seconds > limit for one in self.watched),
            busy_failed=sum(one.failed for one in self.watched) if first.as_answer().ok else 0,
            busy_slowest_seconds=max((one.seconds for one in self.watched), default=0.0),
            premature_seconds=self.premature[0],
            premature_answer=self.premature[1],
        )

    def send_largest(self) -> Bodies:
        """A body just under and one just over what the gateway lets through. NotStated where the edition is silent."""
        limit = self.expected.edition[vocabulary.BODY_LIMIT]
        with_body = [pair for pair in self._firsts.values() if kind_of(pair[0].api) != "query"]
        if not with_body:
            raise NotAsked("no api takes a body")
        self.caller.require_time()
        question = min(with_body, key=lambda pair: not pair[1].accepted)[0]
        self.disturbed_at = min(self.disturbed_at, time.monotonic())
        found = []
        for size in (limit - MARGIN_BYTES, limit + OVER_BYTES):
            sized = grown(question, size)
            found.append(self.caller.tried(Question(sized.api, Purpose.SIZE, sized.sent, sized.request, sized.parts)))
        alive = until(self._healthy, seconds=self.expected.health_seconds)
        return Bodies(limit_bytes=limit, under=found[0], over=found[1], alive_after=alive)

    def _healthy(self) -> bool:
        reply = self.caller.ask(self.health_request, timeout_seconds=self.expected.health_seconds)
        return reply.answered and (reply.status < SERVER_ERROR)

    def ask_twice(self) -> tuple[Repeats, ...]:
        """The same question two times, for each api that accepts one."""
        accepted = [question for question, found in self._firsts.values() if found.accepted]
        if not accepted:
            raise NotKnown("no api accepted a request that could be repeated")
        self.caller.require_time()
        return tuple(self._repeats(accepted))

    def _repeats(self, accepted: list[Question]) -> Iterator[Repeats]:
        for question in accepted:
            if self.caller.spent:
                break
            first, second = self.caller.ask(question.request), self.caller.ask(question.request)
            if first.status == second.status and first.answered:
                yield compared(question.name, first, second)

    def _begin_idling(self) -> None:
        """Leave a connection alone, beside all else, unless the server then serves nobody else."""
        self._idle_began = time.monotonic()
        self._idle = Aside(self._idling)
        self._idle.wait(0.3)
        reply = self.caller.ask(self.health_request, timeout_seconds=self.expected.health_seconds)
        if reply.outcome == HUNG:
            self._idle_stop.set()
            self._idle.wait(LET_GO_SECONDS)
            self._idle = None

    def _idling(self) -> Idle | None:
        wanted = float(self.expected.edition.get(vocabulary.KEEP_ALIVE, 0))
        return idle(
            self.caller.target,
            self.expected.health_url,
            seconds=wanted if self.wish.patient and wanted else IDLE_SECONDS,
            wanted_seconds=wanted,
            stop=self._idle_stop,
        )

    def end_idling(self) -> Idle:
        """What became of that connection. When something else may have closed it, another is left alone."""
        with contextlib.suppress(OSError):
            found = self._idle.result() if self._idle else None
            if found is None or self._may_be_our_doing(found):
                self._idle_stop.clear()
                found = self._idling()
            if found is not None and not self._dead():
                return found
        raise NotKnown("no connection could be kept: the container had ended")

    def _may_be_our_doing(self, found: Idle) -> bool:
        closed_at = self._idle_began + found.seconds
        return not found.usable and not found.closes and closed_at > self.disturbed_at


def _patience(found: Exchange) -> float:
    """How long after the first healthy answer such an outcome may be for want of readiness; 0 when it is none."""
    if found.outcome in (CLOSED, REFUSED) or found.status > SERVER_ERROR:
        return PREMATURE_SECONDS
    return FAILING_SECONDS if found.status == SERVER_ERROR else 0.0
