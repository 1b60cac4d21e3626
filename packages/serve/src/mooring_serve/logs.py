"""Log lines: one event a line on standard output, written at once, fields as `name=value`."""

from __future__ import annotations

import json
import logging
import os
import re
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
    """Write a whole line, at once."""
    data = line.encode("utf-8", "backslashreplace")
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        pass  # nobody reads any more: serving goes on


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
