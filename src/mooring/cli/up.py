"""`mooring up`: a model platform on this machine."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import Any

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(up)


def up(
    *,
    data: Path = typer.Option(
        None, envvar="MOORING_DATA", metavar="DIR", help="Folder of all that it keeps.  [default: in your home]"
    ),
    listen: str = typer.Option(None, metavar="HOST:PORT", help="Where it answers.  [default: 127.0.0.1:8000]"),
    engine: str = typer.Option(
        None, help="Where replicas run: docker (images; Podman too), process (projects), auto.  [default: auto]"
    ),
    edition: str = typer.Option(None, help="Edition whose limits and checks apply.  [default: otc-2022]"),
    database: str = typer.Option(
        None,
        metavar="URL",
        help="PostgreSQL in place of a file in the data folder; with a password, set MOORING_DATABASE instead.",
    ),
    gate: str = typer.Option(
        None, help="What an import must pass: strict, static (nothing is run) or off.  [default: strict]"
    ),
    public_url: str = typer.Option(
        None, metavar="URL", help="Under which others reach it, such as a proxy's.  [default: what it listens on]"
    ),
) -> None:
    """Start a platform on this machine.

    It speaks the ModelArts v1 API: import models, deploy them, call them. Its first start makes a token, shows it
    once, and keeps it in the data folder, where the other commands find it. Ctrl-C or SIGTERM ends it; the replicas
    of its services go on running, and are taken up again by the next start. platform.toml in the data folder has more
    settings.
    """
    from mooring.client import default_data  # noqa: PLC0415 - an HTTP client is slow to import
    from mooring.control.settings import Settings  # noqa: PLC0415 - the same

    chosen: dict[str, Any] = {
        "listen": listen,
        "engine": engine,
        "edition": edition,
        "database": database,
        "gate": gate,
        "public_url": public_url,
    }
    settings = Settings.read((data or default_data()).absolute(), **chosen)
    from mooring.cli import serving  # noqa: PLC0415 - a web server and a database library are slower still

    serving.up(settings)
