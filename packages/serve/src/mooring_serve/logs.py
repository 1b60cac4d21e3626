"""Log lines: one event a line on standard output, written at once, fields as `name=value`."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import stat
import time
from functools import lru_cache

_PLAIN = re.compile(r"[\w.:/+%@,-]+\Z")
# What would end a line early, for people and for collectors: C0, DEL, C1, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def log(level: str, event: str, **fields: object) -> None:
    """Write one line: time (UTC), level, event, fields."""
    told = "".join(f" {name}={quoted(value)}" for name, value in fields.items())
    write(f"{stamp()} {level} {event}{told}\n")


def log_traceback(event: str, told: str, **fields: object) -> None:
    """Write what a traceback tells: one line for collectors, many for a person at a terminal."""
    if os.isatty(1):
        log("ERROR", event, **fields)
        write(told.rstrip("\n") + "\n")
    else:
        log("ERROR", event, **fields, traceback=told.strip())


def stamp() -> str:
    """The time now, UTC, to the millisecond."""
    now = time.time()
    second = int(now)
    return f"{_second(second)}.{int((now - second) * 1000):03d}Z"


@lru_cache(maxsize=2)
def _second(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))


def quoted(value: object) -> str:
    """A field's value, quoted if it could be misread."""
    text = str(value)
    if _PLAIN.match(text):
        return text
    told = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", told)


def write(line: str) -> None:
    """Write a whole line, at once; never wait for whoever reads it."""
    _out.write(line.encode("utf-8", "backslashreplace"))


class _Output:
    """Standard output, without waiting: when a pipe is full, lines are left out and counted, and serving goes on."""

    def __init__(self) -> None:
        self._fd = -1
        self._rest = b""  # the end of a line that was begun
        self._lost = 0

    def write(self, line: bytes) -> None:
        if self._fd < 0:
            self._fd = _opened()
        try:
            if self._rest:
                self._rest = self._rest[os.write(self._fd, self._rest) :]
            if self._rest:
                self._lost += 1
                return
            if self._lost:
                line = f"{stamp()} WARNING log lines left out, nobody reads them lines={self._lost}\n".encode() + line
                self._lost = 0
            self._rest = line[os.write(self._fd, line) :]
        except BlockingIOError:
            self._lost += 1
        except OSError:
            pass  # nobody reads any more


def _opened() -> int:
    """Standard output; if it is a pipe, opened anew, so that not waiting is a property of this end of it alone."""
    if stat.S_ISFIFO(os.fstat(1).st_mode):
        with contextlib.suppress(OSError):  # a pipe of another user's, as older engines give to containers
            return os.open("/proc/self/fd/1", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return 1


_out = _Output()


class Lines(logging.Handler):
    """Brings what libraries log into the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a library's record as one line."""
        fields = {"message": record.getMessage()}
        if record.exc_info:
            fields["traceback"] = logging.Formatter().formatException(record.exc_info)
        log(record.levelname, record.name, **fields)


def take_over() -> None:
    """Send what libraries log at WARNING and above to standard output."""
    root = logging.getLogger()
    root.handlers[:] = [Lines()]
    root.setLevel(logging.WARNING)
