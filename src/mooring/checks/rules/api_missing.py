"""Every api that config.json declares is there.

Callers are given the urls and methods of config.json. One that the server does not know answers 404, or 405 when only
the method differs, to everybody and for ever.

Write the same path in config.json and in the server's route, with the same method and the same slash at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.exchanges import missing_apis, telling
from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

# A clause without a number, and so no fact of an edition: it is the same in all of them.
DOCUMENT = "modelarts_23_0219"


def _answered(status: int) -> Calls:
    sent = "the text 'x' for images"
    exchange = Exchange(api="POST /", purpose=Purpose.EXAMPLE, sent=sent, outcome=str(status), status=status)
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-API-01",
    level=MUST,
    good=(Example("POST / answers 200", calls=_answered(200)),),
    bad=(Example("POST / answers 404", calls=_answered(404)),),
)
def api_missing(calls: Calls) -> Iterator[Finding]:
    """Missing is what answers 404 or 405 to everything."""
    exchanges = telling(calls)
    for api in missing_apis(exchanges):
        status = next(exchange.status for exchange in exchanges if exchange.api == api)
        yield Finding(
            message=f"{api} answers {status} to everything that was sent",
            expected="a server that knows each url and method of config.json",
            document=DOCUMENT,
            hint="compare the url and method in config.json with the server's routes, and mind a slash at the end",
            source=api,
        )
