"""Where PyTorch packages import their base class from."""

from mooring_serve.compat.services import PTServingBaseService

__all__ = ["PTServingBaseService"]
