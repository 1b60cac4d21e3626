"""One command as a whole process: how long it took, how much processor and how much memory."""

import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Run:
    """Seconds on the clock, seconds of processor (user and system, of it and what it waited for), peak memory."""

    wall_seconds: float
    cpu_seconds: float
    peak_mib: float
    exit_code: int


def run(command: Sequence[str] | str) -> Run:
    """Run it to its end, output thrown away; a text is a line for the shell."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    shell = isinstance(command, str)
    words = ("bash", "-o", "pipefail", "-c", command) if shell else tuple(command)
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return Run(wall, cpu, used.ru_maxrss * 1024 / MIB, process.returncode)
