"""Files that must be files: a pipe would be waited on for ever, and a device may have no end."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from mooring.errors import Invalid

if TYPE_CHECKING:
    from pathlib import Path

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def other_kind(mode: int) -> str:
    """What a mode of `stat` says it is, in words, unless it is a regular file: then nothing."""
    return "" if stat.S_ISREG(mode) else _KINDS.get(stat.S_IFMT(mode), "not a file")


def read_regular(file: Path, *, at_most: int, hint: str = "") -> bytes:
    """The first `at_most` bytes of a file, links followed, and one more if there is more.

    Raises:
        Invalid: it is a folder, pipe, socket or device; `hint` is what to do about it.
        OSError: it cannot be read.
    """
    require_regular(file, hint=hint)
    # Not to be kept waiting by a pipe that took the file's place since.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as opened:
        if other_kind(os.fstat(descriptor).st_mode):
            raise Invalid(f"{file} is not a file any more")
        return opened.read(at_most + 1)


def require_regular(file: Path, *, hint: str = "") -> None:
    """Invalid when `file`, links followed, is there and is no regular file; OSError when it is not there."""
    kind = other_kind(file.stat().st_mode)
    if kind:
        raise Invalid(f"{file} is {kind}; it must be a file", hint=hint)
