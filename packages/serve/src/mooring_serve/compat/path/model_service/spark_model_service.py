"""Where PySpark packages import their base class from."""

from mooring_serve.compat.services import SparkServingBaseService

__all__ = ["SparkServingBaseService"]
