"""What is counted, in Prometheus form: requests, latency, queue time, model time, calls in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60)


class Metrics:
    """The figures of one server. Labels are the declared APIs, never raw paths, so that their number is bounded."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here
        self._registry = CollectorRegistry()
        api = ("api",)
        self.requests = Counter(
            "mooring_requests", "Requests answered, by API and status", ("api", "status"), registry=self._registry
        )
        self.latency = Histogram(
            "mooring_request_seconds",
            "From the whole request to its answer",
            api,
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.queue = Histogram(
            "mooring_queue_seconds", "Waiting for a worker", api, buckets=_BUCKETS, registry=self._registry
        )
        self.model = Histogram(
            "mooring_model_seconds", "In the worker, the user's code", api, buckets=_BUCKETS, registry=self._registry
        )
        self.restarts = Counter("mooring_worker_restarts", "Workers started again", registry=self._registry)

    def gauge(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Add a figure that is read when it is asked for."""
        Gauge(name, meaning, registry=self._registry).set_function(read)

    def page(self) -> bytes:
        """All figures as text."""
        return generate_latest(self._registry)
