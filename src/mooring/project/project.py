"""What a project's folder is: its kind, its settings, its config.json and the files that go into the image."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from mooring.contract import ModelConfig
from mooring.contract.regular_file import require_regular
from mooring.errors import NotFound, Refused
from mooring.project.settings import FILE_NAME, Settings
from mooring.project.tree import ProjectFile, walk

if TYPE_CHECKING:
    from pathlib import Path

HANDLER_FILE = "handler.py"
SERVICE_FILE = "customize_service.py"
MODEL_FOLDER = "model"
CONFIG_FILE = "config.json"


class Kind(StrEnum):
    """How a project answers requests."""

    HANDLER = "handler"
    """By a subclass of Handler in `handler.py`."""
    CUSTOMIZE_SERVICE = "customize-service"
    """By the `customize_service.py` of a ModelArts model package, as it is."""
    BRING_YOUR_OWN = "bring-your-own"
    """By whatever its own Dockerfile starts."""


@dataclass(frozen=True)
class Project:
    """A folder on a developer's disk that can be built into an image."""

    root: Path
    kind: Kind
    settings: Settings

    @classmethod
    def open(cls, folder: Path) -> Project:
        """Look at `folder` and say what kind of project it is; nothing in it is run.

        Raises:
            NotFound: there is no such folder, or nothing in it that can be served.
            Invalid: its mooring.toml is malformed.
            Refused: the folder of the weights is no folder.
        """
        root = folder.resolve()
        if not root.is_dir():
            raise NotFound(f"{folder} is not a folder", hint=f"mooring init {shlex.quote(str(folder))} makes a project")
        kind = _kind(root)
        weights = root / MODEL_FOLDER
        if kind is Kind.HANDLER and weights.exists() and not weights.is_dir():
            raise Refused(f"{weights} is not a folder", hint="make it one, and put the weights into it")
        return cls(root, kind, Settings.read(root / FILE_NAME))

    @cached_property
    def package_folder(self) -> Path:
        """The folder that becomes `model/` in the image: weights, and the code of a ModelArts package."""
        inside = self.root / MODEL_FOLDER
        flat = self.kind is Kind.CUSTOMIZE_SERVICE and not (inside / SERVICE_FILE).is_file()
        return self.root if flat else inside

    @cached_property
    def config_file(self) -> Path:
        """The project's config.json: beside the code, or in `model/` as ModelArts packages have it.

        Raises:
            NotFound: neither is there.
            Invalid: what is there is no file.
        """
        places = (self.root / CONFIG_FILE, self.root / MODEL_FOLDER / CONFIG_FILE)
        for place in reversed(places) if self.kind is Kind.CUSTOMIZE_SERVICE else places:
            if place.exists():
                require_regular(place)
                if not place.resolve().is_relative_to(self.root):
                    raise Refused(f"{place} is a link that leaves the project", hint="copy the file in its place")
                return place
        raise NotFound(
            f"{self.root} has no {CONFIG_FILE}", hint="it declares the apis; see mooring init for one to copy"
        )

    @cached_property
    def config(self) -> ModelConfig:
        """What the image claims about itself.

        Raises:
            Invalid: the config.json cannot be understood.
        """
        return ModelConfig.load(self.config_file)

    @cached_property
    def files(self) -> tuple[ProjectFile, ...]:
        """Every file that goes into the image, by its path in the project.

        Raises:
            Refused: something in the folder leads out of it, or is no file.
        """
        return tuple(walk(self.root, exclude=self.settings.exclude))

    @property
    def image_name(self) -> str:
        """A name for its image, to suggest: of the folder's name, what an image's name may have."""
        return f"{re.sub('[^a-z0-9]+', '-', self.root.name.lower()).strip('-') or 'model'}:1"

    @property
    def requirements(self) -> Path | None:
        """The user's requirements.txt, if there is one."""
        return self._own(self.root / "requirements.txt")

    @property
    def wheels(self) -> tuple[Path, ...]:
        """The folders in which wheels of the project's own may lie."""
        return tuple(folder for folder in (self.root / "wheels", self.package_folder) if _has_wheels(folder))

    def _own(self, file: Path) -> Path | None:
        if not file.exists():
            if file.is_symlink():
                raise Refused(f"{file} is a link to nowhere", hint="mend or remove the link")
            return None
        require_regular(file)
        if not file.resolve().is_relative_to(self.root):
            raise Refused(f"{file} is a link that leaves the project", hint="copy the file in its place")
        return file


def _has_wheels(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and any(folder.glob("*.whl"))


def _kind(root: Path) -> Kind:
    if (root / HANDLER_FILE).is_file():
        return Kind.HANDLER
    if (root / MODEL_FOLDER / SERVICE_FILE).is_file():
        return Kind.CUSTOMIZE_SERVICE
    if (root / SERVICE_FILE).is_file() and (root / CONFIG_FILE).is_file():
        return Kind.CUSTOMIZE_SERVICE
    if (root / "Dockerfile").is_file():
        return Kind.BRING_YOUR_OWN
    raise NotFound(
        f"{root} is not a project: it has no {HANDLER_FILE}, no {MODEL_FOLDER}/{SERVICE_FILE} and no Dockerfile",
        hint="mooring init DIR makes one",
    )
