"""`mooring keys` and `mooring login`: who may call the platform, and as whom this machine calls it."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import typer

from mooring.cli import platform
from mooring.errors import Invalid

KINDS = ("token", "pair", "app", "gateway")
SECONDS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86400}

keys = typer.Typer(help="Make, list and revoke what opens the platform: tokens and key pairs.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command line."""
    app.add_typer(keys, name="keys")
    app.command()(login)


@keys.command()
def create(
    user: str = typer.Argument("", help="For whom; what it does is told as theirs.  [default: who you are]"),
    *,
    kind: str = typer.Option("token", help="token; pair (access key and secret); app (one service); gateway."),
    service: str = typer.Option("", help="With app: the service that it opens.", autocompletion=platform.service_names),
    description: str = typer.Option("", help="What it is for."),
    valid_for: str = typer.Option(
        "", metavar="TIME", help="How long it opens anything: 30m, 6h, 2d.  [default: for good]"
    ),
    as_json: bool = platform.AS_JSON,
) -> None:
    """Make a key: a token, a key pair, an app code or a gateway's token.

    Its secret is shown this once, and kept nowhere in the clear.
    """
    if kind not in KINDS:
        raise Invalid(f"there is no kind of key {kind!r}", hint=f"one of {', '.join(KINDS)}")
    if (kind == "app") != bool(service):
        raise Invalid("an app code opens one service, and nothing else does", hint="--kind app --service NAME")
    with platform.connected() as client:
        fields: dict[str, Any] = {"description": description}
        if valid_for:
            number, unit = platform.duration(valid_for, "--valid-for")
            fields["expires_at"] = int((time.time() + number * SECONDS[unit]) * 1000)
        if service:
            fields["service_id"] = client.service(service)["service_id"]
        made = client.create_key(kind, user or None, **fields)
    if as_json:
        platform.show_json(made)
        return
    platform.show_fields((("id", made["id"]), ("access", made.get("access")), ("secret", made["secret"])))


@keys.command("list")
def list_keys(
    *,
    kind: str = typer.Option("", help="Only those: token, pair, app; gateway for those of gateways."),
    as_json: bool = platform.AS_JSON,
) -> None:
    """List the project's keys, without their secrets."""
    with platform.connected() as client:
        found = client.keys(kind=kind or None)
    if as_json:
        platform.show_json(found)
        return
    platform.show_table(
        ("ID", "KIND", "USER", "ACCESS", "CREATED", "EXPIRES", "FOR"),
        (
            (
                one["id"],
                one["kind"],
                one["user_name"],
                one.get("access") or "",
                platform.when(one["created_at"]),
                platform.when(one.get("expires_at")),
                one.get("description") or "",
            )
            for one in found
        ),
    )


@keys.command()
def revoke(key: str = typer.Argument(metavar="ID", help="As mooring keys list has it.")) -> None:
    """Let a key open nothing any more, from now on."""
    with platform.connected() as client:
        client.revoke_key(key)
    platform.say(f"revoked {key}")


def login(
    url: str = typer.Argument(help="Where the platform answers, such as http://127.0.0.1:8000."),
    *,
    user: str = typer.Option("", help="Log in as that user, for 24 hours.  [default: with a token, for good]"),
    project: str = typer.Option("", help="With --user: the project, where the token opens another by default."),
) -> None:
    """Remember a platform, and how to call it.

    The token is read from standard input or asked for, and never taken from the command line, which others can see.
    It is kept in a file that only you can read. MOORING_URL and MOORING_TOKEN go above it.
    """
    from mooring.cli.replacing import replace_file  # noqa: PLC0415 - slow to open
    from mooring.client import Connection, login_file  # noqa: PLC0415 - an HTTP client is slow to import

    secret = typer.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not secret:
        raise Invalid("no token was given", hint="mooring keys create makes one; type it, or pass it on standard input")
    if user:
        secret = _session(url, user, secret, project)
    with Connection(url, secret, environ={**os.environ, "MOORING_URL": ""}) as connection:
        named = connection.get("/v3/projects")["projects"][0]["name"]
        place = connection.url
    replace_file(login_file(), json.dumps({"url": place, "token": secret}).encode(), private=True)
    platform.say(f"logged in at {place}, project {named}")


def _session(url: str, user: str, secret: str, project: str) -> str:
    from mooring.client import Connection  # noqa: PLC0415 - an HTTP client is slow to import

    identity: dict[str, Any] = {
        "methods": ["password"],
        "password": {"user": {"name": user, "password": secret, "domain": {"name": "mooring"}}},
    }
    auth: dict[str, Any] = {"identity": identity}
    if project:
        auth["scope"] = {"project": {"name": project}}
    with Connection(url, environ={}) as connection:
        answer = connection.send("POST", "/v3/auth/tokens", json={"auth": auth})
    return answer.headers["X-Subject-Token"]
