"""Where TensorFlow packages import their base class from."""

from mooring_serve.compat.services import TfServingBaseService

__all__ = ["TfServingBaseService"]
