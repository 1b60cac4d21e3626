"""The trial of an image: run once in a cage, asked many things, sent SIGTERM, and removed."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Self, cast

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.trial.blame import why_not_ready
from mooring.checks.trial.calling import Caller
from mooring.checks.trial.commanding import HealthCommand
from mooring.checks.trial.course import Course
from mooring.checks.trial.ending import Farewell, Limits
from mooring.checks.trial.expecting import ENDING_SECONDS, Expected
from mooring.checks.trial.experiments import Experiments
from mooring.checks.trial.growing import growth
from mooring.checks.trial.listening import Listening
from mooring.checks.trial.sightings import Start
from mooring.checks.trial.starting import Starting
from mooring.checks.wish import Kind, Wish
from mooring.contract import vocabulary
from mooring.engine import Diagnosis, Launch, caged, inside, sigterm_unwinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from mooring.checks.trial.sightings import Bodies, Calls, Ending, Growth, HealthWatch, Idle, Logs, Repeats
    from mooring.contract import Edition, ModelConfig
    from mooring.engine import DockerEngine
    from mooring.engine.wire import Target

# What a request in flight may take to be answered after SIGTERM, as a multiple of the slowest seen, and at least.
FLIGHT_FACTOR = 10
FLIGHT_SECONDS = 5.0
# How often a new request arrives then, as such a multiple, and at least.
ARRIVING_FACTOR = 2
ARRIVING_SECONDS = 0.2
LAST_WORDS_SECONDS = 2.0
# A model that takes longer for a call is not called for the sake of numbers.
SLOW_SECONDS = 2.0
PAUSES = 3
NO_COMMAND = Diagnosis(
    cause="no-command",
    seen="the image has no start command: neither CMD nor ENTRYPOINT",
    expected="a command that starts the server",
    advice='say in its Dockerfile what starts the server: CMD ["python3", "/server.py"]',
    log_tail=(),
)


class Trial:
    """An image of an engine, tried in a `with`; each piece of evidence is obtained when it is first asked for.

    The stages have an order, and asking for one goes through those before it: SIGTERM comes last. `wait_seconds` is how
    long it may take to become ready, None for what config.json or the edition say. `doing` hears what goes on.

    A piece raises NotKnown when the container did not start or has died, NotAsked when it does not apply, NotStated
    where the edition is silent; NotFound and Unavailable are the engine's.
    """

    def __init__(  # noqa: PLR0913 - what a trial is made of
        self,
        engine: DockerEngine,
        image: str,
        *,
        wish: Wish,
        edition: Edition,
        config: ModelConfig | None,
        doing: Callable[[str], None] = lambda _: None,
        wait_seconds: float | None = None,
    ) -> None:
        self._engine = engine
        self._image = engine.image(image)
        self._wish = wish
        self._expected = Expected(config, edition)
        self._wait_seconds = wait_seconds
        self._stack = contextlib.ExitStack()
        self._starting: Starting | None = None
        self._experiments: Experiments | None = None
        self._listening: Listening | None = None
        self._boots = Course({"boot": ("starting it through its boot file", self._boot)}, doing=doing)
        self._course = Course(self._stages(), doing=doing)

    def _stages(self) -> Mapping[str, tuple[str, Callable[[], object]]]:
        return {
            "start": ("starting the container", self._start),
            "valid": ("calling its apis", lambda: self._asked().ask_valid()),
            "repeats": ("", lambda: self._asked().ask_twice()),
            "logs": ("reading its logs", self._listen),
            "growth": ("watching its memory", self._grow),
            "bad": ("calling its apis with bad requests", lambda: self._asked().ask_bad()),
            "calls": ("", lambda: self._asked(dead=True).calls()),
            "bodies": ("sending large bodies", lambda: self._asked().send_largest()),
            "idle": ("watching an idle connection", lambda: self._asked().end_idling()),
            "ending": ("sending SIGTERM", self._end),
        }

    def __enter__(self) -> Self:
        self._stack.enter_context(sigterm_unwinds())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, at)

    @property
    def start(self) -> Start:
        """How it came up. Whether it did is for its reader to see; all other pieces raise NotKnown if it did not."""
        return cast("Start", self._course["start"])

    @property
    def boot(self) -> Start:
        """How it comes up when its batch boot file is started, as the platform does."""
        if self._wish.kind is Kind.REAL_TIME:
            raise NotAsked("only for batch services")
        file = self._expected.edition[vocabulary.BOOT_FILE]
        if self._image.command in _ways_to_boot(file):
            return self.start
        return cast("Start", self._boots["boot"])

    @property
    def health(self) -> HealthWatch:
        """What health said, idle and while calls were made: its url, or its command."""
        self._course["valid"]
        return self._asked(dead=True).health()

    @property
    def calls(self) -> Calls:
        """Every call to the apis, good and bad."""
        return cast("Calls", self._course["calls"])

    @property
    def bodies(self) -> Bodies:
        """The largest bodies."""
        return cast("Bodies", self._course["bodies"])

    @property
    def repeats(self) -> tuple[Repeats, ...]:
        """The same requests twice."""
        return cast("tuple[Repeats, ...]", self._course["repeats"])

    @property
    def growth(self) -> Growth:
        """Memory before and after many calls."""
        return cast("Growth", self._course["growth"])

    @property
    def idle(self) -> Idle:
        """An idle connection."""
        return cast("Idle", self._course["idle"])

    @property
    def logs(self) -> Logs:
        """What it wrote, to the end: what a program held back comes then."""
        with contextlib.suppress(NotAsked, NotKnown):
            self._course["ending"]
        self._course["start"]
        if self._listening is None:
            raise NotKnown(self._why_not())
        if not self._listening.pauses:
            self._asked(dead=True).caller.require_time()
        return self._listening.logs()

    @property
    def ending(self) -> Ending:
        """What came of SIGTERM. Nothing can be asked of the container after that, so all else is asked before."""
        return cast("Ending", self._course["ending"])

    def _launch(self) -> Launch:
        drain = self._expected.edition.get(vocabulary.DRAIN_LIMIT, 90)
        return Launch(
            image=self._image.id,
            port=self._expected.port,
            memory_bytes=self._wish.memory_bytes,
            stop_seconds=math.ceil(drain),
        )

    def _started(self, launch: Launch, stack: contextlib.ExitStack) -> Starting:
        cage = stack.enter_context(caged(self._engine, launch))
        expectation = self._expected.expectation(wait_seconds=self._wait_seconds)
        return Starting(
            engine=self._engine, image=self._image, cage=cage, expectation=expectation, began=time.monotonic()
        )

    def _start(self) -> Start:
        if not self._image.command:
            return Start(command=(), ready=False, seconds=0.0, diagnosis=NO_COMMAND, port=self._expected.port)
        self._starting = self._started(self._launch(), self._stack)
        return self._starting.start(ready=self._begin)

    def _begin(self, target: Target) -> None:
        caller = Caller(target, ended=self._how_it_ended, limit_seconds=self._expected.call_seconds)
        told, seconds = self._expected.health_command, self._expected.health_seconds
        command = HealthCommand(self._engine, self._container, told, seconds) if told else None
        self._experiments = Experiments(caller, self._expected, self._wish, command)
        self._stack.callback(self._experiments.stop)
        self._experiments.begin()
        self._listening = Listening(self._engine, self._container)
        self._stack.callback(self._listening.close)

    @property
    def _container(self) -> str:
        if self._starting is None:
            raise NotKnown("it was not started")
        return self._starting.cage.container

    def _how_it_ended(self) -> str:
        """In a few words; none while it runs."""
        seen = self._engine.observe(self._container)
        if seen.running:
            return ""
        disk = self._starting.cage.disk.told if self._starting else ""
        if disk:
            return f"the container was ended as {disk}"
        memory = ", out of memory" if seen.oom_killed else ""
        return f"the container ended with exit code {seen.exit_code}{memory}"

    def _why_not(self) -> str:
        return why_not_ready(self.start)

    def _asked(self, *, dead: bool = False) -> Experiments:
        """The experiments on the container. NotKnown if it did not start and, unless `dead`, if it has died since."""
        if self._experiments is None:
            raise NotKnown(self._why_not())
        death = self._experiments.caller.death
        if death and not dead:
            raise NotKnown(death)
        return self._experiments

    def _listen(self) -> None:
        asked = self._asked()
        asked.caller.require_time()
        if self._listening:
            times = 1 if asked.hangs or asked.caller.slowest_seconds > SLOW_SECONDS else PAUSES
            self._listening.ask_with_pauses(lambda: asked.caller.ask(asked.ordinary()), times=times)

    def _grow(self) -> Growth:
        asked = self._asked()
        if asked.best() is None:
            raise NotKnown("no api is known that could be called often")
        if asked.hangs:
            raise NotKnown("no api answers, so none was called often")
        asked.caller.require_time()
        request = asked.ordinary()
        try:
            return growth(lambda: asked.caller.ask(request), lambda: inside.memory_bytes(self._engine, self._container))
        finally:
            asked.caller.look_for_death("after many calls")
            if self._listening and not asked.caller.death:
                self._listening.press(lambda: asked.caller.ask(request), calls_made=asked.caller.asked)

    def _end(self) -> Ending:
        self._asked().caller.look_for_death("before SIGTERM was sent")
        asked = self._asked()
        termination = self.start.termination
        edition, whole = self._expected.edition, self._wish.rolling_upgrade or self._wish.patient
        linger, drain = (
            float(edition.get(fact, 0)) for fact in (vocabulary.LINGER_AFTER_SIGTERM, vocabulary.DRAIN_LIMIT)
        )
        limits = Limits(
            linger=linger,
            drain=drain,
            watched=max(drain, ENDING_SECONDS) if whole else ENDING_SECONDS,
            answer=min(asked.caller.limit_seconds, max(FLIGHT_SECONDS, FLIGHT_FACTOR * asked.caller.slowest_seconds)),
            every=max(ARRIVING_SECONDS, ARRIVING_FACTOR * asked.caller.slowest_seconds),
        )
        if self._listening:
            self._listening.ending_at = time.monotonic()
        ending = Farewell(
            engine=self._engine,
            container=self._container,
            target=asked.caller.target,
            request=asked.ordinary(),
            health=asked.health_request,
            termination=termination,
            limits=limits,
        ).ending()
        for stream in self._listening.streams.values() if self._listening else ():
            stream.finish(LAST_WORDS_SECONDS)
        return ending

    def _boot(self) -> Start:
        file = self._expected.edition[vocabulary.BOOT_FILE]
        launch = replace(self._launch(), entrypoint=("/bin/sh",), command=(file,))
        with contextlib.ExitStack() as stack:
            return self._started(launch, stack).start(ready=lambda _: None)


def _ways_to_boot(file: str) -> tuple[tuple[str, ...], ...]:
    """The commands of images that do what the platform does."""
    words = (("/bin/sh", file), ("sh", file))
    return (*words, *(("/bin/sh", "-c", " ".join(one)) for one in words))
