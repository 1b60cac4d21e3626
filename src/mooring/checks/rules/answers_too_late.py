"""The slowest answer comes well before the gateway gives up.

The gateway waits for an answer for a fixed time and then tells the caller that it timed out; the model goes on working
on an answer that nobody will read.

Make the prediction faster: a smaller model, fewer steps, batches of another size, another instance. What must take
longer is a job for a batch service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import there
from mooring.checks.rule import MUST, REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import PREDICT_TIME_LIMIT, SYNC_TIME_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

# Nodes differ, and what takes this share of the limit here may take all of it there.
NEAR = 0.75


def _answered(seconds: float) -> Calls:
    exchange = Exchange(
        api="POST /", purpose=Purpose.EXAMPLE, sent="an example", outcome="200", status=200, seconds=seconds
    )
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-TIME-01",
    level=MUST,
    kind=REAL_TIME,
    facts=(PREDICT_TIME_LIMIT, SYNC_TIME_LIMIT),
    good=(Example("the slowest answer took 0.2 s", calls=_answered(0.2), edition=edition("otc-2024")),),
    bad=(Example("the slowest answer took 48 s", calls=_answered(48.0), edition=edition("otc-2024")),),
)
def answers_too_late(calls: Calls, edition: Edition) -> Iterator[Finding]:
    """The smaller of the limits that are stated; close to it weighs less."""
    fact = min(
        (one for one in (PREDICT_TIME_LIMIT, SYNC_TIME_LIMIT) if one in edition),
        key=edition.__getitem__,
        default=PREDICT_TIME_LIMIT,
    )
    limit = edition[fact]
    asked = there(calls, tuple(Purpose), otherwise="no request was answered")
    answered = [exchange for exchange in asked if exchange.status]
    if not answered:
        raise NotKnown("no request was answered")
    slowest = max(answered, key=lambda exchange: exchange.seconds)
    if slowest.seconds > NEAR * limit:
        yield Finding(
            level=MUST if slowest.seconds > limit else SHOULD,
            message=f"{slowest.api} took {slowest.seconds:.1f} s to answer {slowest.sent}",
            expected=f"every answer within {edition.text(fact)}, on slower nodes too",
            document=edition.source(fact),
            hint="make the prediction faster, or offer it as a batch service",
            source=slowest.api,
        )
