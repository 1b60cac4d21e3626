"""It survives a body that is too large.

The gateway refuses what is over its limit, but not every way to a container leads through it, and limits change. A
server that reads whatever comes can be ended by one request.

Refuse with 413 before the body is read: most servers do once a limit is set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import missing_apis, not_there, telling, told
from mooring.checks.rule import REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import Bodies, Calls, Exchange, Purpose
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition


def _exchange(sent: str, status: int) -> Exchange:
    outcome = str(status) if status else "hung"
    return Exchange(api="POST /", purpose=Purpose.SIZE, sent=sent, outcome=outcome, status=status, seconds=30.0)


_CALLS = Calls(exchanges=(_exchange("an example", 200),))


def _bodies(over: int) -> Bodies:
    return Bodies(
        limit_bytes=12 << 20,
        under=_exchange("a body of 11.9 MB", 200),
        over=_exchange("a body of 12.1 MB", over),
        alive_after=True,
    )


@rule(
    "RUN-BODY-02",
    level=SHOULD,
    kind=REAL_TIME,
    facts=(BODY_LIMIT,),
    good=(Example("413 to a body of 12.1 MB", bodies=_bodies(413), calls=_CALLS, edition=edition("otc-2022")),),
    bad=(Example("no answer to a body of 12.1 MB", bodies=_bodies(0), calls=_CALLS, edition=edition("otc-2022")),),
)
def too_large_body_breaks_it(bodies: Bodies, calls: Calls, edition: Edition) -> Iterator[Finding]:
    """To close the connection on it is as good as a 413; to hang or to die is not."""
    over = bodies.over
    if over is None:
        raise NotKnown("no api of config.json takes a body")
    if over.api in missing_apis(telling(calls)):
        raise NotKnown(not_there(over.api))
    if bodies.under and not bodies.under.status:
        raise NotKnown("it breaks at a smaller body already")
    if over.outcome in {
        exchange.outcome for exchange in telling(calls) if exchange.api == over.api and not over.status
    }:
        return
    if over.outcome == "hung" or not bodies.alive_after:
        yield Finding(
            message=told(over) + ("" if bodies.alive_after else ", and the container ended"),
            expected=f"413, or a closed connection, for what is larger than {edition.text(BODY_LIMIT)}",
            document=edition.source(BODY_LIMIT),
            hint="set the server's limit for bodies, so that it refuses them before it reads them",
            source=over.api,
        )
