"""Compiled YARA rules, ready for each thread that uses them."""

from __future__ import annotations

import ctypes
import threading

import yara_x

# For one window, which takes some milliseconds.
LONGEST_SECONDS = 30


class PerThread(threading.local):
    """A scanner of these rules; one may be used by one thread at a time, so each thread has its own."""

    def __init__(self, rules: yara_x.Rules) -> None:
        self.scanner = yara_x.Scanner(rules)
        self.scanner.fast_scan(True)
        self.scanner.set_timeout(LONGEST_SECONDS)
        # Never freed: it complains when another thread than its own does that, and the library itself hands what it
        # lets go of without the interpreter's lock to whichever thread comes next. It has 6 KiB, and threads are few.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.scanner))
