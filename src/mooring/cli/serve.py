"""`mooring serve`: a project's server on this machine, without an image."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import tempfile
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from mooring.contract import ModelConfig
    from mooring.project.project import Project

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8080
LAST_PORT = 65535
# Addresses that mean all of a machine's, and the one of them that its own user would call.
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound to it here


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(serve)


def serve(
    folder: Path = typer.Argument(
        metavar="DIR", help="The project: config.json with handler.py, or a ModelArts package."
    ),
    port: int = typer.Option(None, min=0, max=65535, help="Port to listen on; 0 for any free one.  [default: 8080]"),
    host: str = typer.Option(None, help="Address to listen on; 0.0.0.0 for all.  [default: 127.0.0.1]"),
    python: str = typer.Option(
        None, help="Interpreter that runs the model.  [default: mooring.toml's, else DIR/.venv's, else this one]"
    ),
    edition: str = typer.Option(None, help="Edition whose limits apply.  [default: mooring.toml's, else otc-2022]"),
) -> None:
    """Serve a project on this machine, as its image will.

    Settings are MOORING_... variables; those that are set already win over the edition's and the project's, and
    options win over those. Ctrl-C finishes what is in hand and ends; SIGTERM goes on answering for the edition's
    linger first, as in a container.
    """
    from mooring.contract import edition as named  # noqa: PLC0415 - the rooms below are slow to open
    from mooring.project.serving import interpreter, servable, server_settings  # noqa: PLC0415

    project = servable(folder)
    asked = {"MOORING_PORT": port, "MOORING_HOST": host, "MOORING_PYTHON": interpreter(python) if python else None}
    environ = {
        "MOORING_HOST": DEFAULT_HOST,
        **server_settings(project, named(edition or project.settings.edition or "otc-2022")),
        **os.environ,
        **{name: str(value) for name, value in asked.items() if value is not None},
    }
    _tell_mended(project.config)
    host, taking = environ["MOORING_HOST"] or DEFAULT_HOST, _port(environ)
    _require_free(host, taking)
    _tell_calls(project.config, ANYWHERE.get(host, host), taking)
    _become_server(project, environ)


def _tell_mended(config: ModelConfig) -> None:
    for finding in config.findings:
        typer.echo(f"{finding.where}: {finding.message}", err=True)
    if config.findings:
        typer.echo("mooring config show prints the mended form", err=True)


def _port(environ: dict[str, str]) -> int:
    """The port that the server will take; 0 when it takes any, or when the setting is one that it will refuse."""
    text = environ.get("MOORING_PORT") or str(DEFAULT_PORT)
    return int(text) if text.isascii() and text.isdigit() and int(text) <= LAST_PORT else 0


def _require_free(host: str, port: int) -> None:
    """Conflict when somebody listens there already; whatever else is wrong with the address the server says itself."""
    from mooring.errors import Conflict  # noqa: PLC0415

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            ours.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Conflict(
                    f"port {port} of this machine is taken by another program",
                    hint="choose another with --port, or 0 for any that is free",
                ) from error


def _tell_calls(config: ModelConfig, host: str, port: int) -> None:
    from mooring.cli.curl import curl  # noqa: PLC0415 - slow to open

    base = f"http://{f'[{host}]' if ':' in host else host}:{port or 'PORT'}"
    typer.echo("once it is ready:", err=True)
    for api in config.apis:
        typer.echo(f"  {curl(api, base)}", err=True)


def _become_server(project: Project, environ: dict[str, str]) -> NoReturn:
    """Turn this process into the server, so that signals and its exit code need nobody in between.

    Its model workers read the clean form whenever they start, so the file must live as long as the server does. Who
    removes it is a shell that waits for the end of a pipe: the server holds the other end, however it dies.
    """
    from mooring.project.serving import server_command  # noqa: PLC0415 - slow to open

    handle, path = tempfile.mkstemp(prefix="mooring-", suffix=".json")  # made with mode 600
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(project.config.clean(), file, ensure_ascii=False)
    ours, servers = os.pipe()
    subprocess.Popen(
        ["/bin/sh", "-c", 'read -r _; rm -f -- "$1"', "sh", path],
        stdin=ours,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.set_inheritable(servers, True)
    command = server_command(project, path)
    os.execve(command[0], command, environ)  # noqa: S606 - no shell is wanted
