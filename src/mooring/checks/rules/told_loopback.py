"""The start command does not bind the server to the container's own loopback.

127.0.0.1 inside a container is reached from inside that container only. It is the default of Flask, uvicorn and
gunicorn: right on a laptop, and unreachable for the platform.

Bind every interface: `uvicorn --host 0.0.0.0`, `gunicorn -b 0.0.0.0:8080`, `app.run(host="0.0.0.0")`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.bases import image
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import MUST, Example, rule
from mooring.contract import Finding
from mooring.contract.vocabulary import SERVICE_BIND_ADDRESS, SERVICE_PORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import Server, Setting
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig


@rule(
    "IMG-PORT-02",
    level=MUST,
    facts=(SERVICE_BIND_ADDRESS, SERVICE_PORT),
    good=(Example("gunicorn -b 0.0.0.0:8080 app:app", image=image("gunicorn", "-b", "0.0.0.0:8080", "app:app")),),
    bad=(
        Example("gunicorn -b 127.0.0.1:8080 app:app", image=image("gunicorn", "-b", "127.0.0.1:8080", "app:app")),
        Example(
            "uvicorn app:app --port 8080 (127.0.0.1 by default)", image=image("uvicorn", "app:app", "--port", "8080")
        ),
        Example(
            "uvicorn.run(app, port=8080)",
            image=image("python3", "/a.py", files={"/a.py": "import uvicorn\nuvicorn.run('a:app', port=8080)\n"}),
        ),
    ),
)
def told_loopback(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """Certain addresses only: what the command or the source says, or the default of a server that is told nothing."""
    start = start_command(image_config, files)
    server = server_of(start, files)
    if server is None or server.host is None:
        raise NotAsked("the start command does not tell the address; a running container does")
    if server.host.is_loopback:
        place = server.host.variable.place if server.host.variable else start.place
        yield Finding(
            message=f"{server.kind} is bound to {server.host.value} ({server.host.told})",
            expected=f"{edition[SERVICE_BIND_ADDRESS]}, every interface",
            document=edition.source(SERVICE_BIND_ADDRESS),
            hint=_hint(server, server.host, edition),
            source=place.source,
            line=place.line,
            causes=("listens-on-loopback",),
        )


def _hint(server: Server, host: Setting, edition: Edition) -> str:
    kind, address, port = server.kind, edition[SERVICE_BIND_ADDRESS], edition[SERVICE_PORT]
    if host.variable:
        return replace(host.variable, value=str(address)).shown
    if server.form:
        return f"{server.form.format(host=address, port=port)} in {host.where}"
    if kind in ("gunicorn", "hypercorn"):
        return f"{kind} -b {address}:{port} ..."
    if kind.startswith("Django"):
        return f"python manage.py runserver {address}:{port}; better: gunicorn -b {address}:{port} PROJECT.wsgi"
    return f"--host {address} on the command line"
