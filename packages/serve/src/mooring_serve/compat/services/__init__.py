"""The base classes that packages derive from."""

from __future__ import annotations

from mooring_serve.compat.services.base import SingleNodeService
from mooring_serve.compat.services.caffe import CaffeBaseService
from mooring_serve.compat.services.mxnet import MXNetBaseService
from mooring_serve.compat.services.pytorch import PTServingBaseService
from mooring_serve.compat.services.spark import SparkServingBaseService
from mooring_serve.compat.services.table import XgSklServingBaseService
from mooring_serve.compat.services.tensorflow import TfServingBaseService

__all__ = [
    "CaffeBaseService",
    "MXNetBaseService",
    "PTServingBaseService",
    "SingleNodeService",
    "SparkServingBaseService",
    "TfServingBaseService",
    "XgSklServingBaseService",
]
