"""Which process is the worker: children that the user's code forks share its line, and must never speak on it."""

import contextlib
import os
import traceback
from typing import Optional

_WORKER = os.getpid()


def end_if_forked(error: Optional[BaseException] = None) -> None:
    """End this process at once if it is a forked child of the worker; in the worker, do nothing.

    A child that came back from the user's code exits as a script would: with 0, with `SystemExit`'s code, or with 1
    and a traceback in the log.

    Args:
        error: what the user's code raised, None if it returned.
    """
    if os.getpid() == _WORKER:
        return
    code = 0
    if isinstance(error, SystemExit) and not isinstance(error.code, str):
        code = error.code or 0
    elif error is not None:
        code = 1
        with contextlib.suppress(Exception):  # whatever the user made of standard error
            traceback.print_exception(type(error), error, error.__traceback__)
    os._exit(code & 0xFF if isinstance(code, int) else 1)
