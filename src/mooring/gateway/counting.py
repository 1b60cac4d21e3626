"""What a gateway counts in memory: calls in flight at each replica, and calls of each model version by the minute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.gateway.link import Count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# While control is away, counts wait for it; beyond so many the oldest minutes are dropped.
_WAITING_COUNTS = 50_000


class Counting:
    """Calls in flight and calls that ended since `drain` was last asked.

    `fell_silent` is called when the last call to a replica ends that gets no new ones.
    """

    def __init__(self, fell_silent: Callable[[], None]) -> None:
        self._in_flight: dict[str, int] = {}
        self._ended: dict[tuple[str, str, int], list[int]] = {}
        self._drained: set[str] = set()
        self._fell_silent = fell_silent

    @property
    def in_flight(self) -> Mapping[str, int]:
        """Calls in flight by replica; a replica without any is not in it."""
        return self._in_flight

    def begin(self, replica: str) -> None:
        """A call goes to the replica."""
        self._in_flight[replica] = self._in_flight.get(replica, 0) + 1

    def end(self, replica: str) -> None:
        """A call to the replica has ended, however it did."""
        left = self._in_flight[replica] - 1
        if left:
            self._in_flight[replica] = left
            return
        del self._in_flight[replica]
        if replica in self._drained:
            self._drained.discard(replica)
            self._fell_silent()

    def serve_only(self, replicas: frozenset[str]) -> None:
        """From now on only these get calls; whoever else has some in flight is waited for."""
        self._drained = self._in_flight.keys() - replicas

    def count(self, service_id: str, model_id: str, minute: int, *, failed: bool) -> None:
        """One call of the model version ended in the minute (since the epoch)."""
        key = (service_id, model_id, minute)
        ended = self._ended.get(key)
        if ended is None:
            ended = self._ended[key] = [0, 0]
            if len(self._ended) > _WAITING_COUNTS:
                del self._ended[next(iter(self._ended))]
        ended[0] += 1
        ended[1] += failed

    def drain(self) -> tuple[Count, ...]:
        """What was counted since; it is forgotten here."""
        ended, self._ended = self._ended, {}
        return tuple(
            Count(service_id=service_id, model_id=model_id, minute=minute, calls=calls, failures=failures)
            for (service_id, model_id, minute), (calls, failures) in ended.items()
        )
