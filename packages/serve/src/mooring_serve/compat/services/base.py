"""What every service does: three steps from a request to an answer."""

from __future__ import annotations

import time
from typing import Any

from mooring_serve.compat.metrics import MetricsManager
from mooring_serve.compat.package import PackageError


class SingleNodeService:
    """The root of the base classes, and the one that MindSpore packages derive from.

    Attributes:
        model_name: the name the platform gives the model.
        model_path: the weights, or the folder they are in, depending on the engine.
        takes_text: a JSON body arrives in `_preprocess` as text.
    """

    takes_text = False
    model_name: str
    model_path: str

    def __init__(self, model_name: str, model_path: str) -> None:
        self.model_name = model_name
        self.model_path = model_path

    def prepare(self) -> None:
        """Load what the built-in `_inference` needs, before the first request; nothing where it is overridden.

        Raises:
            PackageError: there is no built-in `_inference` for this engine, and the package has none either.
        """
        if self.uses(SingleNodeService):
            raise PackageError(
                f"{type(self).__name__} has no _inference: this base class brings none, so define "
                "`def _inference(self, data):` and run your model there"
            )

    def uses(self, base: type[SingleNodeService]) -> bool:
        """Whether requests reach the `_inference` that this base class brings."""
        mine = type(self)
        built_in = mine._inference is base._inference  # noqa: SLF001 - methods of this very family of classes
        return built_in and mine.inference is SingleNodeService.inference

    def _preprocess(self, data: Any) -> Any:
        """The model's input for a request; as it came, unless the package says otherwise."""
        return data

    def _inference(self, data: Any) -> Any:
        """The model's output for its input."""
        raise NotImplementedError(f"{type(self).__name__} has no _inference")

    def _postprocess(self, data: Any) -> Any:
        """The answer for the model's output; as it came, unless the package says otherwise."""
        return data

    def inference(self, data: Any) -> Any:
        """A request's answer: the three steps, one after the other, with their times in `MetricsManager`."""
        begun = time.perf_counter()
        inputs = self._preprocess(data)
        prepared = time.perf_counter()
        outputs = self._inference(inputs)
        inferred = time.perf_counter()
        result = self._postprocess(outputs)
        self._record("Preprocess", prepared - begun)
        self._record("Inference", inferred - prepared)
        self._record("Overall", time.perf_counter() - begun)
        return result

    def _record(self, step: str, seconds: float) -> None:
        # By way of getattr: a constructor that does not call this one's has set no name.
        metric = MetricsManager.metrics.get(f"{getattr(self, 'model_name', '')}_Latency{step}")
        if metric is not None:
            metric.update(seconds * 1000)
