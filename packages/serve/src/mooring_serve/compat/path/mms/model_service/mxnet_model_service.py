"""Where MXNet packages import their base class from."""

from mooring_serve.compat.services import MXNetBaseService

__all__ = ["MXNetBaseService"]
