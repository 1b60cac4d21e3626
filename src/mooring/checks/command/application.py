"""Where the application of a Python server lies in the image, and what of its source can be read."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command.program import absolute
from mooring.image import EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command.setting import Server
    from mooring.checks.command.start import StartCommand
    from mooring.image import Filesystem

MOST_SOURCES = 200
_INSTALLED = re.compile(r"/(?:site|dist)-packages/")
# Path files that every installation has, and that add no folder.
_HARMLESS = re.compile(r"(?:distutils-precedence|_virtualenv|.*-nspkg|__pycache__)\.pth")


def search_folders(start: StartCommand, server: Server) -> tuple[str, ...] | None:
    """The folders in which Python looks for the application's module; None where that is not known."""
    own = absolute(server.app_folder or ".", start.directory)
    path = start.environment.get("PYTHONPATH", "")
    if not start.settled or "$" in own + path:
        return None
    return tuple(dict.fromkeys([own, *(absolute(one, start.directory) for one in path.split(":") if one)]))


def module_file(name: str, folders: tuple[str, ...], files: Filesystem) -> str:
    """The file or folder that the first part of a module's name leads to in one of the folders, "" if none."""
    for folder in folders:
        for candidate in (f"{folder}/{name}.py", f"{folder}/{name}", f"{folder}/{name}.pyc"):
            entry = files.resolve(candidate)
            if entry is not None and (candidate.endswith((".py", ".pyc")) or entry.kind is EntryKind.FOLDER):
                return posixpath.normpath(candidate)
    return ""


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Where else a module of that name lies: `installed` among the packages, or in some folder. Paths, a few.

    `hidden` tells that a file of the installation adds folders that we cannot read.
    """

    installed: bool
    places: tuple[str, ...]
    hidden: bool


def elsewhere(name: str, files: Filesystem) -> Elsewhere:
    """Look for the module in the whole image."""
    wanted = re.compile(rf".*/{re.escape(name)}(?:\.py|\.pyc|(?:\.[\w-]+)?\.so|/__init__\.py)")
    installed, hidden, places = False, False, []
    for entry in files.entries():
        inside = _INSTALLED.search(entry.path) is not None
        if wanted.fullmatch(entry.path):
            installed = installed or inside or "/lib/python" in entry.path
            places += [] if inside else [entry.path]
        elif entry.path.endswith((".pth", ".egg-link")) and not _HARMLESS.fullmatch(posixpath.basename(entry.path)):
            hidden = True
        elif inside and posixpath.basename(entry.path) == name and entry.kind is not EntryKind.FILE:
            installed = True
    return Elsewhere(installed=installed, places=tuple(sorted(places, key=len)[:3]), hidden=hidden)


def sources(start: StartCommand, server: Server | None, script: str, files: Filesystem) -> Iterator[tuple[str, bytes]]:
    """The Python files beside the one that is started, paths and contents, as far as they were kept."""
    folder = posixpath.dirname(script)
    if not folder and server and server.app:
        found = module_file(server.app.split(":")[0].split(".")[0], search_folders(start, server) or (), files)
        folder = found if found and not found.endswith((".py", ".pyc")) else posixpath.dirname(found)
    if not folder or folder == "/":
        names = [script] if script else []
    else:
        beside = (entry.path for entry in files.entries() if entry.path.startswith(folder + "/"))
        names = [path for path in beside if path.endswith(".py") and not _INSTALLED.search(path)]
    for path in names[:MOST_SOURCES]:
        content = files.text(path)
        if content is not None:
            yield path, content
