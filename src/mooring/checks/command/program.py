"""A program that a command names, looked up in the image as the kernel or a shell would."""

from __future__ import annotations

import enum
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command.identity import EXECUTE, Identity
from mooring.image.filesystem import EntryKind

if TYPE_CHECKING:
    from mooring.checks.command.scope import Scope
    from mooring.image.filesystem import Entry, Filesystem


class Fault(enum.Enum):
    """Why a program cannot be started; each continues a sentence that begins with its name."""

    MISSING = "is not in the image"
    NOT_ON_PATH = "is in no folder of PATH"
    FOLDER = "is a folder"
    NOT_EXECUTABLE = "has no execute permission for the user the image runs as"


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a name leads to: its path as written and made absolute, and the file behind all links."""

    path: str
    entry: Entry | None = None
    fault: Fault | None = None


def found_program(name: str, scope: Scope, files: Filesystem, who: Identity) -> Program:
    """The program of that name. It has neither entry nor fault where only running the image would tell."""
    if "/" in name:
        return _at(absolute(name, scope.directory), files, who)
    entry = files.which(name, scope.path)
    if entry is not None:
        return Program(path=_where(name, scope, files), entry=entry)
    return Program(path=name, fault=Fault.NOT_ON_PATH if scope.settled else None)


def found_file(name: str, scope: Scope, files: Filesystem) -> Program:
    """A file that an interpreter is told to read: it must be there, and need not be executable."""
    path = absolute(name, scope.directory)
    if path.startswith("$"):
        return Program(path=path)
    entry = files.resolve(path)
    if entry is None:
        return Program(path=path, fault=Fault.MISSING)
    return Program(path=path, entry=entry, fault=Fault.FOLDER if entry.kind is EntryKind.FOLDER else None)


def absolute(path: str, directory: str) -> str:
    """The path seen from a folder; it keeps beginning with `$` where the folder is not known."""
    whole = posixpath.normpath(posixpath.join(directory or "/", path))
    return "/" + whole.lstrip("/") if whole.startswith("/") else whole


def _at(path: str, files: Filesystem, who: Identity) -> Program:
    if path.startswith("$"):
        return Program(path=path)
    entry = files.resolve(path)
    if entry is None:
        return Program(path=path, fault=Fault.MISSING)
    if entry.kind is EntryKind.FOLDER:
        return Program(path=path, entry=entry, fault=Fault.FOLDER)
    if not who.may(entry, EXECUTE):
        return Program(path=path, entry=entry, fault=Fault.NOT_EXECUTABLE)
    return Program(path=path, entry=entry)


def _where(name: str, scope: Scope, files: Filesystem) -> str:
    """The path under which PATH has it, before links are followed."""
    for folder in scope.path.split(":"):
        path = absolute(name, absolute(folder, scope.directory))
        if files.resolve(path) is not None:
            return path
    return name


def shebang(content: bytes) -> tuple[str, ...]:
    """The words of a script's first line after `#!`, as the kernel takes them; none if it has no such line."""
    if not content.startswith(b"#!"):
        return ()
    line = content[2 : content.find(b"\n") if b"\n" in content else len(content)]
    return tuple(line.decode("utf-8", "replace").rstrip("\r").split(maxsplit=1))


def interpreter(content: bytes) -> str:
    """The base name of what a script's first line hands it to, through env where that is used; "" if nothing."""
    words = [word for part in shebang(content) for word in part.split()]
    if words and posixpath.basename(words[0]) == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    return posixpath.basename(words[0]) if words else ""
