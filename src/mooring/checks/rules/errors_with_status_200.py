"""What fails does not answer 200.

Callers, gateways, metrics and batch runs go by the status. An error told with status 200 is a success to all of them:
it is stored as a result, counted as one, and never tried again.

Answer 400 for what is wrong with the request and 500 for what is wrong with the model, each with a reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import VALID, there, told
from mooring.checks.rule import INFO, SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "modelarts_23_0219"
TELLS_OF_FAILURE = re.compile(
    r"\berror|exception|traceback|\bfail(?:ed|ure)?\b|\binvalid\b|\bmissing\b|cannot|could not|not found", re.IGNORECASE
)
# `"error": null` says that there is none.
NO_FAILURE = re.compile(
    r'"\w*(?:error|exception|fail|missing|invalid)\w*"\s*:\s*(?:null|false|0|""|\[\]|\{\})(?=\s*[,}])', re.IGNORECASE
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
    """An answer of 2xx that tells of a failure; being lenient with a wrong request is worth a remark only."""
    asked = there(calls, (*VALID, Purpose.INVALID), otherwise="no request could be made from config.json")
    usual = {exchange.api for exchange in asked if exchange.purpose in VALID and exchange.faults}
    failing = [exchange for exchange in asked if _tells_of_failure(exchange, usual)]
    lenient = [one for one in asked if one.purpose is Purpose.INVALID and one.accepted and one not in failing]
    if not failing and all(exchange.purpose is not Purpose.INVALID for exchange in asked):
        raise NotKnown(calls.death or calls.cut or "no invalid request could be made from config.json")
    told_apis = set()
    for exchange in (*failing, *lenient):
        if exchange.api not in told_apis:
            told_apis.add(exchange.api)
            yield _finding(exchange, failure=exchange in failing)


def _finding(exchange: Exchange, *, failure: bool) -> Finding:
    wrong = exchange.purpose is Purpose.INVALID
    return Finding(
        level=SHOULD if failure else INFO,
        message=told(exchange) + ("" if failure else "; it takes more than config.json allows"),
        expected="a status of 4xx for a request that is not as config.json declares"
        if wrong
        else "a status of 4xx or 5xx for what failed, and 2xx for a result",
        document=DOCUMENT,
        hint="check requests by the schema, or widen the schema"
        if not failure
        else f"answer {'400' if wrong else '400 or 500'} with the reason",
        source=exchange.api,
    )


def _tells_of_failure(exchange: Exchange, usual: set[str]) -> bool:
    """By its words, or by not being as declared where the answers to valid requests are.

    A valid request may be answered with any words, so there it takes both: words of failure, and not as declared.
    """
    words = bool(TELLS_OF_FAILURE.search(NO_FAILURE.sub("", exchange.body)))
    if exchange.purpose in VALID:
        return exchange.accepted and words and bool(exchange.faults)
    odd = bool(exchange.faults) and exchange.api not in usual
    return exchange.accepted and (odd or words)
