"""Health answers 200 only when the apis work.

From the first healthy answer on requests are sent. A server whose health is well while the model still loads loses the
requests of that time, at every start and with every new instance, and an upgrade moves traffic to it too soon.

Answer 503 on the health url until the model is loaded: load first and listen then, or keep a flag that loading sets at
its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import HealthWatch
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import HEALTH_STATUS
from mooring.engine import Answer
from mooring.engine.probe import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


def _watched(premature: float, answer: str) -> HealthWatch:
    first = Answer(Outcome.ANSWERED, status=200, body='{"health": "true"}')
    return HealthWatch(
        url="/health",
        declared=True,
        first=first,
        content_type="application/json",
        limit_seconds=3.0,
        premature_seconds=premature,
        premature_answer=answer,
    )


@rule(
    "RUN-HEALTH-03",
    level=SHOULD,
    rolling=MUST,
    facts=(HEALTH_STATUS,),
    good=(Example("POST / works at the first healthy answer", health=_watched(0.0, ""), edition=edition("otc-2022")),),
    bad=(
        Example(
            "POST / answers 503 for 4 s after the first healthy answer",
            health=_watched(4.0, "POST / answers 503: loading"),
            edition=edition("otc-2022"),
        ),
    ),
)
def healthy_too_early(health: HealthWatch, edition: Edition) -> Iterator[Finding]:
    """By what the apis said right after the first healthy answer."""
    if health.premature_seconds > 0:
        yield Finding(
            message=f"{health.question} says that it is well {health.premature_seconds:.1f} s before the apis work; "
            f"until then: {health.premature_answer}",
            expected="another exit code than 0 while it cannot serve"
            if health.command
            else "an error status while it cannot serve",
            document=edition.source(HEALTH_STATUS),
            hint="let the health command fail until the model is loaded"
            if health.command
            else "answer 503 on the health url until the model is loaded",
            source="health",
        )
