"""Started through the boot file, it becomes ready.

A batch service starts the image as its CMD says, and that has to lead to the boot file. A script that was written on
Windows, that misses its interpreter, or that starts the server in the background and ends, ends the batch before its
first file.

Try it as the platform does: `docker run --rm IMAGE sh /home/run.sh`. Save the script with LF line ends, and let its
last line be `exec` and the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import BATCH, MUST, Example, rule
from mooring.checks.trial.blame import OTHERWISE, told_by, with_log
from mooring.checks.trial.sightings import Start
from mooring.checks.wish import Wish
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import BOOT_FILE
from mooring.engine import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_BOOT = ("/bin/sh", "/home/run.sh")
_ENDED = Diagnosis(
    cause="finished-at-once",
    seen="exit code 0: the command finished without an error, and with it the container",
    expected="a server that keeps running in the foreground",
    advice="let the start script end with exec SERVER",
    log_tail=(),
)
_READY = Start(command=_BOOT, ready=True, seconds=2.1)
_FAILED = Start(command=_BOOT, ready=False, seconds=0.2, diagnosis=_ENDED)


@rule(
    "RUN-BOOT-01",
    level=MUST,
    kind=BATCH,
    facts=(BOOT_FILE,),
    good=(
        Example(
            "exec python3 /app/server.py, as the last line of /home/run.sh",
            boot=_READY,
            start=_READY,
            wish=Wish(kind=BATCH),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            "python3 /app/server.py &, as the last line of /home/run.sh",
            boot=_FAILED,
            start=_FAILED,
            wish=Wish(kind=BATCH),
            edition=edition("otc-2022"),
        ),
    ),
)
def boot_file_does_not_start(boot: Start, start: Start, wish: Wish, edition: Edition) -> Iterator[Finding]:
    """Unless another rule tells the same of the image's own start."""
    if boot.ready:
        return
    if boot.diagnosis is None:
        raise NotKnown("it did not become ready, and no cause is known")
    speaker = told_by(start)
    asked = speaker != OTHERWISE or wish.kind is not BATCH
    if asked and start.diagnosis and start.diagnosis.cause == boot.diagnosis.cause:
        raise NotKnown(f"it did not become ready: {boot.diagnosis.cause}; {speaker} says more")
    yield Finding(
        message=with_log(boot.diagnosis.seen, boot.diagnosis),
        expected=boot.diagnosis.expected,
        document=edition.source(BOOT_FILE),
        hint=boot.diagnosis.advice,
        source=edition[BOOT_FILE],
        causes=(boot.diagnosis.cause,),
    )
