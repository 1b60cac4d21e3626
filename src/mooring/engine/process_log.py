"""The log of a replica of the process engine, as its keeper writes it: `MICROSECONDS o|e TEXT`, in two files."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from mooring.engine.workload import LogLine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STREAMS = {b"o": "stdout", b"e": "stderr"}
READ_BYTES = 256 << 10


class LogReader:
    """Reads on where it stopped, whatever was rotated in the meantime; what was rotated away twice is lost."""

    def __init__(self, folder: Path, since: datetime | None = None) -> None:
        self._path = folder / "log"
        self._after = -1 if since is None else (since - EPOCH) // timedelta(microseconds=1)
        self._file: BinaryIO | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()

    def lines(self) -> list[LogLine]:
        """The next of the lines there are, some hundred kilobytes of them; none when all have been read."""
        while True:
            if self._file is None and not self._open_first():
                return []
            assert self._file is not None  # noqa: S101 - for mypy: it was opened just now
            data = self._file.read(READ_BYTES)
            if data:
                if lines := list(self._parsed(data)):
                    return lines
            elif not self._open_next():
                return []

    def _parsed(self, data: bytes) -> Iterator[LogLine]:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            time, _, rest = line.partition(b" ")
            if time.isdigit() and int(time) > self._after and rest[:1] in STREAMS:
                self._after = int(time)
                text = rest[2:].decode("utf-8", "replace")
                yield LogLine(EPOCH + timedelta(microseconds=int(time)), STREAMS[rest[:1]], text)

    def _open_first(self) -> bool:
        for path in (self._path.with_name("log.1"), self._path):
            with contextlib.suppress(FileNotFoundError):
                self._file = path.open("rb")
                return True
        return False

    def _open_next(self) -> bool:
        """Turn to the file that follows the one at hand, if there is one; what was read already is passed over."""
        assert self._file is not None  # noqa: S101 - for mypy: it is at hand
        mine = os.fstat(self._file.fileno()).st_ino
        older = self._path.with_name("log.1")
        if mine == _inode(self._path):
            return False
        for path in (self._path,) if mine == _inode(older) else (older, self._path):
            with contextlib.suppress(FileNotFoundError):
                following = path.open("rb")
                self._file.close()
                self._file, self._rest = following, b""
                return True
        return False


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def last_lines(folder: Path, count: int) -> tuple[str, ...]:
    """The texts of the last lines."""
    kept: deque[str] = deque(maxlen=count)
    with LogReader(folder) as reader:
        while lines := reader.lines():
            kept.extend(line.text for line in lines)
    return tuple(kept)
