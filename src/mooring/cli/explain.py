"""`mooring explain`: what one rule says, why, what to do, and what each edition states of it."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

import typer

from mooring.errors import NotFound

if TYPE_CHECKING:
    from mooring.checks import Rule

NEAREST = 3


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("explain")(explain)


def explain(
    name: str = typer.Argument(
        metavar="RULE", help="The id of a rule, as a report names it, or how several begin; see `mooring rules`."
    ),
) -> None:
    """Say what a rule asks for, why, how to put it right, and what passes and fails.

    Where several ids begin with RULE, as with IMG-BOOT, say what each asks for in a line.
    """
    from mooring.checks.render import Terminal  # noqa: PLC0415 - a heavy room, entered only by those who need it
    from mooring.checks.render.rule_page import rule_text  # noqa: PLC0415 - the same
    from mooring.checks.rule import catalogue  # noqa: PLC0415 - the same

    terminal = Terminal.of(sys.stdout)
    known = {rule.id: rule for rule in catalogue()}
    wanted = name.strip().upper()
    if wanted in known:
        typer.echo(rule_text(known[wanted], terminal))
        return
    begun = [rule for rule in known.values() if wanted and f"{rule.id}-".startswith(f"{wanted.removesuffix('-')}-")]
    if not begun:
        near = difflib.get_close_matches(wanted[:100], known, n=NEAREST, cutoff=0.6)
        hint = f"did you mean {_either(near)}? " if near else ""
        raise NotFound(f"there is no rule {name!r}", hint=f"{hint}mooring rules lists them")
    typer.echo("\n".join(_lines(begun)))


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _lines(rules: list[Rule]) -> list[str]:
    """A line for each, as `mooring rules` has them."""
    widest = max(len(rule.id) for rule in rules)
    return [f"{rule.id:<{widest}}  {rule.level:<6}  {rule.title}" for rule in rules]
