"""The worker's own log lines: what became of the user's code, on standard output, in the form of the server's log."""

import json
import math
import sys
import time
import traceback
from typing import Any, Dict


def report(what: str, fields: Dict[str, str], error: BaseException) -> None:
    """Write one line with an error's traceback; a log that cannot be written is no reason to fail.

    Args:
        what: level and message.
        fields: what else to tell, as `name=value`.
        error: anything that the user's code has raised.
    """
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{math.floor(now % 1 * 1000):03d}Z"
    told = "".join(f" {name}={value}" for name, value in fields.items())
    line = f"{stamp} {what}{told}"
    trail = _trail(error)
    # The user's code may have closed or replaced standard output; standard error is the same log.
    if not _written(sys.stdout, line, trail):
        _written(sys.stderr, line, trail)


def _trail(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__)).strip()
    except Exception:  # noqa: BLE001 - it reads the error's attributes, which are the user's code
        return type(error).__name__


def _written(stream: Any, line: str, trail: str) -> bool:
    try:
        more = f"\n{trail}" if stream.isatty() else f" traceback={json.dumps(trail)}"
        stream.write(f"{line}{more}\n")
    except Exception:  # noqa: BLE001 - closed, None, or whatever the user has put there
        return False
    return True
