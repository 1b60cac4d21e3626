"""It writes its log to standard output.

The platform shows what a container writes to standard output, and nothing else: a log in a file is gone with the
container, which is when it is wanted. Files that grow while nothing is heard weigh less where the container was killed
before buffered output would have come.

Log to standard output: `logging.basicConfig(stream=sys.stdout, level="INFO")`, `gunicorn --access-logfile - --log-file
-`, `ln -sf /dev/stdout /var/log/nginx/access.log`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import GrowingFile, Logs
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"
# Hundreds of requests are made: fewer lines than this are a greeting and stray errors, not the log.
QUIET_LINES = 50


@rule(
    "RUN-LOG-01",
    level=MUST,
    good=(Example("a line a request on standard output", logs=Logs(lines_out=42, lines_err=0)),),
    bad=(
        Example(
            "nothing on its outputs, and /tmp/app.log grows",
            logs=Logs(lines_out=0, lines_err=0, growing_files=(GrowingFile(path="/tmp/app.log", bytes_grown=5120),)),  # noqa: S108 - what was seen
        ),
    ),
)
def logs_not_on_output(logs: Logs) -> Iterator[Finding]:
    """Files instead of outputs are a breach; to say nothing, or all of it on standard error, is worth a remark."""
    if logs.lines_out:
        return
    if logs.growing_files and logs.lines_err < QUIET_LINES:
        yield _in_files(logs)
    elif logs.lines_err:
        yield Finding(
            level=INFO,
            message=f"it logs to standard error only ({logs.lines_err} lines)",
            expected="logs on standard output; the documents do not mention standard error",
            document=DOCUMENT,
            hint="log to standard output to be sure",
        )
    else:
        yield Finding(
            level=INFO,
            message="it wrote nothing at all while it was called",
            expected="logs on standard output, to know later what it did",
            document=DOCUMENT,
            hint="log a line a request",
        )


def _in_files(logs: Logs) -> Finding:
    names = ", ".join(f"{file.path} (by {file.bytes_grown:,} bytes)" for file in logs.growing_files)
    stray = f", and {logs.lines_err} lines to standard error," if logs.lines_err else ""
    link = f"let the log file be a link to it: ln -sf /dev/stdout {logs.growing_files[0].path}"
    seen, hint = f"it writes nothing to standard output{stray} while {names} grew", f"log to standard output, or {link}"
    if logs.may_hold_back:
        seen = (
            f"nothing came to standard output{stray} while {names} grew; it was killed before it would have "
            "written what it may hold back there"
        )
        hint = f"ENV PYTHONUNBUFFERED=1 (or python3 -u) if it does print its log; else {hint}"
    return Finding(
        level=SHOULD if logs.may_hold_back else MUST,
        message=seen,
        expected="logs on standard output; nothing else is shown",
        document=DOCUMENT,
        hint=hint,
        source=logs.growing_files[0].path,
    )
