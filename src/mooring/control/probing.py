"""Asking replicas whether they are well, each at its model's own pace."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mooring.contract import vocabulary
from mooring.control.health import Check, Health, Kind, after, asked, condition
from mooring.control.world import Condition
from mooring.engine.loading import is_hopeless
from mooring.engine.workload import Probe
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mooring.contract.edition import Edition
    from mooring.engine.probe import Answer
    from mooring.engine.workload import Engine

LOG = logging.getLogger(__name__)
# What counts where neither config.json nor the edition says (inference-modelarts-0009; the time is ours).
DELAY_SECONDS = 12
PERIOD_SECONDS = 5
FAILURES = 12
ANSWER_SECONDS = 3.0
HEALTH_URL = "/health"
# So many answers are kept of a replica that is not ready yet: they may tell that it never will be.
KEPT_ANSWERS = 100
KEYS = {Kind.STARTUP: "startup_health", Kind.READINESS: "readiness_health", Kind.HEALTH: "health"}


@dataclass(frozen=True)
class Question:
    """One probe of a model, and when it is asked."""

    probe: Probe
    check: Check


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A replica whose process runs: what it is asked, since when it runs, and since when it was ready as far as known.

    Another `started_at_ms` is another process, of which nothing is known yet.
    """

    questions: Mapping[Kind, Question]
    started_at_ms: int | None
    was_ready_at_ms: int | None = None


def questions_of(config: Mapping[str, Any] | None, edition: Edition) -> dict[Kind, Question]:
    """What a model's config.json (its clean form) has replicas asked; what it leaves out, the edition says, else we do.

    Without any health check, a replica is ready as soon as it answers at all (modelarts_13_0195), unless the edition
    wants every image to have one.
    """
    declared = config or {}
    found = {
        kind: _question(declared[key], edition) for kind, key in KEYS.items() if isinstance(declared.get(key), dict)
    }
    if Kind.HEALTH not in found and Kind.READINESS not in found:
        required = edition.get(vocabulary.HEALTH_REQUIRED, False)
        found[Kind.HEALTH] = _question({} if required else {"url": ""}, edition)
    return found


def _question(health: Mapping[str, Any], edition: Edition) -> Question:
    command = str(health.get("command") or "") if str(health.get("check_method", "")).upper() == "EXEC" else ""
    url = str(health.get("url", edition.get(vocabulary.HEALTH_URL, HEALTH_URL)))
    if "://" in url:
        url = edition.get(vocabulary.HEALTH_URL, HEALTH_URL)
    if url and not url.startswith("/"):
        url = f"/{url}"
    timeout = _number(health.get("timeout_seconds"), ANSWER_SECONDS)
    check = Check(
        delay_seconds=_number(
            health.get("initial_delay_seconds"), edition.get(vocabulary.HEALTH_INITIAL_DELAY, DELAY_SECONDS)
        ),
        period_seconds=_number(health.get("period_seconds"), edition.get(vocabulary.HEALTH_PERIOD, PERIOD_SECONDS))
        or PERIOD_SECONDS,
        failure_threshold=int(
            _number(health.get("failure_threshold"), edition.get(vocabulary.HEALTH_FAILURE_THRESHOLD, FAILURES))
        )
        or 1,
    )
    probe = Probe(url="" if command else url, command=command, timeout_seconds=timeout or ANSWER_SECONDS)
    return Question(probe, check)


def _number(told: Any, default: float) -> float:
    """A number of config.json, which has them as text; the default for what is none."""
    try:
        return float(int(told))
    except (TypeError, ValueError):
        return float(default)


class Prober:
    """Asks every replica that it was told to keep an eye on; remembers nothing that could not be asked again."""

    def __init__(
        self,
        engine: Engine,
        *,
        now_ms: Callable[[], int],
        on_change: Callable[[str], None],
        eager_seconds: float = 1.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._engine = engine
        self._now_ms = now_ms
        self._on_change = on_change
        self._eager_seconds = eager_seconds
        self._sleep = sleep
        self._watches: dict[str, _Watch] = {}

    def keep(self, subjects: Mapping[str, Subject]) -> None:
        """Ask these from now on, and nobody else."""
        for name in set(self._watches) - set(subjects):
            self._watches.pop(name).end()
        for name, subject in subjects.items():
            watch = self._watches.get(name)
            if watch and watch.subject.started_at_ms != subject.started_at_ms:
                watch.end()
                watch = None
            if watch is None:
                self._watches[name] = _Watch(self, name, subject)

    def condition(self, name: str) -> Condition | None:
        """How it is by its answers; None when it is asked nothing."""
        watch = self._watches.get(name)
        return watch.condition if watch else None

    async def close(self) -> None:
        """Ask nobody any more."""
        tasks = [watch.task for watch in self._watches.values()]
        self.keep({})
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, name: str, probe: Probe) -> Answer | None:
        """What it answered; None when nobody can tell."""
        try:
            return await self._engine.ask(name, probe)
        except MooringError as error:  # away, or gone: the next look at the world tells
            LOG.debug("cannot ask %s: %s", name, error)
        except Exception:
            LOG.exception("asking %s failed", name)
        return None

    def changed(self, name: str) -> None:
        """Tell that its condition is another one now."""
        self._on_change(name)

    @property
    def eager_ms(self) -> int:
        """Between two questions to one that was not ready yet."""
        return int(self._eager_seconds * 1000)

    def now_ms(self) -> int:
        """The time."""
        return self._now_ms()

    async def wait_until(self, at_ms: int) -> None:
        """Until that time has come."""
        await self._sleep(max(at_ms - self._now_ms(), 0) / 1000)


class _Watch:
    """One replica under questions."""

    def __init__(self, prober: Prober, name: str, subject: Subject) -> None:
        self.subject = subject
        self._prober = prober
        self._name = name
        self._questions = subject.questions
        self._checks = {kind: question.check for kind, question in subject.questions.items()}
        now = prober.now_ms()
        if subject.was_ready_at_ms is None:
            self._health = Health()
            started = now if subject.started_at_ms is None else subject.started_at_ms
        else:
            self._health = Health.of_one_that_was_ready(subject.was_ready_at_ms, self._checks)
            started = now - max((int(check.delay_seconds * 1000) for check in self._checks.values()), default=0)
        # From when on a failure counts; before, the model is given its time, and only a good answer counts.
        self._counts_at = {kind: started + int(check.delay_seconds * 1000) for kind, check in self._checks.items()}
        self._due_at = {kind: self._first(kind, now) for kind in self._checks}
        self._told: deque[Answer] = deque(maxlen=KEPT_ANSWERS)
        self.task = asyncio.ensure_future(self._watch())

    @property
    def condition(self) -> Condition:
        found = condition(self._health, self._checks)
        # It said so often that its model cannot be loaded that waiting out its time would tell nothing more.
        return Condition.REFUSED if found is Condition.STARTING and is_hopeless(self._told) else found

    def end(self) -> None:
        self.task.cancel()

    def _first(self, kind: Kind, now: int) -> int:
        """A command costs the container something, and begins when its delay says; a request may come before."""
        return max(self._counts_at[kind], now) if self._questions[kind].probe.command else now

    async def _watch(self) -> None:
        while True:
            kinds = asked(self._health, self._checks)
            await self._prober.wait_until(min(self._due_at[kind] for kind in kinds))
            now = self._prober.now_ms()
            due = [kind for kind in kinds if self._due_at[kind] <= now]
            answers = await asyncio.gather(*(self._prober.ask(self._name, self._questions[kind].probe) for kind in due))
            for kind, answer in zip(due, answers, strict=True):
                self._take(kind, answer, asked_at=now)

    def _take(self, kind: Kind, answer: Answer | None, *, asked_at: int) -> None:
        before = self.condition
        ok = None if answer is None else answer.ok
        if answer is not None and self._health.since_ms is None:
            self._told.append(answer)
        period = int(self._checks[kind].period_seconds * 1000)
        counts = asked_at >= self._counts_at[kind]
        if ok or (counts and ok is not None):
            self._health = after(self._health, kind, self._checks, ok=bool(ok), now_ms=self._prober.now_ms())
        if counts:
            self._counts_at[kind] = asked_at + period
        ready = self._health.since_ms is not None or bool(self._questions[kind].probe.command)
        self._due_at[kind] = asked_at + (period if ready else min(period, self._prober.eager_ms))
        if self.condition is not before:
            self._prober.changed(self._name)
