"""Health answers in time while requests are being worked on.

The probes go on while the model predicts. A server that answers one thing at a time leaves them waiting behind a slow
prediction; they count as failed, and a busy instance is restarted because it is busy. A health command is run meanwhile
just the same. That is a must where config.json declares the health check; where it does not, nobody may be asking, and
it is a should.

Predict in another thread or process than the one that answers health: more threads (`gunicorn --threads 4`), a plain
`def` instead of `async def` in FastAPI, or a worker process as mooring-serve has. Let a health command ask for nothing
that waits for a prediction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import HealthWatch
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import HEALTH_STATUS
from mooring.engine import Answer
from mooring.engine.probe import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


def _busy(late: int, slowest: float, *, failed: int = 0, command: str = "") -> HealthWatch:
    first = Answer(Outcome.ANSWERED, status=200, body='{"health": "true"}')
    return HealthWatch(
        url="/health",
        declared=True,
        first=first,
        content_type="application/json",
        limit_seconds=3.0,
        busy_asked=6,
        busy_late=late,
        busy_failed=failed,
        busy_slowest_seconds=slowest,
        command=command,
    )


@rule(
    "RUN-HEALTH-04",
    level=MUST,
    facts=(HEALTH_STATUS,),
    good=(Example("answers within 0.02 s at any time", health=_busy(0, 0.02), edition=edition("otc-2022")),),
    bad=(
        Example("waits 7 s behind a prediction", health=_busy(2, 7.0), edition=edition("otc-2022")),
        Example(
            "test ! -e /tmp/busy, as its health command",
            health=_busy(0, 0.1, failed=2, command="test ! -e /tmp/busy"),
            edition=edition("otc-2022"),
        ),
    ),
)
def health_blocked_while_busy(health: HealthWatch, edition: Edition) -> Iterator[Finding]:
    """Graver where config.json declares the check, and with it how long the platform waits."""
    if not health.busy_asked:
        raise NotKnown("health was not asked during a call")
    if not health.busy_late and not health.busy_failed:
        return
    by_command = bool(health.command)
    what, failed = ("runs", "failed") if by_command else ("answers", "were no 2xx")
    how = [
        f"{health.busy_late} came later than {health.limit_seconds:g} s" if health.busy_late else "",
        f"{health.busy_failed} {failed}" if health.busy_failed else "",
    ]
    well = "exit code 0" if by_command else edition[HEALTH_STATUS]
    yield Finding(
        level=MUST if health.declared else SHOULD,
        message=f"of {health.busy_asked} {what} of {health.question} during calls {' and '.join(filter(None, how))}; "
        f"the slowest took {health.busy_slowest_seconds:.1f} s",
        expected=f"{well} within {health.limit_seconds:g} s at any time, also while it predicts",
        document=edition.source(HEALTH_STATUS),
        hint="let the command succeed while the model can be called, and ask for nothing that waits for a prediction"
        if by_command
        else "predict in another thread or process than the one that answers health (gunicorn --threads 4; "
        "in FastAPI a plain def)",
        source="health",
    )
