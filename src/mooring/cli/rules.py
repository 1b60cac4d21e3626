"""`mooring rules`: which rules there are, and which facts of an edition they read."""

from __future__ import annotations

import enum
import json
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from mooring.checks import Rule
    from mooring.contract import Edition


class Format(enum.StrEnum):
    """How rules are printed."""

    TEXT = "text"
    JSON = "json"


class Purpose(enum.StrEnum):
    """The kinds of service whose rules are listed."""

    REAL_TIME = "real-time"
    BATCH = "batch"
    BOTH = "both"


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("rules")(rules)


def rules(
    edition: str = typer.Option("", metavar="NAME", help="Also what that edition states of the facts each rule reads."),
    kind: Purpose = typer.Option(Purpose.BOTH, help="Only rules that concern such services."),
    form: Format = typer.Option(Format.TEXT, "--format", help="How to print them."),
) -> None:
    """List the rules: their ids, what they weigh, the services they concern, and whether the image must run.

    With --edition, each rule is followed by the facts it reads. Where the edition is silent on a fact, a rule that
    cannot do without it is skipped.
    """
    from mooring import checks, contract  # noqa: PLC0415 - heavy rooms, entered only by those who need them
    from mooring.checks.rule import catalogue  # noqa: PLC0415 - the same

    wanted = checks.Kind(kind.value)
    known = [rule for rule in catalogue() if wanted.covers(rule.kind)]
    judge = contract.edition(edition) if edition else None
    if form is Format.JSON:
        typer.echo(json.dumps([_document(rule, judge) for rule in known], indent=2, ensure_ascii=False).encode())
    else:
        typer.echo(_table(known, judge))


def _table(known: list[Rule], edition: Edition | None) -> str:

    rows = [("RULE", "LEVEL", "FOR", "RUNS", "WHAT IT SAYS")]
    rows += [(rule.id, rule.level, rule.kind, "yes" if rule.runs else "no", rule.title) for rule in known]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row, rule in zip(rows, (None, *known), strict=True):
        lines.append("  ".join(f"{cell:<{width}}" for cell, width in zip(row, (*widths, 0), strict=True)))
        if rule is not None and edition is not None:
            lines += [f"{'':{widths[0]}}  {line}" for line in _facts(rule, edition)]
    return "\n".join(lines)


def _facts(rule: Rule, edition: Edition) -> list[str]:
    return [
        f"{fact.key}: {edition.text(fact)} ({edition.source(fact)})" if fact in edition else f"{fact.key}: silent"
        for fact in rule.facts
    ]


def _document(rule: Rule, edition: Edition | None) -> dict[str, Any]:
    from mooring.checks.render.json import rule_document  # noqa: PLC0415 - a heavy room

    document = {"id": rule.id, **rule_document(rule)}
    if edition is None:
        return document
    stated = {
        fact.key: {"value": edition[fact], "text": edition.text(fact), "source": edition.source(fact)}
        for fact in rule.facts
        if fact in edition
    }
    silent = [fact.key for fact in rule.facts if fact not in edition]
    return {**document, "edition": edition.name, "stated": stated, "silent": silent}
