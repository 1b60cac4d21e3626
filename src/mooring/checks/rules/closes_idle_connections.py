"""Idle connections stay open as long as the platform may use them again.

The gateway keeps connections to the container and sends the next request on one of them. A server that closes them
earlier does so now and then just as a request is on its way; the caller sees ModelArts.4503, and nobody a reason.

Set the server's keep-alive to 200 s or more: `uvicorn --timeout-keep-alive 200`, `gunicorn -k gevent --keep-alive 200`
(its default worker keeps nothing alive), `keepalive_timeout 200s;` in nginx, `server.keepAliveTimeout = 200000` in
Node, `protocol_version = "HTTP/1.1"` in a handler of Python's http.server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.rule import INFO, MUST, REAL_TIME, SHOULD, Example, rule
from mooring.checks.trial.sightings import Idle
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import KEEP_ALIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.contract import Edition

COMMON = (
    "uvicorn --timeout-keep-alive 200",
    "gunicorn -k gevent --keep-alive 200",
    "nginx keepalive_timeout 200s;",
    'in Python\'s http.server protocol_version = "HTTP/1.1" in the handler class',
)
# By what is in the Server header.
SETTINGS = {
    "werkzeug": "the development server is not for this: serve the app with gunicorn -k gevent --keep-alive 200",
    "basehttp": 'protocol_version = "HTTP/1.1" in the handler class, and a Content-Length in every answer; its own '
    "default, HTTP/1.0, closes after one",
    "uvicorn": "uvicorn --timeout-keep-alive 200",
    "gunicorn": "gunicorn -k gevent --keep-alive 200 (its default worker keeps nothing alive)",
    "nginx": "keepalive_timeout 200s; in nginx.conf",
}


@rule(
    "RUN-KEEP-01",
    level=SHOULD,
    rolling=MUST,
    kind=REAL_TIME,
    facts=(KEEP_ALIVE,),
    good=(
        Example("uvicorn --timeout-keep-alive 200", idle=Idle(seconds=10.0, usable=True), edition=edition("otc-2024")),
    ),
    bad=(
        Example(
            "uvicorn with its own default of 5 s", idle=Idle(seconds=10.0, usable=False), edition=edition("otc-2024")
        ),
        Example(
            "Keep-Alive: timeout=75",
            idle=Idle(seconds=10.0, usable=True, announced_seconds=75.0),
            edition=edition("otc-2024"),
        ),
    ),
)
def closes_idle_connections(idle: Idle, edition: Edition) -> Iterator[Finding]:
    """What was measured decides, then what the server announces; what is inferred is said to be."""
    wanted = edition[KEEP_ALIVE]
    if idle.closes:
        seen = "it closes every connection after one answer"
    elif not idle.usable:
        seen = f"a connection that was idle for {idle.seconds:.0f} s could not be used again (measured)"
    elif idle.announced_seconds is not None and idle.announced_seconds < wanted:
        seen = (
            f"it announces Keep-Alive: timeout={idle.announced_seconds:g} (not waited for; "
            f"a connection idle for {idle.seconds:.0f} s was still usable)"
        )
    else:
        if idle.seconds < wanted:
            yield _inferred(idle, edition)
        return
    yield Finding(
        message=seen + (f"; Server: {idle.server}" if idle.server else ""),
        expected=f"connections kept for {edition.text(KEEP_ALIVE)}",
        document=edition.source(KEEP_ALIVE),
        hint=_hint(idle.server),
        source=idle.server,
    )


def _hint(server: str) -> str:
    """What to set, by the name that the server gives itself; for those who give none, each."""
    return next((hint for name, hint in SETTINGS.items() if name in server.lower()), "; ".join(COMMON))


def _inferred(idle: Idle, edition: Edition) -> Finding:
    announced = idle.announced_seconds is not None
    return Finding(
        level=INFO,
        message=f"a connection idle for {idle.seconds:.0f} s was still usable (measured); that it lasts "
        + ("longer is what the server announces" if announced else f"{edition.text(KEEP_ALIVE)} is inferred"),
        expected=f"connections kept for {edition.text(KEEP_ALIVE)}",
        document=edition.source(KEEP_ALIVE),
        hint="--patient waits as long as that",
    )
