"""After SIGTERM it goes on answering until nobody calls it any more.

In an upgrade the signal reaches the container before every caller knows that it is going. The documents ask for a
linger in which new requests are still answered, or for every request that came to be finished before it ends.

On SIGTERM go on serving for the linger, then finish and exit. In a start script: `trap 'sleep 60; kill -TERM "$pid";
wait "$pid"' TERM; gunicorn app:app & pid=$!; wait "$pid"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.rule import INFO, MUST, REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import Ending, Termination
from mooring.checks.wish import Wish
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import LINGER_AFTER_SIGTERM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition, Level

_ROLLING = Wish(rolling_upgrade=True)
# Between its last answer and its end a server may close down for so long.
CLOSING_SECONDS = 2.0


def _ending(lost: int, answered: float) -> Ending:
    return Ending(
        termination=Termination.CAUGHT,
        in_flight=4,
        in_flight_lost=0,
        arrived=120,
        arrived_lost=lost,
        answered_seconds=answered,
        watched_seconds=90.0,
        watched_whole=True,
        exited_seconds=62.0,
        exit_code=0,
    )


@rule(
    "RUN-TERM-03",
    level=MUST,
    kind=REAL_TIME,
    facts=(LINGER_AFTER_SIGTERM,),
    good=(
        Example(
            "120 requests in 60 s after SIGTERM, all answered",
            ending=_ending(0, 60.0),
            edition=edition("otc-2024"),
            wish=_ROLLING,
        ),
    ),
    bad=(
        Example(
            "it closes its port at SIGTERM, and ends a minute later",
            ending=_ending(118, 0.2),
            edition=edition("otc-2024"),
            wish=_ROLLING,
        ),
    ),
)
def stops_answering_too_soon(ending: Ending, edition: Edition, wish: Wish) -> Iterator[Finding]:
    """To end early is allowed to who answers all it took; requests refused while it closes down weigh less."""
    if not wish.rolling_upgrade:
        raise NotAsked("asked only of upgrades without interruption (--rolling-upgrade)")
    linger = edition[LINGER_AFTER_SIGTERM]
    if ending.arrived_lost:
        yield _lost(ending, edition)
    elif ending.exited_seconds is not None and ending.exited_seconds < linger:
        yield _remark(
            f"it ended {ending.exited_seconds:.1f} s after SIGTERM, with all that it had taken answered; "
            "what is sent to it later reaches nobody",
            "that is allowed",
            edition,
        )
    elif ending.exited_seconds is None and not ending.arrived:
        raise NotKnown("no request was sent after SIGTERM")
    elif ending.exited_seconds is None and ending.watched_seconds < linger:
        yield _remark(
            f"it answered all {ending.arrived} requests of the {ending.watched_seconds:.0f} s it was watched",
            "that it goes on is inferred",
            edition,
        )


def _remark(seen: str, judged: str, edition: Edition) -> Finding:
    return Finding(
        level=INFO,
        message=seen,
        expected=f"answers for {edition.text(LINGER_AFTER_SIGTERM)} after SIGTERM; {judged}",
        document=edition.source(LINGER_AFTER_SIGTERM),
    )


def _lost(ending: Ending, edition: Edition) -> Finding:
    level: Level = MUST
    end = ""
    if ending.exited_seconds is not None:
        end = f" and ended after {ending.exited_seconds:.1f} s"
        closing = ending.exited_seconds - ending.answered_seconds
        finished = closing <= CLOSING_SECONDS and ending.arrived_refused == ending.arrived_lost
        level = SHOULD if finished else MUST
    return Finding(
        level=level,
        message=f"it answered new requests for {ending.answered_seconds:.1f} s after SIGTERM{end}; "
        f"{ending.arrived_lost} of {ending.arrived} got no answer",
        expected=f"answers for {edition.text(LINGER_AFTER_SIGTERM)} after SIGTERM",
        document=edition.source(LINGER_AFTER_SIGTERM),
        hint=f"on SIGTERM go on serving for {edition[LINGER_AFTER_SIGTERM]} s before the server is stopped",
    )
