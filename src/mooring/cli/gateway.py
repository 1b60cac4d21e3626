"""`mooring gateway`: a gateway as a process of its own, for a platform elsewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path  # noqa: TC003 - typer reads the annotations

import typer

from mooring.errors import Invalid

TOKEN_VARIABLE = "MOORING_GATEWAY_TOKEN"  # noqa: S105 - a variable's name
TOKEN = re.compile(r"[!-~]+")


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(gateway)


def gateway(
    control: str = typer.Option(..., metavar="URL", help="The platform, such as http://127.0.0.1:8000."),
    *,
    listen: str = typer.Option("127.0.0.1:8100", metavar="HOST:PORT", help="Where it answers."),
    cache: Path = typer.Option(
        None,
        metavar="FILE",
        help="Keeps the last routes, and the keys of callers, so that it can start while the platform is away.",
    ),
    token_file: Path = typer.Option(
        None, metavar="FILE", help="Has the gateway's token.  [default: MOORING_GATEWAY_TOKEN]"
    ),
) -> None:
    """Pass calls on beside a platform, in a process of its own.

    Several may serve side by side, and go on while the platform is down. It needs a token of its own: mooring keys
    create --kind gateway. It listens on its own address, and calls are the same there: POST /v1/infers/SERVICE_ID.
    """
    from mooring.gateway.standalone import Standalone, serve  # noqa: PLC0415 - a web server is slow to import

    if not control.startswith(("http://", "https://")):
        raise Invalid(f"{control} is not the URL of a platform", hint="for example --control http://127.0.0.1:8000")
    try:
        token = token_file.read_text(encoding="ascii").strip() if token_file else os.environ.get(TOKEN_VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {token_file}: {error}") from error
    if not token:
        raise Invalid(
            "a gateway needs a token of its own",
            hint=f"mooring keys create --kind gateway makes one; --token-file or {TOKEN_VARIABLE} names it",
        )
    if not TOKEN.fullmatch(token):
        raise Invalid(
            f"what {token_file or TOKEN_VARIABLE} has is no token: it must be one word",
            hint="mooring keys create --kind gateway --json | jq -r .secret writes the secret alone",
        )
    serve(Standalone(control=control, token=token, listen=listen, cache=cache))
