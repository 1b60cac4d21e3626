"""The container starts and becomes ready.

The platform starts the image and waits for it to answer. One that ends, or never answers, shows there as "deploying"
for as long as the deploy timeout lasts, and then as a failed service with little more than "did not pass health check".
Here the cause is looked for: how it ended, what it said last, what it listens on.

Mend what the cause names. `mooring run IMAGE` starts it the same way, as often as you like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, REAL_TIME, Example, rule
from mooring.checks.trial.blame import diagnosis_for, with_log
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import SERVICE_PORT
from mooring.engine import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_SERVER = ("python3", "/app/server.py")
_EXITED = Diagnosis(
    cause="python-module-missing",
    seen="exit code 1: Python found no module named flask",
    expected="every package that the code imports inside the image",
    advice="add the package that holds flask to requirements.txt and build again",
    log_tail=("ModuleNotFoundError: No module named 'flask'",),
)


@rule(
    "RUN-START-01",
    level=MUST,
    kind=REAL_TIME,
    facts=(SERVICE_PORT,),
    good=(
        Example(
            "ready after 2.1 s",
            start=Start(command=_SERVER, ready=True, seconds=2.1),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            "exit code 1: Python found no module named flask",
            start=Start(command=_SERVER, ready=False, seconds=0.4, diagnosis=_EXITED),
            edition=edition("otc-2022"),
        ),
    ),
)
def does_not_start(start: Start, edition: Edition) -> Iterator[Finding]:
    """The causes that no other rule tells."""
    diagnosis = diagnosis_for("RUN-START-01", start)
    if diagnosis:
        yield Finding(
            message=with_log(diagnosis.seen, diagnosis),
            expected=diagnosis.expected,
            document=edition.source(SERVICE_PORT),
            hint=diagnosis.advice,
            source=" ".join(start.command),
            causes=(diagnosis.cause,),
        )
