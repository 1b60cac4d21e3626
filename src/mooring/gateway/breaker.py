"""Replicas that fail again and again, and for how long they get no calls: passive, from the calls themselves."""

from __future__ import annotations

from dataclasses import dataclass

# So many failed connections in a row, and a replica is passed over; a model's own 5xx answers do not count.
FAILURES_TO_OPEN = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0


@dataclass
class _State:
    failures: int = 0
    pause: float = 0.0
    until: float = 0.0


class Breaker:
    """Which replicas are passed over at the moment.

    After three failures in a row a replica rests for a second, then one call tries it (the half-open state): answered,
    it is back; failed, it rests twice as long, up to half a minute. Whoever chooses ignores it rather than refuse.
    """

    def __init__(self) -> None:
        self._of: dict[str, _State] = {}

    def resting(self, now: float) -> frozenset[str]:
        """The replicas that get no call now."""
        if not self._of:
            return frozenset()
        return frozenset(name for name, state in self._of.items() if state.until > now)

    def tried(self, replica: str, now: float) -> None:
        """A call goes to it: if it has rested, the others wait for how this one ends."""
        state = self._of.get(replica)
        if state is not None and state.pause:
            state.until = now + state.pause

    def failed(self, replica: str, now: float) -> None:
        """A call found no connection, or lost it."""
        state = self._of.setdefault(replica, _State())
        state.failures += 1
        if state.failures >= FAILURES_TO_OPEN:
            state.pause = min(state.pause * 2 or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
            state.until = now + state.pause

    def answered(self, replica: str) -> None:
        """A call was answered."""
        if self._of:
            self._of.pop(replica, None)

    def keep_only(self, replicas: frozenset[str]) -> None:
        """Forget replicas that are gone."""
        for gone in self._of.keys() - replicas:
            del self._of[gone]
