"""The file that one replica's output is kept in: lines of JSON, two files at most, the older one dropped."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mooring.engine.workload import LogLine

LOG = logging.getLogger(__name__)
SUFFIX = ".jsonl"
OLDER = ".older.jsonl"
# Enough of a file's end to find its last line; a line of output is cut before it is longer.
END_BYTES = 256 << 10
LINE_CHARACTERS = 64 << 10
_JSON = json.JSONEncoder(ensure_ascii=False)


class LogFile:
    """Written at one place only. What does not fit on the disk is lost, and the file stays readable."""

    def __init__(self, folder: Path, replica: str, *, most_bytes: int) -> None:
        self._path = folder / f"{replica}{SUFFIX}"
        self._older = folder / f"{replica}{OLDER}"
        self._replica = replica
        self._half = max(most_bytes // 2, 1)
        self._file: BinaryIO | None = None
        self._size = 0
        self._full = False

    def last_time(self) -> datetime | None:
        """When the last line that was kept was written; None for none. A line cut short by a crash is dropped."""
        for path in (self._path, self._older):
            _cut(path)
            lines = list(_objects(_end(path)))
            if lines:
                return datetime.fromisoformat(lines[-1]["time"])
        return None

    def write(self, *lines: LogLine) -> None:
        """Keep more lines; many at once cost little more than one."""
        gathered = bytearray()
        replica = _JSON.encode(self._replica)
        for line in lines:
            time = line.time.astimezone(UTC).isoformat(timespec="microseconds")
            stream, text = _JSON.encode(line.stream), _JSON.encode(line.text[:LINE_CHARACTERS])
            # Put together by hand: to encode a whole object takes three times as long.
            told = f'{{"time": "{time}", "stream": {stream}, "text": {text}, "replica": {replica}}}\n'
            data = told.encode("utf-8", "replace")
            if gathered and len(gathered) + len(data) > self._half // 2:
                self._keep(bytes(gathered))
                gathered.clear()
            gathered += data
        self._keep(bytes(gathered))

    def _keep(self, data: bytes) -> None:
        try:
            self._append(data)
        except OSError as error:
            if not self._full:
                LOG.warning("output of %s is being lost: cannot write %s: %s", self._replica, self._path, error)
            self._full = True
            self._undo()
        else:
            self._full = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _append(self, data: bytes) -> None:
        if self._size + len(data) > self._half and self._size:
            self.close()
            self._path.replace(self._older)
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab", buffering=0)
            self._size = self._file.tell()
        written = self._file.write(data)
        if written != len(data):
            raise OSError(f"only {written} of {len(data)} bytes were written")
        self._size += len(data)

    def _undo(self) -> None:
        """Half a line would spoil the next one."""
        if self._file:
            os.truncate(self._file.fileno(), self._size)


class Reading:
    """Reads one replica's files from the oldest line on, across the change from one file to the next."""

    def __init__(self, folder: Path, replica: str) -> None:
        self._path = folder / f"{replica}{SUFFIX}"
        self._older = folder / f"{replica}{OLDER}"
        self._file: BinaryIO | None = None
        self._begun = False

    def lines(self) -> Iterator[dict[str, Any]]:
        """What was written since the last time, oldest first."""
        if not self._begun:
            self._begun = True
            self._file = _opened(self._older)
        while True:
            if self._file is not None:
                yield from _objects(_whole_lines(self._file))
            if not self._next():
                return

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()

    def _next(self) -> bool:
        """Go on to the newer file, if there is one that was not read yet."""
        following = _opened(self._path)
        if following is None:
            return False
        if self._file and os.path.sameopenfile(self._file.fileno(), following.fileno()):
            following.close()
            return False
        if self._file:
            self._file.close()
        self._file = following
        return True


def replicas_in(folder: Path) -> list[str]:
    """The names of all replicas whose output is kept in the folder."""
    if not folder.is_dir():
        return []
    names = (path.name for path in folder.iterdir())
    return sorted({name.removesuffix(OLDER).removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)})


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    while True:
        at = file.tell()
        line = file.readline()
        if not line.endswith(b"\n"):
            file.seek(at)
            return
        yield line


def _objects(lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue  # a crash cut it short
        if isinstance(value, dict) and "time" in value:
            yield value


def _end(path: Path) -> Iterator[bytes]:
    file = _opened(path)
    if file is None:
        return
    with file:
        file.seek(max(file.seek(0, os.SEEK_END) - END_BYTES, 0))
        yield from file


def _cut(path: Path) -> None:
    """Drop the beginning of a line whose end was never written."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        start = max(size - END_BYTES, 0)
        file.seek(start)
        end = file.read()
        if end and not end.endswith(b"\n"):
            file.truncate(start + end.rfind(b"\n") + 1)
