"""What is done of a table, row by row, on this machine's disk: an interrupted table goes on from there.

A spool has one line a row, in the order of the rows: a digest of what was asked, and the line of the result. A row
whose request has another digest by now is asked again, whatever the reason. A spool that was ended is of a table that
was done to its end, with rows that failed: whoever takes it up again asks those rows only.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

_END = b"end\n"
_DIGEST_CHARACTERS = 32
# Lines are written when there are so many bytes of them, or at the first after so long.
_GATHERED_BYTES, _GATHER_SECONDS = 256 * 1024, 0.5


class Spools:
    """The spools of one job, in a folder that nobody else reads."""

    def __init__(self, folder: Path) -> None:
        """The folder is made when it is needed."""
        self._folder = folder

    def spool(self, index: int) -> Spool:
        """That of the item with this index, opened: `close` it. OSError where the folder cannot be used."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Spool(self._folder / f"{index}.rows")


def tidy(parent: Path, keep: set[str]) -> None:
    """Remove the folders in `parent` that are not called like any of those."""
    with contextlib.suppress(FileNotFoundError):
        for folder in parent.iterdir():
            if folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)


def digest(asked: bytes) -> bytes:
    """Of what is asked for a row, or of why it cannot be asked."""
    return hashlib.blake2b(asked, digest_size=_DIGEST_CHARACTERS // 2).hexdigest().encode()


class Spool:
    """One table's. For each row in turn, `take` what there is of it, and `add` what is new, in the same order.

    What was added outlives a killed process but for the last half second; of a line that was cut short nothing is left.
    Every method blocks, briefly, and raises OSError when the disk says no.
    """

    def __init__(self, path: Path) -> None:
        """Take up what an earlier run left."""
        self._path, self._before = path, path.with_suffix(".before")
        if _ended(path):
            path.replace(self._before)
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+b", buffering=0)
        self._size = self._file.seek(_whole(self._file))
        self._file.truncate()
        self._gathered = bytearray()
        self._written_at = time.monotonic()
        self._here = _lines(path, self._size)
        self._earlier = _lines(self._before)
        self._at = 0

    def take(self, mark: bytes) -> tuple[bytes, bool] | None:
        """The line that is kept of the next row, if its digest is this, and whether that run came to its end.

        None when the row is to be asked. Whatever line the row gets, `add` it, unless it was taken and of this run.
        """
        earlier = next(self._earlier, b"")
        found = next(self._here, b"")
        if found:
            if found.startswith(mark):
                self._at += len(found)
                return found[_DIGEST_CHARACTERS + 1 :], False
            # The table is another by now: what follows may be, too.
            self._here = iter(())
            self._file.seek(self._at)
            self._file.truncate()
        if earlier.startswith(mark):
            return earlier[_DIGEST_CHARACTERS + 1 :], True
        return None

    def add(self, mark: bytes, line: bytes) -> None:
        """The line of the next row that has none here."""
        self._gathered += b"%b %b" % (mark, line)
        if len(self._gathered) >= _GATHERED_BYTES or time.monotonic() - self._written_at > _GATHER_SECONDS:
            self._write()

    def end(self) -> None:
        """The table is done, and some of its rows failed."""
        self._gathered += _END
        self._write()
        self._before.unlink(missing_ok=True)

    def remove(self) -> None:
        """The table is done, and nothing of it will be asked again."""
        self._gathered.clear()
        self._path.unlink(missing_ok=True)
        self._before.unlink(missing_ok=True)

    def close(self) -> None:
        """Write what there is, and let go of it."""
        with self._file:
            self._write()

    def _write(self) -> None:
        view = memoryview(bytes(self._gathered))
        self._gathered.clear()
        while view:
            view = view[self._file.write(view) :]
        self._written_at = time.monotonic()


def _whole(file: io.FileIO) -> int:
    """Where the last whole line ends."""
    size = os.fstat(file.fileno()).st_size
    end = size
    while end:
        begin = max(0, end - _GATHERED_BYTES)
        found = os.pread(file.fileno(), end - begin, begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _ended(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - len(_END) - 1))
            return file.read() in (_END, b"\n" + _END)
    except FileNotFoundError:
        return False


def _lines(path: Path, size: int | None = None) -> Iterator[bytes]:
    """The whole lines of rows in a file, of its first `size` bytes, or of all."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size if size is None else size
        while left > 0 and (line := file.readline()).endswith(b"\n") and line != _END:
            left -= len(line)
            yield line
