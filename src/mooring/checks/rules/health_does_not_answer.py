"""The health url answers 200 when the model can be called.

Only an instance whose health check passes gets requests. A declared health url that is missing, redirects, asks for a
login or answers an error makes every deployment fail, though the model may work.

Serve the url that config.json names (GET /health when it names none) without a login or a redirect, and answer 200 with
the body {"health": "true"}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.blame import diagnosis_for, with_log
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import HEALTH_URL
from mooring.engine import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_MISSING = Diagnosis(
    cause="health-missing",
    seen="it serves on port 8080, but GET /health answers 404",
    expected="200 from GET /health",
    advice='add that route, or name the one there is in config.json: "health": {"url": "..."}',
    log_tail=('"GET /health HTTP/1.1" 404 -',),
)


@rule(
    "RUN-HEALTH-01",
    level=MUST,
    facts=(HEALTH_URL,),
    good=(
        Example(
            "GET /health answers 200",
            start=Start(command=("sh", "/home/run.sh"), ready=True, seconds=2.1),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            "GET /health answers 404",
            start=Start(command=("sh", "/home/run.sh"), ready=False, seconds=60.0, diagnosis=_MISSING),
            edition=edition("otc-2022"),
        ),
    ),
)
def health_does_not_answer(start: Start, edition: Edition) -> Iterator[Finding]:
    """The causes that lie with the health url; a server that says it is loading is none of them."""
    diagnosis = diagnosis_for("RUN-HEALTH-01", start)
    if diagnosis:
        yield Finding(
            message=with_log(diagnosis.seen, diagnosis),
            expected=diagnosis.expected,
            document=edition.source(HEALTH_URL),
            hint=diagnosis.advice,
            source="health",
            causes=(diagnosis.cause,),
        )
