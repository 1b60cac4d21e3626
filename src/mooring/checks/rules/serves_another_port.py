"""It serves on the port that the platform calls.

The platform sends requests and probes to one port. A server on another one runs, logs nothing wrong, and is never
reached: the service stays in deploying and then fails.

Start the server on that port (`uvicorn --port 8080`, `gunicorn -b 0.0.0.0:8080`, `flask run --port 8080`). Frameworks'
own defaults are others: 8000 for uvicorn, gunicorn and vLLM, 5000 for Flask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.blame import diagnosis_for
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import SERVICE_PORT, SERVICE_PORT_CHOICE
from mooring.engine import Diagnosis, Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_ELSEWHERE = Diagnosis(
    cause="listens-on-another-port",
    seen="it listens on 0.0.0.0:8000, and not on port 8080",
    expected="a server on 0.0.0.0:8080",
    advice="start the server on port 8080",
    log_tail=(),
)


@rule(
    "RUN-PORT-01",
    level=MUST,
    facts=(SERVICE_PORT, SERVICE_PORT_CHOICE),
    good=(
        Example(
            'CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8080"]',
            start=Start(command=("uvicorn",), ready=True, seconds=2.1),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            'CMD ["uvicorn", "app:app", "--host", "0.0.0.0"]',
            start=Start(
                command=("uvicorn",),
                ready=False,
                seconds=60.0,
                diagnosis=_ELSEWHERE,
                listeners=(Listener(8000, "0.0.0.0"),),  # noqa: S104 - what was seen
            ),
            edition=edition("otc-2022"),
        ),
    ),
)
def serves_another_port(start: Start, edition: Edition) -> Iterator[Finding]:
    """What answers on the port is on the port; else the sockets tell."""
    diagnosis = diagnosis_for("RUN-PORT-01", start)
    if diagnosis:
        ports = ", ".join(dict.fromkeys(str(listener.port) for listener in start.listeners or ()))
        may_name = edition.get(SERVICE_PORT_CHOICE, "fixed") == "declared"
        other = f"; or name port {ports} as the container's port when you create the model" if may_name else ""
        yield Finding(
            message=diagnosis.seen,
            expected=diagnosis.expected,
            document=edition.source(SERVICE_PORT),
            hint=diagnosis.advice + other,
            source=" ".join(start.command),
            causes=(diagnosis.cause,),
        )
