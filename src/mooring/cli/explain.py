"""`mooring explain`: what one rule says, why, what to do, and what each edition states of it."""

from __future__ import annotations

import sys

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("explain")(explain)


def explain(
    name: str = typer.Argument(metavar="RULE", help="The id of a rule, as a report names it; see `mooring rules`."),
) -> None:
    """Say what a rule asks for, why, how to put it right, and what passes and fails."""
    from mooring import checks  # noqa: PLC0415 - a heavy room, entered only by those who need it
    from mooring.checks.render import Terminal  # noqa: PLC0415 - the same
    from mooring.checks.render.rule_page import rule_text  # noqa: PLC0415 - the same

    typer.echo(rule_text(checks.rule_named(name), Terminal.of(sys.stdout)))
