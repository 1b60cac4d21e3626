"""Where MindSpore packages import their base class from."""

from mooring_serve.compat.services import SingleNodeService

__all__ = ["SingleNodeService"]
