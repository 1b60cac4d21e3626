"""No log file grows inside the container.

What is written only to a file is shown nowhere and lost with the container; and a file that grows with every request
fills the node's disk in time.

Log to standard output alone; where a program insists on a file, make it a link: `ln -sf /dev/stdout FILE`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.rules.logs_not_on_output import QUIET_LINES
from mooring.checks.trial.sightings import GrowingFile, Logs
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"


@rule(
    "RUN-LOG-03",
    level=SHOULD,
    good=(Example("a line a request on standard output", logs=Logs(lines_out=42, lines_err=0)),),
    bad=(
        Example(
            "a line at the start on standard output, and then /tmp/app.log grows",
            logs=Logs(lines_out=1, lines_err=0, growing_files=(GrowingFile(path="/tmp/app.log", bytes_grown=5120),)),  # noqa: S108 - what was seen
        ),
    ),
)
def logs_in_files_too(logs: Logs) -> Iterator[Finding]:
    """Where there is nothing on the outputs, another rule tells of the files."""
    if not logs.lines_out and logs.lines_err < QUIET_LINES:
        return
    for file in logs.growing_files:
        yield Finding(
            message=f"{file.path} grew by {file.bytes_grown:,} bytes while requests were made",
            expected="logs on standard output, which is all that is shown",
            document=DOCUMENT,
            hint=f"log to standard output alone, or ln -sf /dev/stdout {file.path}",
            source=file.path,
        )
