"""How requests and their answers are told in findings, and which of them say something about the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotAsked, NotKnown
from mooring.checks.trial.sightings import Purpose

if TYPE_CHECKING:
    from mooring.checks.trial.sightings import Calls, Exchange

VALID = (Purpose.EXAMPLE, Purpose.SAMPLE, Purpose.BOUNDARY)
MISSING = (404, 405)
# What HTTP has for a method that the server does not know, whatever the url.
NOT_IMPLEMENTED = 501
SERVER_ERROR = 500
CLIENT_ERROR = 400
SHOWN_CHARACTERS = 200
WITHOUT_ANSWER = {
    "hung": "gives no answer within {seconds:.0f} s",
    "closed": "closes the connection without an answer",
    "refused": "refuses the connection",
    "garbled": "answers with something that is not HTTP",
}


def telling(calls: Calls) -> tuple[Exchange, ...]:
    """The exchanges without those that got no answer because the container had died, which one rule tells.

    NotAsked when config.json declares no api that could be called.
    """
    if not calls.exchanges:
        raise NotAsked("config.json declares no api that could be called")
    return tuple(exchange for exchange in calls.exchanges if exchange.status or not calls.death)


def missing_apis(exchanges: tuple[Exchange, ...]) -> tuple[str, ...]:
    """The apis that answer 404 or 405 whatever is sent; one that answers anything else once is there."""
    telling = [exchange for exchange in exchanges if exchange.status != NOT_IMPLEMENTED]
    there = {exchange.api for exchange in telling if exchange.status not in MISSING}
    return tuple(dict.fromkeys(exchange.api for exchange in telling if exchange.api not in there))


def there(calls: Calls, purposes: tuple[Purpose, ...], *, otherwise: str) -> tuple[Exchange, ...]:
    """The telling exchanges of those purposes with apis that are there.

    NotKnown when none is left, with the reason: no such api, death, want of time, or `otherwise`.
    """
    exchanges = telling(calls)
    missing = missing_apis(exchanges)
    asked = [exchange for exchange in exchanges if exchange.purpose in purposes]
    found = tuple(exchange for exchange in asked if exchange.api not in missing)
    if not found:
        absent = next((exchange.api for exchange in asked), "")
        raise NotKnown(not_there(absent) if absent else calls.death or calls.cut or otherwise)
    return found


def not_there(api: str) -> str:
    """Why nothing is known of an api that answers as one that does not exist."""
    return f"{api} is not there; RUN-API-01 says more"


def breaks(exchange: Exchange) -> bool:
    """Whether it is the server's failure: a status of 5xx, or no answer at all."""
    return exchange.status >= SERVER_ERROR or exchange.status == 0


def refuses(exchange: Exchange) -> bool:
    """Whether the server says that the request is at fault: a status of 4xx."""
    return CLIENT_ERROR <= exchange.status < SERVER_ERROR


def told(exchange: Exchange) -> str:
    """The exchange in a sentence: `POST / answers 500 to an empty object: Internal Server Error`."""
    if not exchange.status:
        what = WITHOUT_ANSWER.get(exchange.outcome, exchange.outcome).format(seconds=exchange.seconds)
        return f"{exchange.api} {what} to {exchange.sent}"
    body = " ".join(exchange.body.split())[:SHOWN_CHARACTERS]
    return f"{exchange.api} answers {exchange.status} to {exchange.sent}" + (f": {body}" if body else "")
