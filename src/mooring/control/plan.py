"""From what is wanted of a service and what is seen of it, the next steps and the shares of traffic; pure.

A plan is made again and again from what is there, never carried over: losing one costs a moment. Old replicas make way
for new ones as Kubernetes' Deployments do it: never more than the wanted number and the surge at once, never fewer
ready than the wanted number less the unavailable. A replica goes in four steps: it gets no new calls (`Drain`), every
gateway has heard of that and it is quiet, it is stopped (`Stop`), and when nothing is left of it, forgotten (`Forget`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.control.world import (
    ALIVE,
    Condition,
    Drain,
    Entry,
    Forget,
    Keep,
    Member,
    Part,
    Plan,
    Restart,
    Start,
    Step,
    Stop,
    Wanted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

# So often a replica of a new configuration may end before that is a failure (modelarts_05_3155 tries three times).
MOST_RESTARTS = 3
# Weights are percent; while one configuration replaces another they are split finer than that.
FINE = 1000


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
        # Without any, the last replica that answers could never be replaced.
        return max(sum(entry.surge for entry in self._entries), 1)

    def _unavailable(self) -> int:
        return sum(entry.unavailable for entry in self._entries)

    def _drained(self) -> frozenset[str]:
        """Who is to get no more new calls from now on."""
        candidates = [member for member in self._others if member.draining_at_ms is None]
        idle = {member.name for member in candidates if member.condition in ALIVE - {Condition.ABSENT, Condition.READY}}
        serving = [member for member in candidates if member.is_ready]
        if not self._wanted.running:
            return frozenset(idle | {member.name for member in serving})
        mine = sum(member.is_ready for member in self._mine)
        spare = mine + len(serving) - max(len(self._slots) - self._unavailable(), 0)
        if not self._answers_without_others() and spare >= len(serving):
            spare = len(serving) - 1  # the last of the old goes when somebody new answers
        # First who has no traffic; then the highest ordinals, so that what stays is what fewer instances have.
        weights = self._wanted.weights
        going = sorted(serving, key=lambda one: (weights.get(one.template, 0) > 0, -one.ordinal, one.name))
        going = going[: max(spare, 0)]
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
            refused = member.condition is Condition.REFUSED and self._wanted.settled
            ended = member.condition is Condition.EXITED or refused
            if dead or (ended and self._now_ms >= _again_at(member, self._wanted)):
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
        new = {key: _moved(entry, len(groups[key]), old=bool(old)) for key, entry in entries.items() if key in groups}
        left = sum(entry.weight for entry in self._entries) * FINE - sum(new.values())
        if not any(new.values()) and left <= 0:
            left = FINE
        for key, members in sorted(groups.items()):
            weight = new[key] if key in new else left * old[key] // sum(old.values())
            yield Part(*key, weight, tuple(member.name for member in members))


def _moved(entry: Entry, ready: int, *, old: bool) -> int:
    """The new template's weight: all of it when nothing old answers, else as much as it has ready replicas."""
    return entry.weight * FINE * min(ready, entry.instances) // entry.instances if old else entry.weight


def _again_at(member: Member, wanted: Wanted) -> int:
    """When a replica that has ended may be started again."""
    if member.exited_at_ms is None or not member.restarts:
        return 0
    wait_ms = wanted.back_off_ms * int(2 ** min(member.restarts - 1, 32))
    return member.exited_at_ms + min(wait_ms, wanted.back_off_limit_ms)


def _hopeless(member: Member) -> bool:
    return member.condition is Condition.REFUSED or (
        member.condition is Condition.EXITED and member.restarts >= MOST_RESTARTS
    )
