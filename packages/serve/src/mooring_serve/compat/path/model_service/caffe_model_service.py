"""Where Caffe packages import their base class from."""

from mooring_serve.compat.services import CaffeBaseService

__all__ = ["CaffeBaseService"]
