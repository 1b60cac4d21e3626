"""How a file gets new content: whole or not at all, also when it is the file that was read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from mooring.errors import Refused


def replace_file(file: Path, content: bytes, *, private: bool = False) -> None:
    """Write `content` beside the file and move it there; what a link leads to is replaced, a file's mode is kept.

    A device or a pipe is no file that could be replaced: it is written to. A `private` file is its owner's alone, from
    the first byte on, and so is the folder that is made for it.

    Raises:
        Refused: it is a folder, or cannot be written; what was there is as it was.
    """
    if file.is_dir():
        raise Refused(f"{file} is a folder", hint=f"name a file: {file / 'config.json'}")
    target = Path(os.path.realpath(file))
    # Short enough for every file system, whatever the file is called.
    beside = target.with_name(f".mooring-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        if target.exists() and not target.is_file():
            target.write_bytes(content)
            return
        if private:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666)
        with os.fdopen(handle, "wb") as work:
            work.write(content)
            work.flush()
            os.fsync(work.fileno())
        if target.exists() and not private:
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    except OSError as error:
        raise Refused(f"cannot write {file}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()
