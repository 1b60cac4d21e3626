"""The platform's `log` module: loggers that show INFO and above, each record on one line of standard output."""

from __future__ import annotations

import logging
import sys


class _Console(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write to what standard output is now: some packages replace it while they are imported."""
        try:
            sys.stdout.write(self.format(record).replace("\n", "\\n") + "\n")
        except Exception:  # noqa: BLE001 - a log line must never fail the request; logging says it in its own way
            self.handleError(record)


_HANDLER = _Console()
_HANDLER.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))


def get_logger(name: str | None = None) -> logging.Logger:
    """A logger whose INFO lines come out, as on the platform."""
    logger = logging.getLogger(name)
    if _HANDLER not in logger.handlers:
        logger.addHandler(_HANDLER)
        logger.setLevel(logging.INFO)
        logger.propagate = False  # a later logging.basicConfig() must not print every line twice
    return logger
