"""`mooring predict`: ask a model one question, and show its answer and how long it took."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

import typer

from mooring.cli.platform import connected, service_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mooring.cli.asking import Question, Reply

SHOWN_HEADERS = ("x-request-id", "server-timing", "retry-after", "location")
DEFAULT_TIMEOUT_SECONDS = 60.0
# The name of a service, or its id, and a path below it; a host without a dot or a port is written with its scheme.
SERVICE = re.compile(r"(?!localhost(?:/|$))([A-Za-z0-9_-]{1,64})(/.*)?", re.DOTALL)
A_FORM = "-F images=@seven.jpg"
A_BODY = "-d '{\"key\": 1}'"


class Format(StrEnum):
    """How the answer is shown."""

    text = "text"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(predict)


def predict(
    url: str = typer.Argument(
        "",
        metavar="WHERE",
        help="A service of the platform by name, NAME/path too; or a URL: 127.0.0.1:8080/, https://host/path.",
        autocompletion=service_names,
    ),
    *,
    form: list[str] = typer.Option(
        [], "--form", "-F", metavar="FIELD=VALUE", help="A field of a form; FIELD=@FILE sends a file. May be repeated."
    ),
    data: str = typer.Option("", "--data", "-d", metavar="JSON", help="A JSON body; @FILE reads it from a file."),
    method: str = typer.Option("", "--request", "-X", help="HTTP method; POST when there is a body, else GET."),
    header: list[str] = typer.Option(
        [], "--header", "-H", metavar="'NAME: VALUE'", help="A header to send. May be repeated."
    ),
    timeout: float = typer.Option(DEFAULT_TIMEOUT_SECONDS, min=0.01, help="Seconds until the whole answer is here."),
    output: Format = typer.Option(Format.text, "--format", help="text, or json for programs."),
    as_json: bool = typer.Option(False, "--json", help="The same as --format json."),
) -> None:
    """Ask a model one question, and show its answer and how long it took.

    The answer goes to standard output, everything about it to standard error. Exit code 0: the model answered; 1: it
    answered with an error, which is shown; 69: nothing answered.

    For example: mooring predict digits -F images=@seven.jpg, mooring predict 127.0.0.1:8080/ -F images=@seven.jpg
    """
    from mooring.errors import Invalid  # noqa: PLC0415 - the rooms below are slow to open

    if not url:
        raise Invalid(
            "which model? name a service, or the URL where it answers",
            hint=f"mooring predict 127.0.0.1:8080/ {A_FORM}, or {A_BODY}; mooring predict --help says more",
        )
    from mooring.cli.asking import Question, ask  # noqa: PLC0415 - an HTTP client is slow to import

    place, identity = _place(url)
    question = Question.of(place, form=form, data=data, method=method, headers=[*header, *identity])
    reply = ask(question, timeout_seconds=timeout)
    if as_json or output is Format.json:
        _print(_json(_document(reply)) or _json(_document(reply, as_text=True)))
    else:
        _show(reply)
        for hint in _hints(question, reply):
            typer.echo(f"  hint: {hint}", err=True)
    if reply.status >= 400:  # noqa: PLR2004 - the error classes of HTTP begin here
        raise typer.Exit(1)


def _place(where: str) -> tuple[str, list[str]]:
    """The URL that is meant, and the header that says who calls, when it is a service of the platform."""
    found = SERVICE.fullmatch(where)
    if not found:
        return where, []
    from mooring.errors import Unavailable  # noqa: PLC0415 - the rooms below are slow to open

    with connected() as client:
        try:
            service_id = client.service(found[1])["service_id"]
        except Unavailable as error:
            host = f"if {found[1]} is a host, write http://{where}"
            error.hint = f"{error.hint}; {host}" if error.hint else host
            raise
        place = f"{client.connection.url}/v1/infers/{service_id}{found[2] or ''}"
        return place, [f"X-Auth-Token: {client.connection.token}"]


def _show(reply: Reply) -> None:
    seconds = f"{reply.milliseconds:.1f} ms"
    kept = [f"{name}: {reply.headers[name]}" for name in SHOWN_HEADERS if name in reply.headers]
    typer.echo(f"{reply.status} {reply.reason} in {seconds}", err=True)
    for line in kept:
        typer.echo(f"  {line}", err=True)
    value = reply.value
    if value is not None:
        _print(value if isinstance(value, str) else _json(value) or _text(reply))
    elif reply.body:
        kind = reply.headers.get("content-type", "no content type")
        typer.echo(f"  {len(reply.body)} bytes of {kind}, not shown", err=True)


def _hints(question: Question, reply: Reply) -> Iterator[str]:
    """What a person could do next about an error."""
    if reply.status == HTTPStatus.METHOD_NOT_ALLOWED and question.method == "GET":
        yield f"a model is asked with a body, by POST: add a form ({A_FORM}) or JSON ({A_BODY})"
    name = reply.headers.get("x-request-id", "")
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR and name:
        yield f"the server's log tells more: look for {name} in it"


def _print(text: str) -> None:
    # Half of a surrogate pair has no bytes of its own; written as an escape, JSON with it in stays the same JSON.
    typer.echo(text.encode(errors="backslashreplace"))


def _json(value: object) -> str:
    """Indented for a person; empty where it is nested deeper than Python writes."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2)
    except RecursionError:
        return ""


def _text(reply: Reply) -> str:
    return reply.body.decode(errors="replace")


def _document(reply: Reply, *, as_text: bool = False) -> dict[str, object]:
    return {
        "status": reply.status,
        "milliseconds": round(reply.milliseconds, 3),
        "headers": reply.headers,
        "body": _text(reply) if as_text else reply.value,
        "bytes": len(reply.body),
    }
