"""What fails does not answer 200.

Callers, gateways, metrics and batch runs go by the status. An error told with status 200 is a success to all of them:
it is stored as a result, counted as one, and never tried again.

Answer 400 for what is wrong with the request and 500 for what is wrong with the model, each with a reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import VALID, telling, told
from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"
TELLS_OF_FAILURE = re.compile(
    r"\berror|exception|traceback|\bfail(?:ed|ure)?\b|\binvalid\b|\bmissing\b|cannot|could not|not found", re.IGNORECASE
)


def _answered(status: int, body: str) -> Calls:
    exchange = Exchange(
        api="POST /",
        purpose=Purpose.INVALID,
        sent="a body that is no JSON",
        outcome=str(status),
        status=status,
        body=body,
    )
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-API-05",
    level=SHOULD,
    good=(Example("400 and a reason to a body that is no JSON", calls=_answered(400, '{"error": "no JSON"}')),),
    bad=(Example('200 {"error": "no JSON"} to a body that is no JSON', calls=_answered(200, '{"error": "no JSON"}')),),
)
def errors_with_status_200(calls: Calls) -> Iterator[Finding]:
    """An answer of 2xx to a wrong request that tells of a failure; being lenient is worth a remark only."""
    exchanges = telling(calls)
    wrong = [exchange for exchange in exchanges if exchange.purpose is Purpose.INVALID]
    if not wrong:
        raise NotKnown("no invalid request could be made from config.json")
    usual = {exchange.api for exchange in exchanges if exchange.purpose in VALID and exchange.faults}
    told_apis = set()
    for exchange in sorted(wrong, key=lambda one: not _tells_of_failure(one, usual)):
        if not exchange.accepted or exchange.api in told_apis:
            continue
        told_apis.add(exchange.api)
        failure = _tells_of_failure(exchange, usual)
        yield Finding(
            level=SHOULD if failure else INFO,
            message=told(exchange) + ("" if failure else "; it takes more than config.json allows"),
            expected="a status of 4xx for a request that is not as config.json declares",
            document=DOCUMENT,
            hint="answer 400 with the reason" if failure else "check requests by the schema, or widen the schema",
            source=exchange.api,
        )


def _tells_of_failure(exchange: Exchange, usual: set[str]) -> bool:
    """By its words, or by not being as declared where the answers to valid requests are."""
    odd = bool(exchange.faults) and exchange.api not in usual
    return exchange.accepted and (odd or bool(TELLS_OF_FAILURE.search(exchange.body)))
