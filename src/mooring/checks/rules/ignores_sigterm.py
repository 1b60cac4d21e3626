"""Process 1 heeds SIGTERM.

A container is asked to end with SIGTERM, sent to its first process. The kernel drops the signal there unless the
process has a handler for it: a shell that started the server without `exec`, and a Python program without a handler,
never notice. They are killed in the end, with whatever they were working on.

Let the server be process 1: `exec` before the last command of the start script, which no pipe (`| tee`) may follow, or
CMD in exec form; and give it a handler if it has none: `signal.signal(signal.SIGTERM, ...)`. A script that must stay
needs `trap` and `wait`.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import Ending, Start, Termination
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import LINGER_AFTER_SIGTERM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


HANDLER = "signal.signal(signal.SIGTERM, stop)"
SHELLS = ("sh", "bash", "dash", "ash", "zsh", "ksh", "busybox")
SCRIPT = re.compile(r"\.(?:ba|k|z)?sh$")


def _started(*command: str) -> Start:
    return Start(command=command, ready=True, seconds=2.1)


def _ending(termination: Termination, exited: float | None) -> Ending:
    return Ending(
        termination=termination,
        in_flight=4,
        in_flight_lost=0,
        arrived=10,
        arrived_lost=0,
        answered_seconds=10.0,
        watched_seconds=10.0,
        watched_whole=False,
        exited_seconds=exited,
    )


@rule(
    "RUN-TERM-01",
    level=SHOULD,
    rolling=MUST,
    facts=(LINGER_AFTER_SIGTERM,),
    good=(
        Example(
            "exec gunicorn app:app",
            start=_started("sh", "/home/run.sh"),
            ending=_ending(Termination.CAUGHT, 3.0),
            edition=edition("otc-2024"),
        ),
    ),
    bad=(
        Example(
            "gunicorn app:app as the last line of run.sh, without exec",
            start=_started("sh", "/home/run.sh"),
            ending=_ending(Termination.IGNORED, None),
            edition=edition("otc-2024"),
        ),
        Example(
            'CMD ["python3", "server.py"], without a handler',
            start=_started("python3", "server.py"),
            ending=_ending(Termination.IGNORED, None),
            edition=edition("otc-2024"),
        ),
    ),
)
def ignores_sigterm(start: Start, ending: Ending, edition: Edition) -> Iterator[Finding]:
    """By the signals that the kernel says it catches; one that ended in its time has caught it."""
    if ending.exited_seconds is not None:
        return
    if ending.termination is Termination.UNSEEN:
        raise NotKnown(f"it had not ended {ending.watched_seconds:.0f} s after SIGTERM, and its handlers are not seen")
    if ending.termination is Termination.IGNORED:
        yield Finding(
            message="process 1 has no handler for SIGTERM, and the kernel drops the signal; "
            f"it ran on for the {ending.watched_seconds:.0f} s it was watched",
            expected="a first process that heeds SIGTERM",
            document=edition.source(LINGER_AFTER_SIGTERM) if LINGER_AFTER_SIGTERM in edition else "",
            hint=_hint(start.command),
            source=" ".join(start.command),
            causes=("ignores-sigterm",),
        )


def _hint(command: tuple[str, ...]) -> str:
    """What to do about it, by what process 1 is."""
    program = PurePosixPath(command[0]).name if command else ""
    text = " ".join(command)
    if program in SHELLS or SCRIPT.search(program):
        pipe = (
            ""
            if "-c" in command and "|" not in text
            else "; in a pipe (python3 server.py | tee FILE) the shell stays "
            "process 1 all the same, so do without the pipe"
        )
        return (
            "let the shell start the server with exec, as its last command (exec python3 server.py), or give CMD in "
            f'exec form: CMD ["python3", "server.py"]{pipe}; Python needs a handler too: {HANDLER}'
        )
    if program.startswith("python"):
        return f"install a handler in the program: {HANDLER}, where stop ends the server"
    if program.startswith("node"):
        return 'install a handler in the program: process.on("SIGTERM", () => server.close())'
    return f"install a handler for SIGTERM in {program or 'the program'}, in Python {HANDLER}"
