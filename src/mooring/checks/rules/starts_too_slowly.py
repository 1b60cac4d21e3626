"""It is ready well before its health check gives it up.

The platform waits for the initial delay, then asks the health url every few seconds, and takes the instance for broken
after so many failures in a row. A model that loads longer than that is restarted while it loads, again and again.

Declare the time that loading takes, with a margin for slower nodes, in config.json: `"health": {"url": "/health",
"initial_delay_seconds": "60", "timeout_seconds": "3"}`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mooring.checks.rule import REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.blame import require_ready
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, ModelConfig, edition
from mooring.contract.vocabulary import HEALTH_FAILURE_THRESHOLD, HEALTH_INITIAL_DELAY, HEALTH_PERIOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

# Where an edition states no numbers, those that the others agree on.
UNSTATED_PERIOD, UNSTATED_FAILURES = 5, 12
# Pulling, cold disks and busy nodes make what takes half of the time here take all of it there.
NEAR = 0.5
MARGIN = 1.5
_PATIENT = ModelConfig.parse(b'{"apis": [], "health": {"url": "/health", "initial_delay_seconds": "120"}}')
_SILENT = ModelConfig.parse(b'{"apis": []}')


@rule(
    "RUN-START-02",
    level=SHOULD,
    kind=REAL_TIME,
    facts=(HEALTH_INITIAL_DELAY, HEALTH_PERIOD, HEALTH_FAILURE_THRESHOLD),
    good=(
        Example(
            '"initial_delay_seconds": "120", and ready after 65 s',
            start=Start(command=("sh", "/home/run.sh"), ready=True, seconds=65.0),
            config=_PATIENT,
            edition=edition("otc-2024"),
        ),
    ),
    bad=(
        Example(
            "no initial delay, and ready after 65 s",
            start=Start(command=("sh", "/home/run.sh"), ready=True, seconds=65.0),
            config=_SILENT,
            edition=edition("otc-2024"),
        ),
    ),
)
def starts_too_slowly(start: Start, config: ModelConfig, edition: Edition) -> Iterator[Finding]:
    """Against the declared numbers, and the edition's where none are."""
    require_ready(start)
    borne = _borne_seconds(config, edition)
    if start.seconds > NEAR * borne:
        wanted = math.ceil(start.seconds * MARGIN / 10) * 10
        yield Finding(
            message=f"it was ready {start.seconds:.0f} s after its start; its health check bears {borne:.0f} s, "
            "and nodes differ",
            expected="a healthy answer well before the probes count it as failed",
            document=edition.source(HEALTH_INITIAL_DELAY) if HEALTH_INITIAL_DELAY in edition else "",
            hint=f'say so in config.json: "health": {{"url": "/health", "initial_delay_seconds": "{wanted}"}}',
            source="health",
        )


def _borne_seconds(config: ModelConfig, edition: Edition) -> float:
    health = config.health
    delay = health.initial_delay_seconds if health else None
    period = health.period_seconds if health else None
    failures = health.failure_threshold if health else None
    return float(
        (edition.get(HEALTH_INITIAL_DELAY, 0) if delay is None else delay)
        + (edition.get(HEALTH_PERIOD, UNSTATED_PERIOD) if period is None else period)
        * (edition.get(HEALTH_FAILURE_THRESHOLD, UNSTATED_FAILURES) if failures is None else failures)
    )
