"""TensorFlow packages: the base class runs the SavedModel that lies in the package."""

from __future__ import annotations

import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from mooring_serve.compat.package import PackageError
from mooring_serve.compat.services.base import SingleNodeService

_LOADING = threading.Lock()


class TfServingBaseService(SingleNodeService):
    """Base class of TensorFlow services; `model_path` is the folder with saved_model.pb.

    Attributes:
        signature_key: the signature to call; without it "serving_default", or the only one there is.
    """

    signature_key: str = "serving_default"
    _saved: SavedModel | None = None

    def prepare(self) -> None:
        """Load the SavedModel if the built-in `_inference` is going to run it.

        Raises:
            PackageError: there is no SavedModel, or no such signature in it.
        """
        if self.uses(TfServingBaseService):
            self._model()

    def _model(self) -> SavedModel:
        with _LOADING:
            if self._saved is None:
                self._saved = SavedModel(Path(self.model_path), self.signature_key)
        return self._saved

    def _inference(self, data: Any) -> Any:
        """`{output: nested list}` for `{input: array}`, named as the SavedModel's signature names them."""
        return self._model()(data)


class SavedModel:
    """A SavedModel of TensorFlow 1 or 2, run in a session of its own: both know that way, and it takes both kinds.

    Raises:
        PackageError: the folder holds none, or no signature that could be meant.
    """

    def __init__(self, folder: Path, key: str) -> None:
        if not any((folder / name).is_file() for name in ("saved_model.pb", "saved_model.pbtxt")):
            raise PackageError(f"no weights: {folder} holds no saved_model.pb, and _inference is not overridden")
        tensorflow: Any = import_module("tensorflow")  # the package's library, never ours

        one = tensorflow.compat.v1
        graph = one.Graph()
        self._session = one.Session(graph=graph)
        with graph.as_default():
            signatures = dict(one.saved_model.load(self._session, ["serve"], str(folder)).signature_def)
        known = sorted(name for name in signatures if not name.startswith("__"))
        if key not in signatures and len(known) != 1:
            raise PackageError(f"the SavedModel has the signatures {', '.join(known) or 'none'}, not {key!r}")
        signature = signatures[key if key in signatures else known[0]]
        self._inputs = {name: info.name for name, info in signature.inputs.items()}
        self._outputs = {name: info.name for name, info in signature.outputs.items()}

    def __call__(self, data: Any) -> dict[str, Any]:
        """The outputs as nested lists, batch first.

        Raises:
            ValueError: the data does not name the signature's inputs.
        """
        if not isinstance(data, dict) and len(self._inputs) == 1:
            data = dict.fromkeys(self._inputs, data)
        if not isinstance(data, dict) or set(data) != set(self._inputs):
            got = ", ".join(map(str, data)) if isinstance(data, dict) else type(data).__name__
            raise ValueError(f"_preprocess returned {got}; the SavedModel's inputs are {', '.join(self._inputs)}")
        # Tensors that _preprocess made eagerly belong to no session; their arrays do.
        fed = {self._inputs[name]: one.numpy() if hasattr(one, "numpy") else one for name, one in data.items()}
        return {name: value.tolist() for name, value in self._session.run(self._outputs, fed).items()}
