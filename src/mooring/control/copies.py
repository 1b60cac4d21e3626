"""What the platform keeps of models: a name of its own for an image in the engine, or a copy of a project's folder.

Each model that something is kept of has a folder, made before there is anything to keep: whatever kills the platform,
what it kept is found again by it, and goes when its model does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mooring.engine import DockerEngine
from mooring.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mooring.project import Project

FOLDER = "models"
REPOSITORY = "mooring-models"
# In a model's folder: the name its image has in the engine, the copy of its project, and the config.json it came with.
IMAGE_FILE, PROJECT_FOLDER, CONFIG_FILE = "image", "project", "config.json"
# Where a project keeps the environment that its worker runs in: not copied, but led to.
ENVIRONMENTS = (".venv",)
SETTINGS_FILE = "mooring.toml"
CHUNK_BYTES = 1 << 20


def image_name(model_id: str, version: str) -> str:
    """The name that a model's image has in the engine."""
    return f"{REPOSITORY}/{model_id}:{version}"


class Copies:
    """What is kept, in a folder of the platform's own."""

    def __init__(self, data: Path) -> None:
        self._root = data / FOLDER

    def folder(self, model_id: str) -> Path:
        """The folder of one model, made if it is not there. Unavailable when it cannot be."""
        with _written(self._root):
            found = self._root / model_id
            found.mkdir(mode=0o700, parents=True, exist_ok=True)
            return found

    def write_config(self, model_id: str, text: str) -> Path:
        """The file with the config.json that a model came with."""
        file = self.folder(model_id) / CONFIG_FILE
        with _written(file):
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return file

    def expect_image(self, model_id: str, name: str) -> None:
        """The engine is going to hold an image by that name for it."""
        file = self.folder(model_id) / IMAGE_FILE
        with _written(file):
            file.write_text(name)
            _synced(file)

    def require_room(self, size_bytes: int) -> None:
        """Refused when the disk has no room for a copy of that size."""
        with _written(self._root):
            self._root.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self._root).free
        if size_bytes > free:
            raise Refused(
                f"its files have {size_bytes} bytes, and the disk of the platform's folder has {free} left",
                hint="make room, exclude what is not needed, or import it with source_copy false",
            )

    def copy_project(self, model_id: str, project: Project, go_on: Callable[[], None]) -> Path:
        """A copy of what of a project would go into its image, whole or not at all; it leads to its environment.

        Refused when something in the folder leads out of it.
        """
        final = self.folder(model_id) / PROJECT_FOLDER
        new = final.with_name(f".{PROJECT_FOLDER}")
        with _written(final):
            for old in (new, final):
                shutil.rmtree(old, ignore_errors=True)
            new.mkdir()
            for one in project.files:
                go_on()
                place = new / one.path
                if one.is_folder:
                    place.mkdir()
                elif one.link:
                    place.symlink_to(one.link)
                else:
                    shutil.copyfile(one.source, place, follow_symlinks=False)
                    place.chmod(0o755 if one.executable else 0o644)
            _lead_to_environment(project, new)
            new.rename(final)
        return final

    def forget(self, model_id: str) -> None:
        """Let go of all that is kept of a model; idempotent. Unavailable when the engine that holds it is away."""
        folder = self._root / model_id
        with contextlib.suppress(FileNotFoundError):
            name = (folder / IMAGE_FILE).read_text()
            if name.startswith(f"{REPOSITORY}/{model_id}:"):
                with DockerEngine.connect() as engine:
                    engine.remove_image(name)
        shutil.rmtree(folder, ignore_errors=True)

    def models(self) -> frozenset[str]:
        """The models that something is kept of."""
        try:
            return frozenset(entry.name for entry in os.scandir(self._root))
        except FileNotFoundError:
            return frozenset()


def project_digest(project: Project, go_on: Callable[[], None]) -> str:
    """A digest of all files of a project, their places, and which of them can be executed.

    `go_on` is asked again and again, and ends it by raising.
    """
    whole = hashlib.sha256()
    for one in project.files:
        whole.update(
            f"{one.path}\0{one.link}\0{one.is_folder:d}{one.executable:d}{one.size}\0".encode("utf-8", "replace")
        )
        if not one.is_folder and not one.link:
            with one.source.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    go_on()
                    whole.update(chunk)
    return f"sha256:{whole.hexdigest()}"


def project_size(project: Project) -> int:
    """Bytes of all files of a project."""
    return sum(one.size for one in project.files)


def _lead_to_environment(project: Project, copy: Path) -> None:
    """The settings, and links to where the project's own Python lies."""
    settings = project.root / SETTINGS_FILE
    if settings.is_file():
        shutil.copyfile(settings, copy / SETTINGS_FILE)
    python = project.settings.python or ""
    inside = Path(python).parts[:1] if os.sep in python and not Path(python).is_absolute() else ()
    for name in {*ENVIRONMENTS, *inside} - {"..", "."}:
        if (project.root / name).exists() and not (copy / name).exists():
            (copy / name).symlink_to(project.root / name)


def _synced(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())


@contextlib.contextmanager
def _written(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"cannot write {error.filename or place}: {error.strerror}", hint="is the disk full?"
        ) from error
