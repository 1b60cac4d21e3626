"""Answers are what config.json declares.

The declared response is what callers write their programs against, what the console shows, and what a batch run reads.
Most config.json in the wild declare an answer that the code never gives: another content type, another name.

Declare what the server answers: its content type, and the names and types of its fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.evidence import NotKnown
from mooring.checks.exchanges import VALID, there
from mooring.checks.rule import SHOULD, Example, rule
from mooring.checks.trial.sightings import Calls, Exchange, Purpose
from mooring.contract import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = "inference-modelarts-0056"
SHOWN_FAULTS = 3
SHOWN_CHARACTERS = 200


def _answered(*faults: str) -> Calls:
    exchange = Exchange(
        api="POST /",
        purpose=Purpose.EXAMPLE,
        sent="the text 'x' for images",
        outcome="200",
        status=200,
        content_type="application/json",
        body='{"mnist_result": 7}',
        faults=faults,
    )
    return Calls(exchanges=(exchange,))


@rule(
    "RUN-API-03",
    level=SHOULD,
    good=(Example('"mnist_result": {"type": "integer"}, and {"mnist_result": 7}', calls=_answered()),),
    bad=(
        Example(
            '"predicted_label": {"type": "string"} required, and {"mnist_result": 7}',
            calls=_answered("predicted_label is required, and missing"),
        ),
    ),
)
def answer_not_as_declared(calls: Calls) -> Iterator[Finding]:
    """One finding an api, with the first faults of its answers to valid requests."""
    valid = there(calls, VALID, otherwise="no valid request was made")
    accepted = [one for one in valid if one.accepted]
    if not accepted:
        raise NotKnown("no valid request was answered with 2xx")
    for api in dict.fromkeys(exchange.api for exchange in accepted):
        wrong = [exchange for exchange in accepted if exchange.api == api and exchange.faults]
        if wrong:
            faults = list(dict.fromkeys(fault for exchange in wrong for fault in exchange.faults))
            body = " ".join(wrong[0].body.split())[:SHOWN_CHARACTERS]
            yield Finding(
                message=f"{api} answers {body}: {'; '.join(faults[:SHOWN_FAULTS])}",
                expected="the content type and the fields that config.json declares as response",
                document=DOCUMENT,
                hint="declare what the server answers in config.json, or answer what is declared",
                source=api,
            )
