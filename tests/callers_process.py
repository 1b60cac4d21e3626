"""Callers of a service from a process of their own (doubles/callers.py), and what they saw."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

CALLERS = Path(__file__).parent / "doubles" / "callers.py"
CALLS_PER_SECOND = 200


class Seen:
    """What callers saw, once they have ended."""

    def __init__(self):
        self.answers, self.failed, self.seconds = {}, [], 0.0

    @property
    def count(self):
        return sum(self.answers.values()) + len(self.failed)


@contextlib.contextmanager
def calling(platform, url=""):
    """Callers from a process of their own, from the first answer until the block ends."""
    address = url or platform.told("show", "live")["access_address"]
    words = (sys.executable, str(CALLERS), address, str(platform.data / "token"), str(CALLS_PER_SECOND))
    seen = Seen()
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as callers:
        assert callers.stdout.readline() == "calling\n"
        try:
            yield seen
        finally:
            told, _ = callers.communicate()
    seen.__dict__.update(json.loads(told))
    # They called as often as they were to, whatever happened.
    assert seen.count > 0.8 * CALLS_PER_SECOND * (seen.seconds - 1)
