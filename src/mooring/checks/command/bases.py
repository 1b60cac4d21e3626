"""Small images in memory, with what a Debian base has: what the examples of rules about commands are made of."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mooring.image import EntryKind, File, ImageConfig, MemoryImage

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAM = File(content=b"\x7fELF", mode=0o755)
PATH = "/usr/local/bin:/usr/bin:/bin"


def script(text: str, mode: int = 0o755) -> File:
    """A file of that text, executable unless told otherwise."""
    return File(content=text.encode(), mode=mode)


def link(target: str) -> File:
    """A symlink."""
    return File(kind=EntryKind.SYMLINK, target=target, mode=0o777)


_CONSOLE = script("#!/usr/local/bin/python3\nimport sys\n")
DEBIAN: Mapping[str, File | bytes | str] = MappingProxyType(
    {
        "/bin/dash": PROGRAM,
        "/bin/sh": link("dash"),
        "/bin/bash": PROGRAM,
        "/usr/bin/env": PROGRAM,
        "/usr/bin/tini": PROGRAM,
        "/usr/bin/java": PROGRAM,
        "/usr/bin/zip": PROGRAM,
        "/usr/local/bin/python3": PROGRAM,
        "/usr/local/bin/python": link("python3"),
        "/usr/local/bin/gunicorn": _CONSOLE,
        "/usr/local/bin/uvicorn": _CONSOLE,
        "/usr/local/bin/hypercorn": _CONSOLE,
        "/usr/local/bin/flask": _CONSOLE,
        "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nma-user:x:1000:100::/home/ma-user:/bin/sh\n",
        "/etc/group": "root:x:0:\nusers:x:100:\n",
    }
)


def image(
    *cmd: str,
    files: Mapping[str, File | bytes | str] | None = None,
    without: tuple[str, ...] = (),
    env: Mapping[str, str] | None = None,
    **config: Any,
) -> MemoryImage:
    """An image of that CMD and these files on a Debian base; one word is the shell form of CMD.

    `without` are paths that the base lacks; further options are fields of ImageConfig.
    """
    words = ("/bin/sh", "-c", *cmd) if len(cmd) == 1 and " " in cmd[0] else cmd
    base = {path: file for path, file in DEBIAN.items() if path not in without}
    settings = ImageConfig(architecture="amd64", cmd=tuple(words), env={"PATH": PATH, **(env or {})})
    return MemoryImage(files={**base, **(files or {})}, config=dataclasses.replace(settings, **config))
