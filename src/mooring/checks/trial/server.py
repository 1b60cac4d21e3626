"""The trial of a server that runs already: asked the same things as an image, and otherwise left in peace."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NoReturn, Self, cast

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.trial.aside import until
from mooring.checks.trial.calling import Caller
from mooring.checks.trial.course import Course
from mooring.checks.trial.expecting import Expected
from mooring.checks.trial.experiments import Experiments
from mooring.checks.trial.sightings import Start
from mooring.checks.trial.starting import spoken
from mooring.engine import Facts, diagnose
from mooring.engine.wire import HUNG, REFUSED, Reply, Target
from mooring.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from mooring.checks.trial.sightings import Bodies, Calls, Ending, Growth, HealthWatch, Idle, Logs, Repeats
    from mooring.checks.wish import Wish
    from mooring.contract import Edition, ModelConfig

# It runs already: what is not ready by then is not.
WAIT_SECONDS = 5.0
EVERY_SECONDS = 0.25


class ServerTrial:
    """The server at a URL, tried in a `with`; what only its container would show raises NotAsked.

    Bad requests and bodies over the limit are sent, as that is what was asked for. Unavailable when nobody answers at
    the URL; otherwise as `Trial`.
    """

    def __init__(  # noqa: PLR0913 - what a trial is made of
        self,
        url: str,
        *,
        wish: Wish,
        edition: Edition,
        config: ModelConfig | None,
        doing: Callable[[str], None] = lambda _: None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._url = url
        self._wait_seconds = wait_seconds
        self._expected = Expected(config, edition)
        caller = Caller(Target.of(url), ended=lambda: "", limit_seconds=self._expected.call_seconds)
        self._experiments = Experiments(caller, self._expected, wish)
        self._course = Course(
            {
                "start": ("asking for its health", self._start),
                "valid": ("calling its apis", lambda: self._asked().ask_valid()),
                "repeats": ("", lambda: self._asked().ask_twice()),
                "bad": ("calling its apis with bad requests", lambda: self._asked().ask_bad()),
                "bodies": ("sending large bodies", lambda: self._asked().send_largest()),
                "idle": ("watching an idle connection", lambda: self._asked().end_idling()),
            },
            doing=doing,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._experiments.stop()

    @property
    def start(self) -> Start:
        """Whether it is healthy, and what it speaks."""
        return cast("Start", self._course["start"])

    @property
    def health(self) -> HealthWatch:
        """What health said, idle and while calls were made. NotAsked where a command tells it."""
        if self._expected.health_command:
            raise NotAsked("health is told by a command, which only its container can run")
        self._course["valid"]
        return self._asked().health()

    @property
    def calls(self) -> Calls:
        """Every call to the apis, good and bad."""
        with contextlib.suppress(NotAsked, NotKnown):
            self._course["bad"]
        return self._asked().calls()

    @property
    def bodies(self) -> Bodies:
        """The largest bodies."""
        return cast("Bodies", self._course["bodies"])

    @property
    def repeats(self) -> tuple[Repeats, ...]:
        """The same requests twice."""
        return cast("tuple[Repeats, ...]", self._course["repeats"])

    @property
    def idle(self) -> Idle:
        """An idle connection."""
        return cast("Idle", self._course["idle"])

    @property
    def boot(self) -> Start:
        """NotAsked."""
        _not_asked("started")

    @property
    def growth(self) -> Growth:
        """NotAsked."""
        _not_asked("looked into")

    @property
    def logs(self) -> Logs:
        """NotAsked."""
        _not_asked("looked into")

    @property
    def ending(self) -> Ending:
        """NotAsked."""
        _not_asked("ended")

    def _start(self) -> Start:
        began = time.monotonic()
        expectation = self._expected.expectation()
        answers = [self._experiments.look_at_health()]

        def settled() -> bool:
            # Where nobody listens now, nobody is worth waiting for: it was said to be running.
            return expectation.met_by(answers[-1].as_answer()) or answers[-1].outcome == REFUSED

        def told() -> bool:
            if not settled():
                answers.append(self._experiments.look_at_health())
            return settled()

        until(told, seconds=self._wait_seconds, every=EVERY_SECONDS)
        self._require_anybody(answers[-1])
        ready = expectation.met_by(answers[-1].as_answer())
        target = self._experiments.caller.target
        if ready:
            self._experiments.begin()
        return Start(
            command=(),
            ready=ready,
            seconds=time.monotonic() - began,
            diagnosis=None if ready else diagnose(self._facts(answers, time.monotonic() - began)),
            port=target.port,
            declared_protocol=self._expected.protocol,
            spoken=("https" if target.tls else "http") if ready else spoken(target, self._expected.health_url),
        )

    def _require_anybody(self, last: Reply) -> None:
        if last.outcome == REFUSED or (last.outcome == HUNG and not self._connects()):
            raise Unavailable(
                f"nobody answers at {self._url}: {last.detail}",
                hint="see that the server runs, and that the URL is right",
            )

    def _connects(self) -> bool:
        target = self._experiments.caller.target
        with contextlib.suppress(OSError):
            return bool(spoken(target, self._expected.health_url))
        return False

    def _facts(self, answers: list[Reply], waited: float) -> Facts:
        target = self._experiments.caller.target
        return Facts(
            port=target.port,
            protocol="https" if target.tls else "http",
            health_url=self._expected.health_url,
            waited_seconds=waited,
            answers=tuple(reply.as_answer() for reply in answers),
        )

    def _asked(self) -> Experiments:
        if not self.start.ready:
            diagnosis = self.start.diagnosis
            raise NotKnown(f"it is not ready: {diagnosis.cause if diagnosis else 'no cause is known'}")
        return self._experiments


def _not_asked(what: str) -> NoReturn:
    raise NotAsked(f"a running server is not {what}")
