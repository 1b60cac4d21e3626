"""What Prometheus is told: counted by hand on the path, and written out only when somebody asks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from mooring.gateway.table import Route, Share

_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_VERSION = ("service", "service_name", "model", "version")
_KINDS = ("queue", "connect", "model")
_ABOUT = {
    "queue": "From a call's arrival to the choice of a replica.",
    "connect": "From the choice of a replica to a connection with it.",
    "model": "From the request's first byte on that connection to the last byte of the answer.",
}
# Replicas that are gone are shown for so long, so that no scrape misses their last calls.
_SHOWN_SECONDS = 900.0


class Times(NamedTuple):
    """How long the parts of a call took, in seconds."""

    queue: float
    connect: float
    model: float


@dataclass
class _Histogram:
    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BOUNDS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.buckets[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> list[tuple[str, float]]:
        count, rows = 0, []
        for bound, here in zip((*map(str, _BOUNDS), "+Inf"), self.buckets, strict=True):
            count += here
            rows.append((bound, float(count)))
        return rows


@dataclass
class _Version:
    labels: tuple[str, ...]
    times: tuple[_Histogram, ...] = field(default_factory=lambda: tuple(_Histogram() for _ in _KINDS))
    codes: dict[tuple[str, str], int] = field(default_factory=dict)  # by replica and class of the status
    gone_at: float | None = None


class Metrics:
    """The figures of one gateway; labels are services, versions, replicas and classes of status, never paths."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], _Version] = {}
        self._refused: dict[tuple[str, int], int] = {}

    def called(self, route: Route, share: Share, replica: str, code: str, times: Times) -> None:
        """A call to a replica was answered, or broke off; `code` is the class of its status (`2xx`), or the failure."""
        for histogram, seconds in zip(self.failed(route, share, replica, code).times, times, strict=True):
            histogram.add(seconds)

    def failed(self, route: Route, share: Share, replica: str, code: str) -> _Version:
        """A call did not reach the replica; only that is counted, since no part of it took any time."""
        key = (route.service_id, share.model_id)
        version = self._versions.get(key)
        if version is None:
            labels = (route.service_id, route.service_name, share.model_name, share.model_version)
            version = self._versions[key] = _Version(labels)
        version.codes[replica, code] = version.codes.get((replica, code), 0) + 1
        return version

    def refused(self, service_id: str, status: int) -> None:
        """The gateway itself answered; `service_id` is "" when the call named no service that there is."""
        self._refused[service_id, status] = self._refused.get((service_id, status), 0) + 1

    def keep_only(self, routes: Mapping[str, Route], now: float) -> None:
        """Forget, after a while, what is no longer served."""
        served = {(route.service_id, share.model_id) for route in routes.values() for share in route.shares}
        for key, version in list(self._versions.items()):
            version.gone_at = None if key in served else version.gone_at or now
            if version.gone_at is not None and now - version.gone_at > _SHOWN_SECONDS:
                del self._versions[key]
        for service_id, status in [key for key in self._refused if key[0] and key[0] not in routes]:
            del self._refused[service_id, status]

    def text(self, gauges: Iterable[Metric]) -> bytes:
        """All of it in Prometheus' text format, and these gauges with it."""
        return generate_latest(_Collected([*gauges, *self._families()]))

    def _families(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "mooring_gateway_requests", "Calls that went to a replica and ended.", labels=(*_VERSION, "replica", "code")
        )
        refused = CounterMetricFamily(
            "mooring_gateway_refused", "Calls that the gateway answered itself.", labels=("service", "code")
        )
        for version in self._versions.values():
            for (replica, code), count in version.codes.items():
                calls.add_metric((*version.labels, replica, code), count)
        for (service_id, status), count in self._refused.items():
            refused.add_metric((service_id, str(status)), count)
        yield from (calls, refused)
        for index, kind in enumerate(_KINDS):
            family = HistogramMetricFamily(f"mooring_gateway_{kind}_seconds", _ABOUT[kind], labels=_VERSION)
            for version in self._versions.values():
                histogram = version.times[index]
                family.add_metric(version.labels, histogram.cumulative(), histogram.total)
            yield family


class _Collected:
    """What the library calls a registry."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families


def gauge(name: str, about: str, values: Mapping[str, float], label: str = "") -> Metric:
    """A figure as it is now, one for each value of the label, or one alone under ""."""
    family = GaugeMetricFamily(f"mooring_gateway_{name}", about, labels=(label,) if label else ())
    for key, value in values.items():
        family.add_metric((key,) if label else (), value)
    return family
