"""MXNet packages: the names they import; the package runs its network itself."""

from __future__ import annotations

from mooring_serve.compat.package import PackageError
from mooring_serve.compat.services.base import SingleNodeService


class MXNetBaseService(SingleNodeService):
    """Base class of MXNet services; `model_path` is the folder with *-symbol.json and *-0000.params.

    The platform's own `_inference` feeds a network by a signature file whose form is not documented, so it is left to
    the package here.
    """

    def prepare(self) -> None:
        """Check that the package runs its network itself.

        Raises:
            PackageError: it does not.
        """
        if self.uses(SingleNodeService):
            raise PackageError(
                f"{type(self).__name__} relies on the built-in _inference of MXNet, which Mooring does not have: load "
                "the network in __init__ (mxnet.model.load_checkpoint) and run it in your own _inference"
            )
