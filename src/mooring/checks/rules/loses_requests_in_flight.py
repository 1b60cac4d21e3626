"""Requests that are being worked on when SIGTERM comes are answered.

Instances are ended at every upgrade, when fewer are wanted, and when a node is emptied. A server that exits at once
cuts off everybody who is waiting for it.

On SIGTERM stop taking new work only after the linger, finish what there is, then exit: `gunicorn --graceful-timeout
90`; in your own code a handler that calls the server's shutdown from another thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.rule import MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import Ending, Termination
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import DRAIN_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


def _ending(lost: int) -> Ending:
    return Ending(
        termination=Termination.CAUGHT,
        in_flight=4,
        in_flight_lost=lost,
        arrived=0,
        arrived_lost=0,
        answered_seconds=0.0,
        watched_seconds=3.0,
        watched_whole=True,
        exited_seconds=3.0,
        exit_code=0,
    )


@rule(
    "RUN-TERM-02",
    level=SHOULD,
    rolling=MUST,
    facts=(DRAIN_LIMIT,),
    good=(Example("4 requests in flight, 4 answered", ending=_ending(0), edition=edition("otc-2024")),),
    bad=(Example("4 requests in flight, none answered", ending=_ending(4), edition=edition("otc-2024")),),
)
def loses_requests_in_flight(ending: Ending, edition: Edition) -> Iterator[Finding]:
    """Only those sent before the signal."""
    if not ending.in_flight:
        raise NotKnown("no request was in flight when SIGTERM was sent")
    if ending.in_flight_lost:
        when = "" if ending.exited_seconds is None else f"; it ended {ending.exited_seconds:.1f} s after the signal"
        yield Finding(
            message=f"{ending.in_flight_lost} of {ending.in_flight} requests in flight at SIGTERM got no answer{when}",
            expected="an answer to every request that was taken before it ends",
            document=edition.source(DRAIN_LIMIT) if DRAIN_LIMIT in edition else "",
            hint="on SIGTERM let the server finish what it works on, then exit (gunicorn --graceful-timeout 90)",
        )
