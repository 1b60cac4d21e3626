"""The healthy answer has the status that the documents show.

The documents show status 200 with the body {"health": "true"}. Only the status is known to count, and another one of
the 2xx class (204, say) passes some probes and not others. Another body is worth a remark only.

Answer 200, with Content-Type application/json and the body {"health": "true"}.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.trial.sightings import HealthWatch
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import HEALTH_BODY, HEALTH_STATUS
from mooring.engine import Answer
from mooring.engine.probe import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mooring.contract import Edition

SHOWN_CHARACTERS = 100


def _first(status: int, body: str) -> HealthWatch:
    first = Answer(Outcome.ANSWERED, status=status, body=body)
    return HealthWatch(url="/health", declared=True, first=first, content_type="application/json", limit_seconds=3.0)


@rule(
    "RUN-HEALTH-02",
    level=SHOULD,
    facts=(HEALTH_STATUS, HEALTH_BODY),
    good=(Example('200 {"health": "true"}', health=_first(200, '{"health": "true"}'), edition=edition("otc-2022")),),
    bad=(Example("204 without a body", health=_first(204, ""), edition=edition("otc-2022")),),
)
def healthy_answer_differs(health: HealthWatch, edition: Edition) -> Iterator[Finding]:
    """The status first; another body is worth a remark only."""
    if health.command:
        raise NotAsked("health is told by a command, of which only the exit code counts")
    if not health.first.ok:
        raise NotKnown(f"GET {health.url} gave no healthy answer")
    if health.first.status != edition[HEALTH_STATUS]:
        yield Finding(
            message=f"GET {health.url} answers {health.first.status} when it is well",
            expected=f"{edition[HEALTH_STATUS]} {edition[HEALTH_BODY]}",
            document=edition.source(HEALTH_STATUS),
            hint=f"answer {edition[HEALTH_STATUS]} and {edition[HEALTH_BODY]}",
            source="health",
        )
    elif _read(health.first.body) != _read(edition[HEALTH_BODY]):
        yield Finding(
            level=INFO,
            message=f"GET {health.url} answers {health.first.body[:SHOWN_CHARACTERS]!r}",
            expected=f"{edition[HEALTH_BODY]}, as the documents show; only the status is known to count",
            document=edition.source(HEALTH_BODY),
            source="health",
        )


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body
