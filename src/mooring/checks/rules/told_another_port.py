"""The start command names the port that the platform calls.

The platform sends requests and probes to one port. Servers have defaults of their own: 8000 for uvicorn, gunicorn and
vLLM, 5000 for Flask. A server on another port runs, logs nothing wrong, and is never reached. This rule reads the
start command; what really listens, the running image shows.

Say it in the command: `uvicorn --port 8080`, `gunicorn -b 0.0.0.0:8080`, `app.run(host="0.0.0.0", port=8080)`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mooring.checks.command import server_of, start_command
from mooring.checks.command.bases import image
from mooring.checks.command.setting import ALL
from mooring.checks.command.whole import whole
from mooring.checks.evidence import NotAsked
from mooring.checks.rule import SHOULD, Example, rule
from mooring.contract import Finding, Level
from mooring.contract.vocabulary import SERVICE_BIND_ADDRESS, SERVICE_PORT, SERVICE_PORT_CHOICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.checks.command import Server, Setting
    from mooring.contract import Edition
    from mooring.image import Filesystem, ImageConfig

_FLASK = "from flask import Flask\napp = Flask(__name__)\napp.run(host='0.0.0.0', port={})\n"


@rule(
    "IMG-PORT-01",
    level=SHOULD,
    facts=(SERVICE_PORT, SERVICE_PORT_CHOICE),
    good=(
        Example("uvicorn app:app --port 8080", image=image("uvicorn", "app:app", "--port", "8080")),
        Example("app.run(port=8080)", image=image("python3", "/a.py", files={"/a.py": _FLASK.format(8080)})),
    ),
    bad=(
        Example("uvicorn app:app (8000 by default)", image=image("uvicorn", "app:app")),
        Example("app.run(port=5000)", image=image("python3", "/a.py", files={"/a.py": _FLASK.format(5000)})),
    ),
)
def told_another_port(image_config: ImageConfig, files: Filesystem, edition: Edition) -> Iterator[Finding]:
    """Certain ports only. Where a model may name its port another one is but remarked, as is EXPOSE."""
    wanted = edition[SERVICE_PORT]
    may_name = edition.get(SERVICE_PORT_CHOICE, "fixed") == "declared"
    start = start_command(image_config, files)
    server = server_of(start, files)
    exposed = [port for port in image_config.exposed_ports if not _covers(port, wanted)]
    if server and server.port and server.port.port is not None:
        port = server.port.port
        if port != wanted:
            also = f"; or name port {port} as the container's port when you create the model" if may_name else ""
            place = server.port.variable.place if server.port.variable else start.place
            yield Finding(
                level=Level.INFO if may_name else Level.SHOULD,
                message=f"{server.kind} is started on port {port} ({server.port.told})",
                expected=f"port {wanted}",
                document=edition.source(SERVICE_PORT),
                hint=f"{_remedy(server, server.port, wanted, edition)}{also}",
                source=place.source,
                line=place.line,
                causes=("listens-on-another-port",),
            )
    elif exposed and len(exposed) == len(image_config.exposed_ports):
        yield Finding(
            level=Level.INFO,
            message=f"EXPOSE names {', '.join(exposed)}",
            expected=f"port {wanted}",
            document=edition.source(SERVICE_PORT),
            hint=f"EXPOSE {wanted}, if that is where it serves; EXPOSE itself opens nothing",
            source="EXPOSE",
        )
    elif not image_config.exposed_ports:
        raise NotAsked("the start command does not tell the port; a running container does")


def _remedy(server: Server, port: Setting, wanted: int, edition: Edition) -> str:
    if port.variable:
        return replace(port.variable, value=str(wanted)).shown
    if not server.form:
        return f"start it on port {wanted}"
    address = edition.get(SERVICE_BIND_ADDRESS, ALL)
    return f"start it on port {wanted}: {server.form.format(host=address, port=wanted)}"


def _covers(exposed: str, port: int) -> bool:
    first, _, last = exposed.partition("/")[0].partition("-")
    low, high = whole(first), whole(last or first)
    return low is not None and high is not None and low <= port <= high
