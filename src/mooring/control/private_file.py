"""Files of the data folder that nobody but the platform's user may read."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from mooring.errors import Refused, Unavailable

READABLE_BY_OTHERS = 0o077


def write_private(file: Path, content: bytes, *, replace: bool) -> bool:
    """Write a file that is there whole or not at all, mode 0600, on the disk when this returns.

    Without `replace`, a file that is there stays as it is. Gives whether it was written. Unavailable when it cannot be.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(descriptor, "wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
            written = _put(Path(name), file, replace=replace)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)  # noqa: PTH108 - mkstemp speaks of names
        _sync_folder(file.parent)
    except OSError as error:
        raise Unavailable(f"cannot write {file}: {error.strerror}", hint="see that its disk has room") from error
    return written


def read_private(file: Path) -> bytes | None:
    """What it holds; None when it is not there. Refused when others may read it, Unavailable when it cannot be read."""
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & READABLE_BY_OTHERS:
                raise Refused(f"{file} is a secret that other users can read", hint=f"chmod 600 {file}")
            return opened.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Unavailable(f"cannot read {file}: {error.strerror}") from error


def _put(new: Path, file: Path, *, replace: bool) -> bool:
    if replace:
        new.replace(file)
        return True
    try:
        file.hardlink_to(new)
    except FileExistsError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
