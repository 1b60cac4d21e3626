"""PyTorch packages: the package builds `self.model`, the base class runs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mooring_serve.compat.package import PackageError
from mooring_serve.compat.services.base import SingleNodeService


class PTServingBaseService(SingleNodeService):
    """Base class of PyTorch services; `model_path` is the file of weights.

    Attributes:
        model: a callable that takes a batch, set by the package's constructor.
    """

    model: Any = None

    def prepare(self) -> None:
        """Check that there is a model for the built-in `_inference` to run.

        Raises:
            PackageError: there is none.
        """
        if self.uses(PTServingBaseService) and not callable(self.model):
            raise PackageError(
                f"{type(self).__name__} sets no self.model: build the network in __init__, load its weights from "
                "model_path, and keep it as self.model; or define _inference"
            )

    def _inference(self, data: Any) -> Any:
        """`{key: model(batch)}` for `{key: batch}`, `model(batch)` for a bare batch; without gradients."""
        torch: Any = import_module("torch")  # the package's library, never ours

        with torch.no_grad():
            if isinstance(data, dict):
                return {key: self.model(batch) for key, batch in data.items()}
            return self.model(data)
