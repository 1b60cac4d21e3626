"""Where results that are expensive to come by are kept between builds, each under the name of what it was made from."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CHUNK = 1 << 20
# Fewer bytes than this are hashed anew each time: quicker than to remember them.
REMEMBER_FROM = 1 << 20


def cache_folder() -> Path:
    """`MOORING_CACHE_DIR`, or `mooring` in the user's cache folder."""
    named = os.environ.get("MOORING_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mooring"


def digest(*parts: str | bytes) -> str:
    """A name of 32 hexadecimal digits for these parts, in this order."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:32]


@contextmanager
def made_once(folder: Path) -> Iterator[Path | None]:
    """Give a folder to fill that becomes `folder` when all went well; None when it is there already.

    Two builds at once may both fill one: the first to finish wins, and nobody sees half a folder.
    """
    if folder.is_dir():
        yield None
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        inner = work / "made"
        inner.mkdir()
        yield inner
        try:
            inner.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def read_json(file: Path) -> dict[str, Any]:
    """What was kept in `file`; nothing when it is missing or damaged, since it can be made again."""
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(file: Path, value: dict[str, Any]) -> None:
    """Keep `value` in `file`, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as work:
        json.dump(value, work)
    Path(work.name).replace(file)


class FileDigests:
    """SHA-256 of files; large ones are read again only when their size, time or place changed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = read_json(file)
        self._seen: dict[str, str] = {}

    def of(self, path: Path) -> str:
        """The digest of the file at `path`, in hexadecimal."""
        info = path.stat()
        state = f"{path.resolve()}|{info.st_dev}|{info.st_ino}|{info.st_size}|{info.st_mtime_ns}|{info.st_ctime_ns}"
        value = self._known.get(state)
        if not isinstance(value, str):
            value = _sha256(path)
        if info.st_size >= REMEMBER_FROM:
            self._seen[state] = value
        return value

    def keep(self) -> None:
        """Remember what was asked for; what nobody asked for this time is forgotten."""
        if self._seen and self._seen != self._known:
            write_json(self._file, self._seen)


def _sha256(path: Path) -> str:
    total = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            total.update(chunk)
    return total.hexdigest()


def combined(parts: Iterable[tuple[str, ...]]) -> str:
    """One digest of many small tuples of strings."""
    return digest(*("\0".join(part) for part in parts))
