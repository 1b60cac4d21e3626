"""Model packages of ModelArts, served as they are.

A package is a folder with `config.json`, `customize_service.py` and weights. Its code imports base classes and small
modules that exist on the platform only; `path/` holds them under the names it imports, and the rest of this package
finds the weights and the one service class, shapes requests as the platform does, and answers errors in its form.

Runs in the worker, on the package's own interpreter: standard library only, Python 3.8. Heavy libraries are imported
by the package's code, or by a base class at the moment it needs one.
"""

from __future__ import annotations

from typing import Any

from mooring_serve.compat import importing
from mooring_serve.compat.package import Package, PackageError
from mooring_serve.compat.program import Program
from mooring_serve.compat.starting import started

__all__ = ["PackageError", "Program", "load"]


def load(directory: str, config: dict[str, Any]) -> Program:
    """Import a package's service class, construct it, and wait until what it loads in the background is there.

    The process becomes the package's: `sys.path`, `sys.argv` and the working directory are set as its code expects.

    Args:
        directory: the project folder that holds `model/`, or that folder itself.
        config: the clean form of its `config.json`.

    Raises:
        PackageError: the package cannot be served; the message says why, for the person who wrote it.
    """
    package = Package.find(directory, config)
    importing.settle(package)
    service = started(package, importing.service_class(package))
    return Program(service, package)
