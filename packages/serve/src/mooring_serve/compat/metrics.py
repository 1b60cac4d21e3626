"""What `metric.metrics_manager` holds on the platform: how long the steps of a request took."""

from __future__ import annotations

from typing import ClassVar

STEPS = ("Preprocess", "Inference", "Overall")


class Metric:
    """Numbers of one kind, in milliseconds where they are times: the last one, how many, and their sum."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.count = 0
        self.total = 0.0
        self.last = 0.0

    def update(self, metric: float) -> None:
        """Take one more."""
        self.count += 1
        self.total += metric
        self.last = metric


class MetricsManager:
    """The metrics by name, as services that override `inference` look them up: `<model name>_LatencyOverall`, ..."""

    metrics: ClassVar[dict[str, Metric]] = {}

    @classmethod
    def register(cls, model_name: str) -> None:
        """Begin the times of a model's steps."""
        for step in STEPS:
            name = f"{model_name}_Latency{step}"
            cls.metrics.setdefault(name, Metric(name))
