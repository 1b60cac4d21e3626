"""What the platform's engines expect of a package: base class, weights, and the shape of a JSON body."""

from __future__ import annotations

from typing import NamedTuple


class Engine(NamedTuple):
    """One `model_type` with an engine of its own.

    Attributes:
        name: the `model_type` as config.json spells it.
        module: where the package imports the base class from.
        base: the base class's name.
        weights: patterns of the one file (or folder) in `model/` that `model_path` points to; empty where it points
            to the folder `model/` itself.
        text: a JSON body arrives in `_preprocess` as text, not as the decoded value.
        code: a package without customize_service.py cannot be served.
    """

    name: str
    module: str
    base: str
    weights: tuple[str, ...] = ()
    text: bool = False
    code: bool = True

    @property
    def statement(self) -> str:
        """The import statement that belongs into customize_service.py."""
        return f"from {self.module} import {self.base}"


_PLAIN = "model_service.python_model_service"

# Base classes: inference-modelarts-0057, modelarts_23_0093. Weights: inference-modelarts-0055, modelarts_23_0091.
# What `model_path` points to and the text bodies are as the samples there use them (modelarts_23_0173 to _0179).
ENGINES = (
    Engine("TensorFlow", "model_service.tfserving_model_service", "TfServingBaseService", code=False),
    Engine("PyTorch", "model_service.pytorch_model_service", "PTServingBaseService", ("*.pth", "*.pt")),
    Engine("MindSpore", "model_service.model_service", "SingleNodeService"),
    Engine("MXNet", "mms.model_service.mxnet_model_service", "MXNetBaseService"),
    Engine("Caffe", "model_service.caffe_model_service", "CaffeBaseService"),
    Engine("Spark_MLlib", "model_service.spark_model_service", "SparkServingBaseService", ("spark_model",), text=True),
    Engine("XGBoost", _PLAIN, "XgSklServingBaseService", ("*.m",), text=True, code=False),
    Engine("Scikit_Learn", _PLAIN, "XgSklServingBaseService", ("*.m",), text=True, code=False),
)

# Every engine's base class derives from this one, so its module is there whatever the engine.
ROOT_MODULE = "model_service.model_service"


def engine_of(model_type: str) -> Engine | None:
    """The engine of a `model_type`; None for one without (Custom, Image, Template, a private one)."""
    for engine in ENGINES:
        if engine.name.lower() == model_type.lower():
            return engine
    return None
