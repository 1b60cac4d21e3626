"""After SIGTERM it ends within the drain limit.

What has not ended by then is killed, with whatever it is still working on, and until then an upgrade waits for it.

Give everything that the end waits for a limit of its own: the linger, then the requests (`gunicorn
--graceful-timeout`), then exit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.rule import MUST, REAL_TIME, Example, rule
from mooring.checks.trial.sightings import Ending, Termination
from mooring.checks.wish import Wish
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import DRAIN_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_ROLLING = Wish(rolling_upgrade=True)


def _ending(exited: float | None) -> Ending:
    return Ending(
        termination=Termination.CAUGHT,
        in_flight=4,
        in_flight_lost=0,
        arrived=120,
        arrived_lost=0,
        answered_seconds=60.0,
        watched_seconds=90.0,
        watched_whole=True,
        exited_seconds=exited,
    )


@rule(
    "RUN-TERM-04",
    level=MUST,
    kind=REAL_TIME,
    facts=(DRAIN_LIMIT,),
    good=(Example("ended after 62 s", ending=_ending(62.0), edition=edition("otc-2024"), wish=_ROLLING),),
    bad=(Example("ran on after 90 s", ending=_ending(None), edition=edition("otc-2024"), wish=_ROLLING),),
)
def does_not_end(ending: Ending, edition: Edition, wish: Wish) -> Iterator[Finding]:
    """One without a handler cannot end, which another rule tells."""
    if not wish.rolling_upgrade:
        raise NotAsked("asked only of upgrades without interruption (--rolling-upgrade)")
    limit = edition[DRAIN_LIMIT]
    exited = ending.exited_seconds
    if exited is None and ending.termination is Termination.IGNORED:
        raise NotKnown("SIGTERM does not reach it")
    if exited is None and not ending.watched_whole:
        raise NotKnown(f"it was watched for {ending.watched_seconds:.0f} s only; --patient watches it to the end")
    if exited is None or exited > limit:
        when = f"ran on after {ending.watched_seconds:.0f} s" if exited is None else f"ended after {exited:.0f} s"
        yield Finding(
            message=f"after SIGTERM it {when}",
            expected=f"an end within {edition.text(DRAIN_LIMIT)}",
            document=edition.source(DRAIN_LIMIT),
            hint="give what the end waits for a limit (gunicorn --graceful-timeout 30), and exit then",
        )
