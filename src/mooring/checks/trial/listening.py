"""What a container writes: when each line arrives, whether some were held back, and which log files grow instead.

A program that buffers its output writes nothing when it is asked once, and a block of many lines when it has been asked
often, or at its end. So it is asked a few times with pauses, then often, always the same. A stream that kept silent in
every pause, and then told of the same questions in plenty, holds its lines back; one that stays silent has none. Where
the other stream spoke in the pauses, and on standard error, which hardly any program buffers, only as many lines as
there were questions are such a telling: fewer are one failure told at length.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mooring.checks.trial.aside import until
from mooring.checks.trial.sightings import GrowingFile, Logs
from mooring.engine import inside
from mooring.errors import MooringError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mooring.engine import DockerEngine, LogStream

# Arrivals that are kept one by one; of more only the number is known.
KEPT_LINES = 200_000
PAUSE_SECONDS = 1.05
# What comes from the other stream for the same question comes at once.
OTHER_STREAM_SECONDS = 0.2
# Fewer lines may be a program's own business: statistics, a goodbye.
TELLING_LINES = 8
# A traceback alone may have so many.
FAILURE_LINES = 32
# Programs hold back as many bytes of output as this; and a line for a question is hardly shorter than that.
BLOCK_BYTES = 8192
LINE_BYTES = 8
PRESS_SECONDS = 2.5
PRESS_CALLS = 3000
LOG_FILE = re.compile(r"\.(log|out|err)(\.\d+)?$|^/var/log/.|/logs?/[^/]+$")
MOST_FILES = 20
# Exit codes from here on are of those that a signal ended.
SIGNALLED = 128


class Stream:
    """One output of a container from its beginning: the moment each of its lines arrived."""

    def __init__(self, pieces: LogStream) -> None:
        self.count = 0
        self.arrivals: list[float] = []
        self._pieces = pieces
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for piece in self._pieces:
                self._take(piece.count(b"\n"), time.monotonic())
        except Exception:  # noqa: BLE001 - a stream that breaks off has told what it could
            return

    def _take(self, lines: int, now: float) -> None:
        self.count += lines
        self.arrivals += [now] * min(lines, KEPT_LINES - len(self.arrivals))

    def between(self, start: float, end: float) -> list[float]:
        """When lines arrived in that time."""
        return _within(self.arrivals, start, end)

    def close(self) -> None:
        """Listen no more."""
        self._pieces.close()
        self._thread.join(1)

    def finish(self, seconds: float) -> None:
        """Wait for what a container that has ended still had to say."""
        self._thread.join(seconds)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a container was asked: in the `pauses`, in the time it was `pressed`, and from `ending_at` (0: never) on.

    `calls` is how many questions it had been asked in all when the pressing was over.
    """

    pauses: tuple[tuple[float, float], ...]
    pressed: tuple[float, float]
    ending_at: float = 0.0
    calls: int = 0


def late_lines(arrivals: Mapping[str, Sequence[float]], asked: Schedule) -> list[float]:
    """When those lines of the streams "out" and "err" came that belong to questions of more than a second before."""
    spoke = {name: any(_within(moments, *pause) for pause in asked.pauses) for name, moments in arrivals.items()}
    silent = [name for name in arrivals if asked.pauses and not spoke[name]]
    doubtful = any(spoke.values())
    return [at for name in silent for at in _late(arrivals[name], asked, doubtful=doubtful or name == "err")]


def _late(moments: Sequence[float], asked: Schedule, *, doubtful: bool) -> list[float]:
    pressed = _within(moments, *asked.pressed)
    many = max(FAILURE_LINES, asked.calls // 2) if doubtful else TELLING_LINES
    if len(pressed) >= many:
        return pressed
    last = _within(moments, asked.ending_at, float("inf")) if asked.ending_at else []
    return last if len(last) >= max(many, asked.calls // 2) else []


def _within(moments: Sequence[float], start: float, end: float) -> list[float]:
    return [at for at in moments if start <= at < end]


@dataclass
class Listening:
    """Both outputs of a container, and the times at which it was asked with pauses and often."""

    engine: DockerEngine
    container: str
    streams: Mapping[str, Stream] = field(init=False)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    pressed_at: float = 0.0
    pressed_until: float = 0.0
    ending_at: float = 0.0
    pressed_calls: int = 0
    _sizes: dict[str, int] = field(default_factory=dict)
    grown: tuple[GrowingFile, ...] = ()

    def __post_init__(self) -> None:
        follow = self.engine.follow
        self.streams = {
            "out": Stream(follow(self.container, stderr=False)),
            "err": Stream(follow(self.container, stdout=False)),
        }

    def close(self) -> None:
        """Listen no more."""
        for stream in self.streams.values():
            stream.close()

    def ask_with_pauses(self, ask: Callable[[], object], *, times: int) -> None:
        """Ask a few times, and after each wait a second for a word about it."""
        self._sizes = self._log_files()
        for _ in range(times):
            began = time.monotonic()
            ask()
            if until(lambda since=began: any(self._spoke(since)), seconds=PAUSE_SECONDS):  # type: ignore[misc]
                until(lambda since=began: all(self._spoke(since)), seconds=OTHER_STREAM_SECONDS)  # type: ignore[misc]
            self.pauses.append((began, time.monotonic()))
        self.pressed_at = time.monotonic()

    def _spoke(self, since: float) -> list[bool]:
        return [bool(stream.between(since, time.monotonic())) for stream in self.streams.values()]

    def press(self, ask: Callable[[], object], *, calls_made: int) -> None:
        """After many calls: some more, while nothing at all is said, in case a block is not full yet."""
        deadline = time.monotonic() + PRESS_SECONDS
        self.pressed_calls = calls_made
        while self.pauses and not self._held_back_so_far(self.streams["out"]) and self._is_silent():
            if time.monotonic() > deadline or self.pressed_calls > PRESS_CALLS:
                break
            ask()
            self.pressed_calls += 1
        until(lambda: False, seconds=OTHER_STREAM_SECONDS)
        self.pressed_until = time.monotonic()
        after = self._log_files()
        grown = {path: size - self._sizes.get(path, 0) for path, size in after.items()}
        self.grown = tuple(GrowingFile(path=path, bytes_grown=size) for path, size in grown.items() if size > 0)

    def _is_silent(self) -> bool:
        return not any(stream.between(start, end) for stream in self.streams.values() for start, end in self.pauses)

    def _held_back_so_far(self, stream: Stream) -> bool:
        return len(stream.between(self.pressed_at, time.monotonic())) >= TELLING_LINES

    def logs(self) -> Logs:
        """What was heard, up to now."""
        late = late_lines({name: stream.arrivals for name, stream in self.streams.items()}, self._schedule())
        first = self.pauses[0][0] if self.pauses else 0.0
        return Logs(
            lines_out=self.streams["out"].count,
            lines_err=self.streams["err"].count,
            lines_late=len(late),
            slowest_seconds=max((moment - first for moment in late), default=0.0),
            growing_files=self.grown,
            may_hold_back=self.pressed_calls * LINE_BYTES < BLOCK_BYTES and not self._ended_by_itself(),
        )

    def _schedule(self) -> Schedule:
        return Schedule(
            pauses=tuple(self.pauses),
            pressed=(self.pressed_at, self.pressed_until),
            ending_at=self.ending_at,
            calls=self.pressed_calls,
        )

    def _ended_by_itself(self) -> bool:
        """Whether it exited, by which programs write what they held back; who is killed by a signal does not."""
        try:
            seen = self.engine.observe(self.container)
        except MooringError:
            return False
        return not seen.running and seen.exit_code is not None and seen.exit_code < SIGNALLED

    def _log_files(self) -> dict[str, int]:
        """The sizes of files in the container that are logs by their names."""
        try:
            paths = [path for path in inside.changed_files(self.engine, self.container) if LOG_FILE.search(path)]
            sizes = {path: inside.file_bytes(self.engine, self.container, path) for path in paths[:MOST_FILES]}
        except MooringError:
            return {}
        return {path: size for path, size in sizes.items() if size is not None}
