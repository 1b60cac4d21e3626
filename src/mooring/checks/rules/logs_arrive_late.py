"""What it logs arrives at once.

Output that is no terminal is buffered by most runtimes, until some kilobytes are full. The log then shows a request
minutes after it was made, and the last words before a crash never.

Switch it off: `ENV PYTHONUNBUFFERED=1` or `python3 -u`, `flush=True` in print; `stdbuf -oL` for others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.trial.sightings import Logs
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"


@rule(
    "RUN-LOG-02",
    level=SHOULD,
    good=(Example("ENV PYTHONUNBUFFERED=1", logs=Logs(lines_out=42, lines_err=0, slowest_seconds=0.1)),),
    bad=(
        Example(
            "print() into a pipe, without -u",
            logs=Logs(lines_out=42, lines_err=0, lines_late=40, slowest_seconds=9.5),
        ),
    ),
)
def logs_arrive_late(logs: Logs) -> Iterator[Finding]:
    """By the time from a request to its line."""
    if logs.lines_late:
        yield Finding(
            message=f"{logs.lines_late} of {logs.lines_out + logs.lines_err} log lines arrived over a second late; "
            f"the slowest after {logs.slowest_seconds:.1f} s",
            expected="each line within a second of what it tells",
            document=DOCUMENT,
            hint="ENV PYTHONUNBUFFERED=1 in the Dockerfile, or python3 -u; stdbuf -oL for programs in other languages",
            causes=("holds-back-its-logs",),
        )
