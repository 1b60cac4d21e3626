"""Where services look for their metrics."""

from mooring_serve.compat.metrics import MetricsManager

__all__ = ["MetricsManager"]
