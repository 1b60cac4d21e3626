"""Which files of a project go into its image, and that none of them leads out of the project."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mooring.contract.regular_file import other_kind
from mooring.errors import NotFound, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

# Never part of a model, wherever they are: version control, environments, caches, secrets of the developer's shell,
# and wheels, which are installed and not served.
LEFT_OUT = (
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".mooring",
    "__pycache__",
    "*.pyc",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".DS_Store",
    ".idea",
    ".vscode",
    ".env",
    "*.whl",
)
# Of use before there is an image, and not in it; only directly in the project's folder.
LEFT_OUT_AT_TOP = (
    "tests",
    "wheels",
    "mooring.toml",
    "requirements*.txt",
    "requirements*.in",
    "requirements.lock",
    "pytest.ini",
    "README.md",
    "Dockerfile",
    ".dockerignore",
    ".gitignore",
    ".gitattributes",
)
DEEPEST = 100


@dataclass(frozen=True, kw_only=True)
class ProjectFile:
    """One file, folder or link of a project, at `path` relative to the project's folder."""

    path: PurePosixPath
    source: Path
    size: int = 0
    is_folder: bool = False
    executable: bool = False
    link: str = ""
    """Where a symbolic link points, relative to the folder it is in; empty if it is none."""


def walk(root: Path, *, exclude: tuple[str, ...] = ()) -> Iterator[ProjectFile]:
    """Yield what lies under `root`, in the order of the names, without what is left out.

    Raises:
        NotFound: there is no such folder.
        Refused: a link leaves the folder, points nowhere or at what is left out; or there is a device, pipe or socket.
    """
    if not root.is_dir():
        raise NotFound(f"{root} is not a folder")
    yield from _walk(root.resolve(), PurePosixPath(), exclude)


def _walk(root: Path, folder: PurePosixPath, exclude: tuple[str, ...]) -> Iterator[ProjectFile]:
    if len(folder.parts) > DEEPEST:
        raise Refused(f"{str(folder)[:100]}... is more than {DEEPEST} folders deep", hint="exclude it")
    try:
        found = sorted((entry.name, entry.lstat()) for entry in (root / folder).iterdir())
    except OSError as error:
        raise Refused(f"{folder} cannot be read: {error.strerror}", hint="make it readable, or exclude it") from error
    for name, info in found:
        path = folder / name
        if is_left_out(path, exclude=exclude):
            continue
        source = root / path
        if stat.S_ISLNK(info.st_mode):
            yield _link(root, path, exclude)
        elif stat.S_ISDIR(info.st_mode):
            yield ProjectFile(path=path, source=source, is_folder=True)
            yield from _walk(root, path, exclude)
        elif stat.S_ISREG(info.st_mode):
            executable = bool(info.st_mode & stat.S_IXUSR)
            yield ProjectFile(path=path, source=source, size=info.st_size, executable=executable)
        else:
            raise Refused(
                f"{path} is {other_kind(info.st_mode)}; an image is made of files",
                hint="remove it from the project, or name it in mooring.toml: exclude = [...]",
            )


def is_left_out(path: PurePosixPath, *, exclude: tuple[str, ...] = ()) -> bool:
    """Whether `path`, relative to the project, or any folder it is in, stays out of the image."""
    if path.parts and any(fnmatchcase(path.parts[0], pattern) for pattern in LEFT_OUT_AT_TOP):
        return True
    if any(fnmatchcase(part, pattern) for part in path.parts for pattern in LEFT_OUT):
        return True
    here = (path, *path.parents)
    return any(
        fnmatchcase(str(place), pattern.strip("/")) or fnmatchcase(place.name, pattern.strip("/"))
        for place in here
        if place.parts
        for pattern in exclude
    )


def _link(root: Path, path: PurePosixPath, exclude: tuple[str, ...]) -> ProjectFile:
    source = root / path
    hint = "copy the file into the project in place of the link"
    shown = f"{path} is a link to {source.readlink()}"
    try:
        target = source.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise Refused(f"{shown}, which does not exist", hint="mend or remove the link") from error
    if not target.is_relative_to(root):
        raise Refused(f"{shown}, which is outside of the project", hint=hint)
    inside = PurePosixPath(target.relative_to(root).as_posix())
    if is_left_out(inside, exclude=exclude):
        raise Refused(f"{shown}, which is left out of the image", hint=hint)
    return ProjectFile(path=path, source=source, link=os.path.relpath(target, source.parent.resolve()))
