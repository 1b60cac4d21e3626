"""How customize_service.py is imported, and which of its classes is the service."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mooring_serve.compat import services
from mooring_serve.compat.blame import blame
from mooring_serve.compat.engines import ENGINES, ROOT_MODULE, Engine
from mooring_serve.compat.package import CODE, Package, PackageError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

PLATFORM_PATH = Path(__file__).resolve().parent / "path"
_MOUNTED = "/home/mind/model"  # where the platform puts the package
_PARENT = "model_package"  # what relative imports are relative to; a name that no helper has


def settle(package: Package) -> None:
    """Make the process a home for the package: import path, arguments, working directory.

    The platform's modules come first, as there; then the package's own. Its parent comes last: `from model.x import
    y` works, and nothing that lies beside the package hides an installed module.
    """
    sys.path[0:0] = [str(PLATFORM_PATH), str(package.folder)]
    sys.path.append(str(package.root))
    sys.argv = [str(package.folder / CODE)]
    os.chdir(package.root)
    if package.engine is not None:
        sys.meta_path.insert(0, _OtherEngines(package.engine))
    if package.folder.name != "model" and importlib.util.find_spec("model") is None:
        _folder_as("model", package.folder)


def _folder_as(name: str, folder: Path) -> types.ModuleType:
    """An importable package of that name whose modules are the folder's."""
    parent = types.ModuleType(name)
    parent.__path__ = [str(folder)]
    sys.modules[name] = parent
    return parent


class _OtherEngines:
    """Refuses the base classes of other engines, which are not in this engine's image on the platform either."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._absent = {one.module for one in ENGINES} - {engine.module, ROOT_MODULE}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Say at once what would be right; None leaves every other module to the usual finders."""
        del path, target
        if name in self._absent:
            raise ModuleNotFoundError(f"No module named {name!r}{_right_import(self._engine)}", name=name)
        return None


def _right_import(engine: Engine | None) -> str:
    if engine is None:
        known = ", ".join(sorted({one.module for one in ENGINES}))
        return f"; base classes are in {known}"
    return f"; a package of model_type {engine.name} has `{engine.statement}`"


def service_class(package: Package) -> type[services.SingleNodeService]:
    """The class that answers: the one in customize_service.py, or the engine's own where there is no such file.

    Raises:
        PackageError: the file cannot be imported, or has no such class, or several.
    """
    if package.code is None:
        engine = package.engine
        if engine is None:
            raise PackageError(f"{package.folder} has no {CODE}")
        found: type[services.SingleNodeService] = getattr(services, engine.base)
        return found
    return _leaf(_imported(package, package.code), package)


def _imported(package: Package, code: Path) -> types.ModuleType:
    """The module `customize_service`, a top-level one by its name, yet with its folder as the package it is in.

    So its classes can be pickled by a name that other processes find, and `from .helper import x` works.
    """
    parent = _folder_as(_PARENT, package.folder)
    loader = SourceFileLoader(code.stem, str(code))
    spec = importlib.util.spec_from_file_location(f"{parent.__name__}.{code.stem}", code, loader=loader)
    if spec is None:
        raise PackageError(f"{code} is not readable")
    module = importlib.util.module_from_spec(spec)
    module.__name__ = code.stem
    sys.modules[code.stem] = sys.modules[spec.name] = module
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise told(error, package, f"importing {CODE}") from error
    return module


def _leaf(module: types.ModuleType, package: Package) -> type[services.SingleNodeService]:
    base = getattr(services, package.engine.base) if package.engine else services.SingleNodeService
    ours = {one for one in vars(services).values() if isinstance(one, type)}
    classes: list[Any] = [one for one in vars(module).values() if isinstance(one, type) and one not in ours]
    mine = [one for one in dict.fromkeys(classes) if issubclass(one, services.SingleNodeService)]
    leaves = [one for one in mine if not any(other is not one and issubclass(other, one) for other in mine)]
    if len(leaves) == 1:
        found: type[services.SingleNodeService] = leaves[0]
        return found
    if leaves:
        names = ", ".join(sorted(one.__name__ for one in leaves))
        raise PackageError(f"{CODE} has several service classes: {names}; the platform takes the one there is")
    names = ", ".join(sorted(one.__name__ for one in classes if one.__module__ == module.__name__)) or "none"
    raise PackageError(
        f"{CODE} has no subclass of {base.__name__}; its classes: {names}. Write "
        f"`class Service({base.__name__}):`{_right_import(package.engine).replace(';', ',', 1)}"
    )


def told(error: BaseException, package: Package, doing: str) -> PackageError:
    """What went wrong while the package loaded, with what to do about it where that is known."""
    if isinstance(error, SyntaxError):
        where = f"{Path(error.filename or CODE).name} line {error.lineno}"
        return PackageError(f"{where} is not valid Python: {error.msg}: {(error.text or '').strip()}")
    return PackageError(f"{doing} failed: {blame(error, package.folder)}{_advice(error, package)}")


def _advice(error: BaseException, package: Package) -> str:
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.split(".")[0]
        if top not in ("model_service", "mms", "log", "metric"):
            return f". Install {top} for this interpreter ({sys.executable}), and name it in config.json's dependencies"
        if "model_type" not in str(error):
            return _right_import(package.engine)
    if isinstance(error, FileNotFoundError) and str(error.filename).startswith(_MOUNTED):
        return (
            f". The platform puts the package at {_MOUNTED}; here it is {package.folder}. "
            "Code that starts from os.path.dirname(__file__) works in both places"
        )
    return ""
