"""It listens on all interfaces, not only on the container's own loopback.

A server bound to 127.0.0.1 answers every test made inside the container, and nobody outside of it. It is the default of
several frameworks.

Bind to 0.0.0.0: `uvicorn --host 0.0.0.0`, `gunicorn -b 0.0.0.0:8080`, `app.run(host="0.0.0.0", port=8080)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import MUST, Example, rule
from mooring.checks.trial.blame import diagnosis_for
from mooring.checks.trial.sightings import Start
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import SERVICE_BIND_ADDRESS
from mooring.engine import Diagnosis, Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

_LOOPBACK = Diagnosis(
    cause="listens-on-loopback",
    seen="it listens on 127.0.0.1:8080 only, which nobody outside the container can reach",
    expected="a server on 0.0.0.0:8080",
    advice="bind to 0.0.0.0 (uvicorn --host 0.0.0.0)",
    log_tail=(),
)


@rule(
    "RUN-PORT-02",
    level=MUST,
    facts=(SERVICE_BIND_ADDRESS,),
    good=(
        Example(
            'CMD ["uvicorn", "app:app", "--host", "0.0.0.0", "--port", "8080"]',
            start=Start(command=("uvicorn",), ready=True, seconds=2.1),
            edition=edition("otc-2022"),
        ),
    ),
    bad=(
        Example(
            'CMD ["uvicorn", "app:app", "--port", "8080"]',
            start=Start(
                command=("uvicorn",),
                ready=False,
                seconds=60.0,
                diagnosis=_LOOPBACK,
                listeners=(Listener(8080, "127.0.0.1"),),
            ),
            edition=edition("otc-2022"),
        ),
    ),
)
def serves_loopback_only(start: Start, edition: Edition) -> Iterator[Finding]:
    """What we reached is reachable; else the sockets tell."""
    diagnosis = diagnosis_for("RUN-PORT-02", start)
    if diagnosis:
        yield Finding(
            message=diagnosis.seen,
            expected=diagnosis.expected,
            document=edition.source(SERVICE_BIND_ADDRESS),
            hint=diagnosis.advice,
            source=" ".join(start.command),
            causes=(diagnosis.cause,),
        )
