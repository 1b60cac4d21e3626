"""XGBoost and scikit-learn packages: rows of a table in, one prediction a row out."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from mooring_serve.compat.services.base import SingleNodeService


class XgSklServingBaseService(SingleNodeService):
    """Base class of XGBoost and scikit-learn services; `model_path` is the one *.m file.

    Its own steps take `{"data": {"req_data": [{column: value, ...}, ...]}}`, the columns in the order of the request,
    and give `[{"predictresult": value}, ...]`.
    """

    takes_text = True
    model_name = "serve"
    _loaded: Any = None

    def __init__(self, model_path: str) -> None:
        self.model_path = model_path

    def prepare(self) -> None:
        """Load the model if the built-in `_inference` is going to run it."""
        if self.uses(XgSklServingBaseService):
            self._model()

    def _model(self) -> Any:
        if self._loaded is None:
            joblib: Any = import_module("joblib")  # the package's library, never ours

            self._loaded = joblib.load(self.model_path)
        return self._loaded

    def _preprocess(self, data: Any) -> Any:
        """The rows' values."""
        told = json.loads(data) if isinstance(data, (str, bytes)) else data
        return [list(row.values()) for row in told["data"]["req_data"]]

    def _inference(self, data: Any) -> Any:
        """The predictions of the model that joblib finds at `model_path`."""
        return self._model().predict(data)

    def _postprocess(self, data: Any) -> Any:
        """One object a row."""
        return [{"predictresult": one} for one in data]
