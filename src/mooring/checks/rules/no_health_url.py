"""It has a health url, also where none is required.

Without one the platform sends requests as soon as the container runs, though the model may still load, and an upgrade
without interruption is not offered at all.

Serve GET /health with 200 and {"health": "true"}, and declare it in config.json: `"health": {"url": "/health"}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked
from mooring.checks.rule import MUST, REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import HealthWatch
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import HEALTH_REQUIRED_FOR_ROLLING, HEALTH_URL
from mooring.engine import Answer
from mooring.engine.probe import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


def _answering(status: int) -> HealthWatch:
    first = Answer(Outcome.ANSWERED, status=status)
    return HealthWatch(url="/health", declared=False, first=first, content_type="", limit_seconds=3.0)


@rule(
    "RUN-HEALTH-05",
    level=SHOULD,
    rolling=MUST,
    kind=REAL_TIME,
    facts=(HEALTH_URL, HEALTH_REQUIRED_FOR_ROLLING),
    good=(Example("GET /health answers 200", health=_answering(200), edition=edition("otc-2024")),),
    bad=(Example("GET /health answers 404", health=_answering(404), edition=edition("otc-2024")),),
)
def no_health_url(health: HealthWatch, edition: Edition) -> Iterator[Finding]:
    """What is required and missing never gets as far as this."""
    if health.command:
        raise NotAsked("health is told by a command")
    if health.first.ok:
        return
    said = str(health.first.status) if health.first.status else health.first.outcome.value
    fact = HEALTH_REQUIRED_FOR_ROLLING if HEALTH_REQUIRED_FOR_ROLLING in edition else HEALTH_URL
    yield Finding(
        message=f"it works without a health check: GET {health.url} answers {said}",
        expected=f"200 from GET {health.url}; upgrades without interruption need it",
        document=edition.source(fact),
        hint='serve that url, and declare it in config.json: "health": {"url": "/health"}',
        source="health",
        causes=("no-health-check",),
    )
