"""Asking an api, and judging its answer by what config.json declares."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any

from mooring.checks.evidence import NotKnown
from mooring.checks.trial.sightings import Exchange, Purpose
from mooring.contract import schema
from mooring.contract.node import shortened
from mooring.engine.wire import CLOSED, HUNG, REFUSED, Reply, Target, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mooring.checks.trial.question import Question
    from mooring.contract import Api
    from mooring.engine.wire import Request

KEPT_CHARACTERS = 64 << 10
SHOWN_CHARACTERS = 80
# Once one answer did not come in its whole time, others get no more than this.
HURRIED_SECONDS = 10.0
# What all the waiting for answers may take; then nothing more is asked.
BUDGET_SECONDS = 180.0
# A bad request needs no prediction: what takes longer than this, or than three good answers, hangs. A large body takes
# its time, but not so much that a service could live with it.
PATIENCE = {Purpose.INVALID: (5.0, 3), Purpose.SIZE: (20.0, 10)}


class Caller:
    """Asks one server, keeps what came of it, and knows how many questions are open.

    `ended` says how the container ended, "" while it runs or when it is not ours to see. `limit_seconds` is the most an
    answer may take before it counts as none; it shrinks once one has not come. `budget_seconds` is for all together.
    """

    def __init__(
        self, target: Target, *, ended: Callable[[], str], limit_seconds: float, budget_seconds: float = BUDGET_SECONDS
    ) -> None:
        self.target = target
        self.limit_seconds = limit_seconds
        self.budget_seconds = budget_seconds
        self.exchanges: list[Exchange] = []
        self.death = ""
        self.slowest_seconds = 0.0
        self._ended = ended
        self.asked = 0
        self._open = 0
        self._open_since = 0.0
        self._waited = 0.0
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a question waits for its answer."""
        return self._open > 0

    @property
    def spent(self) -> str:
        """Why nothing more is asked, for want of time; "" as long as there is some."""
        if self._waited < self.budget_seconds:
            return ""
        return f"not asked: the answers to other requests took more than {self.budget_seconds:.0f} s in all"

    def require_time(self) -> None:
        """NotKnown when nothing more is asked."""
        if self.spent:
            raise NotKnown(self.spent)

    def ask(self, request: Request, *, timeout_seconds: float | None = None) -> Reply:
        """Send it, from any thread, and keep nothing."""
        with self._counted():
            reply = exchange(self.target, request, timeout_seconds=timeout_seconds or self.limit_seconds)
        if timeout_seconds is None and reply.outcome == HUNG:
            self.limit_seconds = min(self.limit_seconds, HURRIED_SECONDS)
        return reply

    def call(self, question: Question) -> Exchange:
        """Ask, and keep what came of it; notice when the container did not outlive it."""
        found = self.tried(question)
        if found.status not in question.unremarkable:
            self.keep(question, found)
        return found

    def keep(self, question: Question, found: Exchange) -> None:
        """Keep what came of a question, and notice when the container did not outlive it."""
        self.exchanges.append(found)
        if found.accepted and question.purpose is not Purpose.INVALID:
            self.slowest_seconds = max(self.slowest_seconds, found.seconds)
        if found.outcome in (CLOSED, REFUSED) and not self.death:
            self.look_for_death(f"after {question.name} with {question.sent}")

    def tried(self, question: Question) -> Exchange:
        """Ask once, and say what came of it."""
        reply = self.ask(question.request, timeout_seconds=self.patience_seconds(question.purpose))
        return exchange_of(question, reply)

    def look_for_death(self, when: str) -> None:
        """Keep how the container ended, if it did."""
        how = self._ended()
        if how and not self.death:
            self.death = f"{how} {when}"

    def patience_seconds(self, purpose: Purpose) -> float | None:
        """How long the answer to a request of that kind is waited for; None for as long as any."""
        if purpose not in PATIENCE:
            return None
        least, good_answers = PATIENCE[purpose]
        return min(self.limit_seconds, max(least, good_answers * self.slowest_seconds))

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                self._open_since = time.monotonic()
            self._open += 1
            self.asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self._waited += time.monotonic() - self._open_since


def exchange_of(question: Question, reply: Reply) -> Exchange:
    """A question and its reply as evidence."""
    accepted = 200 <= reply.status < 300  # noqa: PLR2004 - the 2xx class of HTTP
    return Exchange(
        api=question.name,
        purpose=question.purpose,
        sent=question.sent,
        outcome=reply.outcome,
        status=reply.status,
        content_type=reply.content_type,
        body=reply.text[:KEPT_CHARACTERS],
        faults=faults(question.api, reply) if accepted else (),
        seconds=reply.seconds,
        file_made_up=question.made_up,
    )


def faults(api: Api, reply: Reply) -> tuple[str, ...]:
    """What is wrong with an answer of 2xx by the declared response, a sentence each. JSON is known by its content."""
    declared = api.response.content_type.partition(";")[0].strip().lower()
    if reply.cut or (declared and "json" not in declared):
        return ()
    if not reply.body:
        return () if reply.status == 204 else ("the answer is empty",)  # noqa: PLR2004 - No Content
    try:
        value = json.loads(reply.body)
    except (ValueError, RecursionError):
        called = f" ({reply.content_type})" if reply.content_type else ""
        return (f"the answer is not JSON{called}: {shortened(' '.join(reply.text.split()), SHOWN_CHARACTERS)!r}",)
    return tuple(schema.validate(api.response.data, value)) or tuple(_undeclared(api.response.data, value))


def _undeclared(declared: Mapping[str, Any], value: Any) -> Iterator[str]:
    """An answer that the schema allows as it requires no field, and that has none: most often an error."""
    fields = declared.get("properties") or {}
    if fields and isinstance(value, dict) and not fields.keys() & value.keys():
        names = shortened(", ".join(fields), SHOWN_CHARACTERS)
        yield f"it has none of the fields that config.json declares ({names})"
