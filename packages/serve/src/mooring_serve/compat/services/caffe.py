"""Caffe packages: the base class loads the network as `self.net` and runs it."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from mooring_serve.compat.package import PackageError
from mooring_serve.compat.services.base import SingleNodeService


class CaffeBaseService(SingleNodeService):
    """Base class of Caffe services; `model_path` is the folder with deploy.prototxt and one *.caffemodel.

    Attributes:
        net: the network, in its test phase; a package's constructor may shape its blobs.
    """

    net: Any

    def __init__(self, model_name: str, model_path: str) -> None:
        """Load the network.

        Raises:
            PackageError: one of its two files is not there, or there are several.
        """
        super().__init__(model_name, model_path)
        caffe: Any = import_module("caffe")  # the package's library, never ours

        network, weights = self._one("deploy.prototxt"), self._one("*.caffemodel")
        self.net = caffe.Net(network, weights, caffe.TEST)

    def prepare(self) -> None:
        """Nothing: the constructor has loaded the network."""

    def _one(self, pattern: str) -> str:
        found = sorted(Path(self.model_path).glob(pattern))
        if len(found) != 1:
            names = ", ".join(one.name for one in found) or "none"
            raise PackageError(f"weights: a Caffe package needs one {pattern} in {self.model_path}, found {names}")
        return str(found[0])

    def _inference(self, data: Any) -> Any:
        """`{blob: array}` after a forward pass; over the blobs that `_preprocess` returned, or that it filled."""
        return self.net.forward(**data) if isinstance(data, dict) else self.net.forward()
