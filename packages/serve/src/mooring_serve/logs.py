"""Log lines: one event a line on standard output, written at once, fields as `name=value`."""

from __future__ import annotations

import json
import logging
import os
import re
import time

_PLAIN = re.compile(r"[\w.:/+%@,-]+\Z")
# What would end a line early, for people and for collectors: C0, DEL, C1, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def log(level: str, event: str, **fields: object) -> None:
    """Write one line: time (UTC), level, event, fields."""
    now = time.time()
    told = "".join(f" {name}={_value(value)}" for name, value in fields.items())
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    _write(f"{stamp}.{int(now * 1000) % 1000:03d}Z {level} {event}{told}\n")


def _value(value: object) -> str:
    text = str(value)
    if _PLAIN.match(text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _write(line: str) -> None:
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
