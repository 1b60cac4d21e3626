"""A valid request gets an answer.

What config.json declares is what callers will send: here requests made from its schema, with values in the middle and
at the edges, and the caller's own samples. A server that fails, hangs or hangs up on one of them fails its callers the
same way.

See the log of the container at such a request (`mooring run IMAGE`, then `mooring curl`), and mend the handler; if the
request is not one that the model should take, say so in the schema.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import VALID, breaks, refuses, there, told
from mooring.checks.rule import INFO, MUST, SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"


def _answered(status: int) -> Calls:
    sent = '{"values": [0, 1]}'
    exchange = Exchange(api="POST /", purpose=Purpose.EXAMPLE, sent=sent, outcome=str(status), status=status)
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-API-02",
    level=MUST,
    good=(Example("200 to a request made from the schema", calls=_answered(200)),),
    bad=(Example("500 to a request made from the schema", calls=_answered(500)),),
)
def valid_request_fails(calls: Calls) -> Iterator[Finding]:
    """One finding for each kind of failure of an api; UNKNOWN where only files of ours were sent, and refused."""
    valid = there(calls, VALID, otherwise="no valid request was made")
    failures: dict[tuple[str, str, Level], Exchange] = {}
    for exchange in valid:
        level = _weight(exchange)
        if level:
            failures.setdefault((exchange.api, exchange.outcome, level), exchange)
    yield from (_finding(exchange, level) for (_, _, level), exchange in failures.items())
    refused = _only_refused(valid)
    if refused and not failures:
        raise NotKnown(f"{told(refused)}; a file that we made up is no fair question, so send your own: --sample")


def _weight(exchange: Exchange) -> Level | None:
    if breaks(exchange):
        # A fault with bytes that are no picture is a fault, but not one that every caller meets.
        edge = exchange.purpose is Purpose.BOUNDARY or (exchange.file_made_up and exchange.status)
        return SHOULD if edge else MUST
    if refuses(exchange) and not exchange.file_made_up:
        return INFO if exchange.purpose is Purpose.BOUNDARY else SHOULD
    return None


def _only_refused(valid: tuple[Exchange, ...]) -> Exchange | None:
    """A refused file of ours whose api took nothing else either."""
    taken = {exchange.api for exchange in valid if exchange.accepted}
    return next((one for one in valid if one.file_made_up and refuses(one) and one.api not in taken), None)


def _finding(exchange: Exchange, level: Level) -> Finding:
    hint = (
        "see the container's log at this request, and mend the handler"
        if breaks(exchange)
        else "narrow the schema in config.json to what the model takes, or let it take this"
    )
    return Finding(
        level=level,
        message=told(exchange),
        expected="an answer of 2xx to a request that is valid by config.json",
        document=DOCUMENT,
        hint=f"{hint}; --sample FIELD=@FILE sends a file of yours" if exchange.file_made_up else hint,
        source=exchange.api,
    )
