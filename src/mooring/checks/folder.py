"""The files of a folder that was not built into an image, looked at as those of an image are."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from mooring.image.filesystem import Entry, Note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mooring.image.image import Inspector


def folder_notes(files: Mapping[str, Path] | Iterable[tuple[str, Path]], inspect: Inspector) -> tuple[Note, ...]:
    """What the inspector says of each file, given by its path in the folder; links and what is no file are left out."""
    notes = []
    for name, file in files.items() if hasattr(files, "items") else files:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                continue
            mode = stat.S_IMODE(found.st_mode)
            entry = Entry(path=f"/{name}", size=found.st_size, stored_size=found.st_size, mode=mode)
            value = inspect(entry, opened)
        if value is not None:
            notes.append(Note(entry=entry, value=value, visible=True))
    return tuple(notes)
