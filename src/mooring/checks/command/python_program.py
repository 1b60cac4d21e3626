"""A Python program among the words that are started: its interpreter's options, and the file or module it runs."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mooring.checks.command.program import absolute, interpreter, shebang

if TYPE_CHECKING:
    from mooring.checks.command.start import StartCommand
    from mooring.image.filesystem import Filesystem

_PYTHON = re.compile(r"(?:python|pypy)[\d.]*")
_VALUED = frozenset({"-W", "-X", "--check-hash-based-pycs"})


@dataclass(frozen=True, kw_only=True)
class PythonProgram:
    """`words` begin with the script or the module. `script` is the file as named, `path` where it is then looked for.

    `module` is what follows -m. Console scripts, such as gunicorn's, have neither. `options` are the interpreter's.
    """

    words: tuple[str, ...]
    options: tuple[str, ...] = ()
    script: str = ""
    module: str = ""
    path: str = ""

    @property
    def unbuffered(self) -> bool:
        """Whether the interpreter is told to write its output at once."""
        return any(re.fullmatch(r"-[A-Za-z]*u[A-Za-z]*", one) for one in self.options)


def python_program(start: StartCommand, files: Filesystem) -> PythonProgram | None:
    """The Python program that is started, None if what is started is not Python as far as can be seen."""
    words = start.program
    if _PYTHON.fullmatch(posixpath.basename(words[0])):
        return _told(words[1:], start.directory)
    hop = start.hops[-1]
    content = files.text(hop.program.path) if "/" in hop.program.path else None
    if content is None or not _PYTHON.fullmatch(interpreter(content)):
        return None
    options = tuple(part for word in shebang(content)[1:] for part in word.split() if part.startswith("-"))
    bin_folder = posixpath.basename(posixpath.dirname(hop.program.path)) in ("bin", "sbin")
    script = "" if bin_folder else words[0]
    return PythonProgram(words=words, options=options, script=script, path="" if bin_folder else hop.program.path)


def _told(rest: tuple[str, ...], directory: str) -> PythonProgram | None:
    """What the words after the interpreter say. None for `-c` and for an interpreter that reads from a terminal."""
    options: list[str] = []
    index = 0
    while index < len(rest) and rest[index].startswith("-"):
        word = rest[index]
        if word in ("-", "-c") or word == "--":
            return None
        if word == "-m" or (word.endswith("m") and not word.startswith("--")):
            following = rest[index + 1 :]
            more = (word.removesuffix("m"),) if len(word) > 2 else ()  # noqa: PLR2004 - more letters than -m
            return PythonProgram(words=following, options=(*options, *more), module=following[0]) if following else None
        options.append(word)
        index += 2 if word in _VALUED else 1
    if index >= len(rest):
        return None
    script = rest[index]
    path = "" if "$" in script or "*" in script else absolute(script, directory)
    return PythonProgram(
        words=rest[index:], options=tuple(options), script=script, path="" if path.startswith("$") else path
    )
