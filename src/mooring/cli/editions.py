"""`mooring editions`: which editions of the contract there are, and what each states."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mooring.contract import Edition


class Format(enum.StrEnum):
    """How editions are printed."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("editions")(editions)


def editions(
    name: str = typer.Argument(
        "", metavar="NAME", help="An edition, to see every fact it states; none, to list the editions."
    ),
    form: Format = typer.Option(Format.TEXT, "--format", help="How to print them."),
) -> None:
    """List the editions of the contract, or the facts of one with the documents that state them."""
    from mooring import contract  # noqa: PLC0415 - a heavy room, entered only by those who need it

    if name:
        one = contract.edition(name)
        typer.echo(
            json.dumps(_document(one), indent=2, ensure_ascii=False).encode() if form is Format.JSON else _facts(one)
        )
        return
    known = [contract.edition(each) for each in contract.editions()]
    if form is Format.JSON:
        listed = [_summary(each) | {"default": each is known[0]} for each in known]
        typer.echo(json.dumps(listed, indent=2))
    else:
        marks = {known[0].name: " (default)"}
        typer.echo(_table([(each.name, str(each.since), each.title + marks.get(each.name, "")) for each in known]))
        typer.echo(f"\n{known[0].name} is used unless another is named.")


def _summary(edition: Edition) -> dict[str, Any]:
    return {
        "name": edition.name,
        "title": edition.title,
        "since": edition.since.isoformat(),
        "extends": edition.extends,
    }


def _document(edition: Edition) -> dict[str, Any]:
    facts = {
        fact.key: {
            "value": stated.value,
            "text": stated.text,
            "kind": fact.kind.name,
            "meaning": fact.meaning,
            "source": stated.source,
            "edition": stated.edition,
        }
        for fact, stated in edition.rows()
    }
    return _summary(edition) | {"facts": facts}


def _facts(edition: Edition) -> str:
    head = f"{edition.name}: {edition.title}, from {edition.since} on"
    base = f"\nwhat it does not say itself it takes from {edition.extends}" if edition.extends else ""
    rows = [(fact.key, stated.text, stated.source) for fact, stated in edition.rows()]
    return f"{head}{base}\n\n{_table([('FACT', 'VALUE', 'SOURCE'), *rows])}"


def _table(rows: list[tuple[str, str, str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    # A list of model types would push the sources off every screen.
    widths[1] = min(widths[1], 44)
    return "\n".join(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}".rstrip() for row in rows)
