"""A wrong request does not break the server.

Callers make mistakes. 4xx with a reason tells them so; a 5xx tells them, and whoever watches the service, that the
model is broken, and a hang or a lost connection tells nothing and holds a worker meanwhile. What it answers instead is
not judged here: to be lenient with a wrong request breaks nothing.

Check the request before it is used and answer 400 with what was expected. mooring-serve does so from config.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import NOT_IMPLEMENTED, VALID, breaks, telling, there, told
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"


def _answered(status: int) -> Calls:
    sent = "a body that is no JSON"
    exchange = Exchange(api="POST /", purpose=Purpose.INVALID, sent=sent, outcome=str(status), status=status)
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-API-04",
    level=SHOULD,
    good=(Example("400 to a body that is no JSON", calls=_answered(400)),),
    bad=(Example("500 to a body that is no JSON", calls=_answered(500)),),
)
def bad_request_breaks_it(calls: Calls) -> Iterator[Finding]:
    """One finding for each kind of failure of an api; an api that fails for valid requests too is not judged here."""
    wrong = there(calls, (Purpose.INVALID,), otherwise="no invalid request could be made from config.json")
    always = {exchange.api for exchange in wrong} - _sound(telling(calls))
    failures: dict[tuple[str, str], Exchange] = {}
    for exchange in wrong:
        if _breaks(exchange) and exchange.api not in always:
            failures.setdefault((exchange.api, exchange.outcome), exchange)
    if always and not failures:
        raise NotKnown(f"{min(always)} fails for valid requests too")
    for exchange in failures.values():
        yield Finding(
            message=told(exchange),
            expected="a status of 4xx that says what is wrong with the request",
            document=DOCUMENT,
            hint="check the request before it is used, and answer 400 with a reason",
            source=exchange.api,
        )


def _breaks(exchange: Exchange) -> bool:
    return breaks(exchange) and exchange.status != NOT_IMPLEMENTED


def _sound(exchanges: tuple[Exchange, ...]) -> set[str]:
    """The apis that answer at least one valid request, be it with a refusal, or were sent none."""
    valid = [exchange for exchange in exchanges if exchange.purpose in VALID]
    answered = {exchange.api for exchange in valid if not breaks(exchange)}
    return answered | ({exchange.api for exchange in exchanges} - {exchange.api for exchange in valid})
