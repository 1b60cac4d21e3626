"""The server keeps idle connections open as long as the platform's gateway.

A gateway keeps connections and uses them again. A server that closes them sooner does so, now and then, just as a
request is on its way: the caller sees a reset or 4503, most of all during upgrades. gunicorn's sync workers close
after every answer, uvicorn after 5 seconds, Flask's own server at once.

`gunicorn -k gevent --keep-alive 200` (with gevent installed), `uvicorn --timeout-keep-alive 200`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.bases import image
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import MUST, REAL_TIME, SHOULD, Example, rule
from mooring.contract import Finding, edition
from mooring.contract.vocabulary import KEEP_ALIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import Server
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

REMEDIES = {
    "gunicorn": "gunicorn -k gevent --keep-alive {seconds} ... (and gevent among the requirements)",
    "uvicorn": "uvicorn --timeout-keep-alive {seconds} ..., or timeout_keep_alive={seconds} in uvicorn.run",
    "hypercorn": "hypercorn --keep-alive {seconds} ...",
    "waitress": "waitress-serve --channel-timeout={seconds} ...",
    "aiohttp": "web.run_app(app, keepalive_timeout={seconds})",
    "vLLM": "ENV VLLM_HTTP_TIMEOUT_KEEP_ALIVE={seconds}",
}
# gunicorn's workers that close after each answer.
CLOSING = frozenset({"sync"})
_OTC = edition("otc-2024")


@rule(
    "IMG-KEEP-02",
    level=SHOULD,
    rolling=MUST,
    kind=REAL_TIME,
    facts=(KEEP_ALIVE,),
    good=(
        Example(
            "gunicorn -k gevent --keep-alive 200 app:app",
            image=image("gunicorn", "-k", "gevent", "--keep-alive", "200", "app:app"),
            edition=_OTC,
        ),
    ),
    bad=(
        Example("gunicorn app:app", image=image("gunicorn", "app:app"), edition=_OTC),
        Example("gunicorn -k gevent app:app", image=image("gunicorn", "-k", "gevent", "app:app"), edition=_OTC),
        Example("uvicorn app:app", image=image("uvicorn", "app:app"), edition=_OTC),
    ),
)
def closes_too_early(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """By what the server is told, or its default where it is told nothing."""
    seconds = edition[KEEP_ALIVE]
    start = start_command(image_config, files)
    server = server_of(start, files)
    if server is None or (server.idle is None and server.worker is None):
        raise NotAsked("the start command does not tell how long idle connections live; a running container does")
    if seen := _too_early(server, seconds, start.environment.get("VLLM_HTTP_TIMEOUT_KEEP_ALIVE", "")):
        remedy = REMEDIES.get(server.kind, "a server for production, such as gunicorn -k gevent --keep-alive {seconds}")
        yield Finding(
            message=f"{server.kind} {seen}",
            expected=f"idle connections stay open for {edition.text(KEEP_ALIVE)}",
            document=edition.source(KEEP_ALIVE),
            hint=remedy.format(seconds=seconds),
            source=start.place.source,
            line=start.place.line,
        )


def _too_early(server: Server, seconds: int, told_vllm: str) -> str:
    """What the server does to idle connections, "" if nothing is known to be wrong."""
    if server.worker and server.worker.value in CLOSING:
        return (
            f"has {server.worker.value} workers ({server.worker.where}), which close the connection after each answer"
        )
    if server.kind == "vLLM" and told_vllm:
        return ""
    if server.idle is None or server.idle.number is None or server.idle.number >= seconds:
        return ""
    if server.idle.number == 0:
        return "closes the connection after each answer"
    return f"closes idle connections after {server.idle.value} s ({server.idle.where})"
