"""How many calls a second a service takes: a bucket of tokens for each, in memory."""

from __future__ import annotations


class Bucket:
    """Lets `rate` calls a second through, and a second's worth at once after a rest."""

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._room = max(rate, 1.0)
        self._tokens = self._room
        self._at = now

    def take(self, now: float) -> float:
        """0.0 when a call may pass; else the seconds until the next one may."""
        self._tokens = min(self._room, self._tokens + (now - self._at) * self.rate)
        self._at = now
        if self._tokens >= 1.0:
            self._tokens -= 1.0
            return 0.0
        return (1.0 - self._tokens) / self.rate if self.rate > 0 else 3600.0


class Buckets:
    """The buckets of all services; a service whose rate changes starts with a full one."""

    def __init__(self) -> None:
        self._of: dict[str, Bucket] = {}

    def take(self, service_id: str, rate: float, now: float) -> float:
        """As `Bucket.take`, for the service."""
        bucket = self._of.get(service_id)
        if bucket is None or bucket.rate != rate:
            bucket = self._of[service_id] = Bucket(rate, now)
        return bucket.take(now)

    def keep_only(self, services: frozenset[str]) -> None:
        """Forget services that are gone."""
        for gone in self._of.keys() - services:
            del self._of[gone]
