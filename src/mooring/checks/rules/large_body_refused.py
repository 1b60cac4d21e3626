"""A body just under the gateway's limit is taken.

The gateway lets bodies through up to its limit, and callers are told that number. Servers have limits of their own,
often much smaller: 1 MB in nginx, 500 KB for a form field in some frameworks, 4 MB in others.

Raise the server's limit to the gateway's or above: `client_max_body_size 12m;` in nginx, MAX_CONTENT_LENGTH in Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import SERVER_ERROR, missing_apis, not_there, telling, told
from mooring.checks.rule import MUST, REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import Bodies, Calls, Exchange, Purpose
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import BODY_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

TOO_LARGE = 413


def _exchange(status: int, purpose: Purpose = Purpose.SIZE) -> Exchange:
    return Exchange(api="POST /", purpose=purpose, sent="a body of 11.9 MB", outcome=str(status), status=status)


_CALLS = Calls(exchanges=(_exchange(200, Purpose.EXAMPLE),))


def _bodies(status: int) -> Bodies:
    return Bodies(limit_bytes=12 << 20, under=_exchange(status), over=None, alive_after=True)


@rule(
    "RUN-BODY-01",
    level=MUST,
    kind=REAL_TIME,
    facts=(BODY_LIMIT,),
    good=(
        Example("200 to a body of 11.9 MB", bodies=_bodies(200), calls=_CALLS, edition=edition("otc-2022")),
        Example("400 to one that is no picture", bodies=_bodies(400), calls=_CALLS, edition=edition("otc-2022")),
    ),
    bad=(Example("413 to a body of 11.9 MB", bodies=_bodies(413), calls=_CALLS, edition=edition("otc-2022")),),
)
def large_body_refused(bodies: Bodies, calls: Calls, edition: Edition) -> Iterator[Finding]:
    """A polite 413 weighs less than a server that breaks; one that breaks at small bodies too is told elsewhere."""
    under = bodies.under
    if under is None:
        raise NotKnown("no api of config.json takes a body")
    if under.api in missing_apis(telling(calls)):
        raise NotKnown(not_there(under.api))
    small = {exchange.outcome for exchange in telling(calls) if exchange.api == under.api}
    dead = not bodies.alive_after and (bodies.over is None or not bodies.over.status) and not under.status
    if not dead and under.outcome in small:
        return
    if dead or not under.status or under.status == TOO_LARGE or under.status >= SERVER_ERROR:
        yield Finding(
            level=MUST if dead or under.outcome == "hung" else SHOULD,
            message=told(under) + (", and the container ended" if dead else ""),
            expected=f"a server that takes what the gateway lets through, {edition.text(BODY_LIMIT)}",
            document=edition.source(BODY_LIMIT),
            hint="raise the server's own limit (client_max_body_size 12m; in nginx, MAX_CONTENT_LENGTH in Flask)"
            if under.status == TOO_LARGE
            else "see the container's log at this request, and its memory",
            source=under.api,
        )
