"""PySpark packages: a session at hand, the package loads its pipeline itself."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import Any

from mooring_serve.compat.services.base import SingleNodeService


class SparkServingBaseService(SingleNodeService):
    """Base class of PySpark services; `model_path` is the folder spark_model."""

    takes_text = True
    model_name = "serve"

    def __init__(self, model_path: str) -> None:
        self.model_path = model_path

    @cached_property
    def spark(self) -> Any:
        """The Spark session of this process, started when it is first asked for."""
        sql: Any = import_module("pyspark.sql")  # the package's library, never ours

        return sql.SparkSession.builder.getOrCreate()
