"""From what is wanted of a service and what is seen of it, the next steps and the shares of traffic; pure.

A plan is made again and again from what is there, never carried over: losing one costs a moment. Old replicas make way for
new ones as Kubernetes' Deployments do it: never more than the wanted number and the surge at once, never fewer ready than
the wanted number less the unavailable. A replica goes in four steps: it gets no new calls (`Drain`), every gateway has heard
of that and it is quiet, it is stopped (`Stop`), and when nothing is left of it, forgotten (`Forget`).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A replica that ends again and again is started after 0, 10, 20, 40 ... seconds, and at last every five minutes.
BACK_OFF_MS = 10_000
MOST_BACK_OFF_MS = 300_000
# So often a replica of a new configuration may end before that is called a failure (the contract's platform: three times).
MOST_RESTARTS = 3
# Weights are percent; while one configuration replaces another they are split finer than that.
FINE = 1000


class Condition(enum.Enum):
    """How a replica is, by what its engine sees and its probes say."""

    ABSENT = "absent"  # it is wanted, and the engine has nothing of that name
    STARTING = "starting"  # not ready yet
    REFUSED = "refused"  # it runs, and failed its probes too often before it ever was ready
    READY = "ready"
    FAILING = "failing"  # it was ready, and failed its probes too often since
    DEAD = "dead"  # the same, and its model asks to be restarted then
    STOPPING = "stopping"  # it was told to end
    EXITED = "exited"


ALIVE = frozenset(
    {Condition.ABSENT, Condition.STARTING, Condition.REFUSED, Condition.READY, Condition.FAILING, Condition.DEAD}
)
# What may have calls in flight, so that it must fall silent before it is stopped.
CALLED = frozenset({Condition.READY, Condition.FAILING, Condition.DEAD})


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What one model version of a service should be: so many instances of one template, with so much of the traffic.

    `template` is a digest of all that makes two replicas alike, the model's id among it. `surge` and `unavailable` are
    counts of instances (see `count_of`).
    """

    model_id: str
    template: str
    weight: int
    instances: int
    surge: int = 1
    unavailable: int = 0


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted of a service; without `running`, that none of its replicas be there.

    `weights` has the weights of templates that are on their way out. A replica that drains is stopped after
    `drain_limit_ms` even when it is not quiet. `name_of` a slot is `service-template-ordinal`.
    """

    service: str
    entries: tuple[Entry, ...]
    running: bool = True
    weights: Mapping[str, int] = field(default_factory=dict)
    drain_limit_ms: int = 90_000

    def name_of(self, entry: Entry, ordinal: int) -> str:
        """The name of a replica: the same for the same slot, so that it cannot be made twice."""
        return f"{self.service[:8]}-{entry.template[:8]}-{ordinal}"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A replica that there is a row of, and how it is seen. `quiet`: no gateway routes to it, and no call is in flight."""

    name: str
    model_id: str
    template: str
    ordinal: int
    condition: Condition
    draining_at_ms: int | None = None
    quiet: bool = False
    restarts: int = 0
    exited_at_ms: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether it may get new calls."""
        return self.condition is Condition.READY and self.draining_at_ms is None


@dataclass(frozen=True)
class Start:
    """Write a row for a replica that has none, and ask the engine to make it be."""

    name: str
    model_id: str
    template: str
    ordinal: int


@dataclass(frozen=True)
class Restart:
    """Let go of what is left of a replica, so that it is started again."""

    name: str


@dataclass(frozen=True)
class Drain:
    """Send a replica no more new calls."""

    name: str


@dataclass(frozen=True)
class Keep:
    """A replica that was draining is wanted after all."""

    name: str


@dataclass(frozen=True)
class Stop:
    """End a replica, with its grace."""

    name: str


@dataclass(frozen=True)
class Forget:
    """Nothing is left of a replica: its row can go."""

    name: str


Step = Start | Restart | Drain | Keep | Stop | Forget


@dataclass(frozen=True)
class Part:
    """The share of the traffic that the ready replicas of one template get; relative to the other parts."""

    model_id: str
    template: str
    weight: int
    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The next steps, who gets the traffic once they are taken, and how far it is.

    `ready` counts the ready replicas of each wanted model, as many as are wanted. It has `arrived` when all that is
    wanted is ready and nothing else is left. `hopeless` names replicas that will not get better by waiting.
    """

    steps: tuple[Step, ...]
    parts: tuple[Part, ...]
    ready: Mapping[str, int]
    complete: bool
    arrived: bool
    hopeless: tuple[str, ...]


def count_of(value: float | None, instances: int, *, default: int, up: bool) -> int:
    """max_surge or max_unavailable as a count: below 1 a fraction of the instances, from 1 on a number of them."""
    if value is None:
        return default
    if value >= 1:
        return int(value)
    return math.ceil(value * instances) if up else math.floor(value * instances)


def plan(wanted: Wanted, members: tuple[Member, ...], now_ms: int) -> Plan:
    """What to do next. The same world gives the same plan; a world in which all is as wanted gives no steps."""
    return _Planning(wanted, members, now_ms).plan()


class _Planning:
    """One look at one service."""

    def __init__(self, wanted: Wanted, members: tuple[Member, ...], now_ms: int) -> None:
        self._wanted = wanted
        self._entries = wanted.entries if wanted.running else ()
        self._slots = {
            wanted.name_of(entry, ordinal): (entry, ordinal)
            for entry in self._entries
            for ordinal in range(entry.instances)
        }
        self._members = tuple(sorted(members, key=lambda member: member.name))
        self._mine = tuple(member for member in self._members if member.name in self._slots)
        self._others = tuple(member for member in self._members if member.name not in self._slots)
        self._now_ms = now_ms

    def plan(self) -> Plan:
        drained = self._drained()
        parts = tuple(self._parts(drained))
        ready = {entry.model_id: self._ready(entry) for entry in self._entries}
        complete = len(self._slots) == sum(ready.values())
        return Plan(
            steps=(*self._kept(), *self._started(), *map(Drain, sorted(drained)), *self._ended(), *self._restarted()),
            parts=parts,
            ready=ready,
            complete=complete,
            arrived=complete and not self._others,
            hopeless=tuple(member.name for member in self._mine if _hopeless(member)),
        )

    def _ready(self, entry: Entry) -> int:
        return sum(member.is_ready for member in self._mine if member.template == entry.template)

    def _kept(self) -> Iterator[Step]:
        for member in self._mine:
            if member.draining_at_ms is not None and member.condition is not Condition.STOPPING:
                yield Keep(member.name)

    def _started(self) -> Iterator[Step]:
        """Those with a row first; then new ones, as far as the surge allows."""
        for member in self._mine:
            if member.condition is Condition.ABSENT:
                yield Start(member.name, member.model_id, member.template, member.ordinal)
        there = {member.name for member in self._members}
        # Who is on the way out, or is no longer, takes no room of those to come.
        alive = sum(member.condition in ALIVE and member.draining_at_ms is None for member in self._others)
        room = len(self._slots) + self._surge() - len(self._mine) - alive
        missing = [(name, *slot) for name, slot in self._slots.items() if name not in there]
        for name, entry, ordinal in missing[: max(room, 0)]:
            yield Start(name, entry.model_id, entry.template, ordinal)

    def _surge(self) -> int:
        surge = sum(entry.surge for entry in self._entries)
        # With neither, nothing could ever be replaced.
        return surge or (0 if self._unavailable() else 1)

    def _unavailable(self) -> int:
        return sum(entry.unavailable for entry in self._entries)

    def _drained(self) -> frozenset[str]:
        """Who is to get no more new calls from now on."""
        candidates = [member for member in self._others if member.draining_at_ms is None]
        idle = {member.name for member in candidates if not member.is_ready and member.condition in CALLED | ALIVE}
        serving = [member for member in candidates if member.is_ready]
        if not self._wanted.running:
            return frozenset(idle | {member.name for member in serving})
        mine = sum(member.is_ready for member in self._mine)
        spare = mine + len(serving) - max(len(self._slots) - self._unavailable(), 0)
        if not self._answers_without_others() and spare >= len(serving):
            spare = len(serving) - 1  # the last of the old goes when somebody new answers
        # The highest ordinals first, so that what stays is what a smaller number of instances has.
        going = sorted(serving, key=lambda member: (-member.ordinal, member.name))[: max(spare, 0)]
        return frozenset(idle | {member.name for member in going})

    def _answers_without_others(self) -> bool:
        if not any(entry.weight for entry in self._entries):
            return True  # it is not wanted that anybody answers
        return any(entry.weight and self._ready(entry) for entry in self._entries)

    def _ended(self) -> Iterator[Step]:
        for member in self._others:
            if member.condition is Condition.ABSENT:
                yield Forget(member.name)
            elif member.condition is Condition.EXITED or self._may_stop(member):
                yield Stop(member.name)
        for member in self._mine:
            # Told to end, and wanted again: it has to be gone before it can come back.
            if member.condition is Condition.STOPPING:
                yield Stop(member.name)

    def _may_stop(self, member: Member) -> bool:
        if member.draining_at_ms is None:
            return member.condition is Condition.STOPPING
        return member.quiet or self._now_ms - member.draining_at_ms >= self._wanted.drain_limit_ms

    def _restarted(self) -> Iterator[Step]:
        for member in self._mine:
            dead = member.condition is Condition.DEAD and member.quiet
            ended = member.condition is Condition.EXITED and self._now_ms >= _again_at(member)
            if dead or ended:
                yield Restart(member.name)

    def _parts(self, drained: frozenset[str]) -> Iterator[Part]:
        """Traffic moves over in step with the new replicas that are ready; only to those, and not to the drained."""
        groups: dict[tuple[str, str], list[Member]] = {}
        for member in self._members:
            if member.is_ready and member.name not in drained:
                groups.setdefault((member.model_id, member.template), []).append(member)
        entries = {(entry.model_id, entry.template): entry for entry in self._entries}
        old = {key: self._wanted.weights.get(key[1], 0) for key in groups if key not in entries}
        if old and not any(old.values()):
            old = {key: len(groups[key]) for key in old}
        new = {
            key: self._moved(entry, len(groups[key]), old=bool(old)) for key, entry in entries.items() if key in groups
        }
        left = max(sum(entry.weight for entry in self._entries) * FINE - sum(new.values()), 0)
        if not any(new.values()) and not left:
            left = FINE
        for key, members in sorted(groups.items()):
            weight = new[key] if key in new else left * old[key] // sum(old.values())
            yield Part(*key, weight, tuple(member.name for member in members))

    def _moved(self, entry: Entry, ready: int, *, old: bool) -> int:
        """The new template's weight: all of it when nothing old answers, else as much as it has ready replicas."""
        if not old:
            return entry.weight * FINE
        return entry.weight * FINE * min(ready, entry.instances) // entry.instances


def _again_at(member: Member) -> int:
    """When a replica that has ended may be started again."""
    if member.exited_at_ms is None or not member.restarts:
        return 0
    return member.exited_at_ms + int(min(BACK_OFF_MS * 2 ** min(member.restarts - 1, 16), MOST_BACK_OFF_MS))


def _hopeless(member: Member) -> bool:
    return member.condition is Condition.REFUSED or (
        member.condition is Condition.EXITED and member.restarts >= MOST_RESTARTS
    )
