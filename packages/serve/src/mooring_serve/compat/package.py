"""Where the parts of a model package lie: its folder, its code, its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from mooring_serve.compat.engines import Engine, engine_of
from mooring_serve.program import LoadError

CODE = "customize_service.py"
_SHOWN = 12  # how many file names a message lists at most


class PackageError(LoadError):
    """The package cannot be served; the message says what is wrong with it, and what would be right."""


class Package(NamedTuple):
    """A model package on disk.

    Attributes:
        root: the folder its code finds itself in: the parent of `model/`.
        folder: the folder that is `model/` on the platform.
        model_type: as config.json says it; may be empty.
        engine: what its `model_type` stands for; None where that names no engine.
        enveloped: config.json declares answers of the form `{"data": {"resp_data": ...}}`.
    """

    root: Path
    folder: Path
    model_type: str
    engine: Engine | None
    enveloped: bool = False

    @property
    def code(self) -> Path | None:
        """customize_service.py, or None."""
        file = self.folder / CODE
        return file if file.is_file() else None

    @classmethod
    def find(cls, directory: str, config: dict[str, Any]) -> Package:
        """The package in a folder that holds `model/`, or that is itself what `model/` is on the platform.

        Raises:
            PackageError: no such folder, or its engine asks for customize_service.py and there is none.
        """
        given = Path(directory).resolve()
        if not given.is_dir():
            raise PackageError(f"there is no folder {given}")
        folder = given if (given / CODE).is_file() or not (given / "model").is_dir() else given / "model"
        root = folder.parent if folder.name == "model" else folder
        model_type = str(config.get("model_type", ""))
        package = cls(root, folder, model_type, engine_of(model_type), _enveloped(config))
        if package.code is None and (package.engine is None or package.engine.code):
            raise PackageError(f"{folder} has no {CODE}, which a package of model_type {model_type!r} needs")
        return package

    def weights(self, engine: Engine | None) -> Path:
        """What `model_path` points to: the one file of weights where the engine has such, else the folder.

        Raises:
            PackageError: there are no weights of the engine's kind, or several.
        """
        if engine is None or not engine.weights:
            return self.folder
        found = sorted({file for pattern in engine.weights for file in self.folder.glob(pattern)})
        if len(found) == 1:
            return found[0]
        wanted = " or ".join(engine.weights)
        if not found:
            listed = _listed([one.name for one in sorted(self.folder.iterdir())])
            raise PackageError(
                f"no weights: a {engine.name} package needs one {wanted} in {self.folder}, found {listed}"
            )
        raise PackageError(
            f"several weights: model_path of a {engine.name} package is the one {wanted} in {self.folder}, found "
            f"{_listed([one.name for one in found])}; keep one there, and move others into a folder beside it"
        )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(names[:_SHOWN]) or "nothing") + more


def _enveloped(config: dict[str, Any]) -> bool:
    apis = config.get("apis") or [{}]
    schema: Any = apis[0].get("response", {}).get("data", {})
    for name in ("data", "resp_data"):
        properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
        if not isinstance(properties, dict) or name not in properties:
            return False
        schema = properties[name]
    return True
