"""It speaks the protocol that config.json declares.

Callers always see https, for the gateway adds it. Between the gateway and the container the declared protocol is
spoken; when the container speaks the other one, every call ends with ModelArts.4503 and the words "SSL error".

Serve plain http and declare `"protocol": "http"`. Only if the container itself holds a certificate, declare "https".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.blame import diagnosis_for
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import SERVICE_PROTOCOLS
from mooring.engine import Diagnosis

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_TLS = Diagnosis(
    cause="speaks-https",
    seen="port 8080 speaks TLS (https)",
    expected="plain http, as config.json declares",
    advice='serve plain http, or declare "protocol": "https" for each api',
    log_tail=(),
)


@rule(
    "RUN-PROTO-01",
    level=MUST,
    facts=(SERVICE_PROTOCOLS,),
    good=(
        Example(
            '"protocol": "http", and http on port 8080',
            start=Start(command=("sh", "/home/run.sh"), ready=True, seconds=2.1, spoken="http"),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            '"protocol": "http", and https on port 8080',
            start=Start(command=("sh", "/home/run.sh"), ready=False, seconds=60.0, diagnosis=_TLS, spoken="https"),
            edition=edition("otc-2022"),
        ),
    ),
)
def speaks_another_protocol(start: Start, edition: Edition) -> Iterator[Finding]:
    """By what the port was found to speak, and else by the diagnosis."""
    diagnosis = diagnosis_for("RUN-PROTO-01", start)
    if not diagnosis:
        return
    differs = start.spoken and start.spoken != start.declared_protocol
    yield Finding(
        message=f"port {start.port} speaks {start.spoken}, and config.json declares {start.declared_protocol}"
        if differs
        else diagnosis.seen,
        expected=f"{start.declared_protocol} on port {start.port}, as declared",
        document=edition.source(SERVICE_PROTOCOLS),
        hint=f'declare "protocol": "{start.spoken}" for each api in config.json, or serve {start.declared_protocol}'
        if differs
        else diagnosis.advice,
        source=" ".join(start.command),
        causes=(diagnosis.cause,),
    )
