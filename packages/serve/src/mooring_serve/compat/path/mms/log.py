"""Where MXNet packages get their loggers from."""

from mooring_serve.compat.console import get_logger

__all__ = ["get_logger"]
