"""All of `mooring check`: from the words typed to a report written and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import typer

from mooring.checks import case as cases
from mooring.checks.mending import apply, changes, diff
from mooring.checks.render import EXIT_CODES, render
from mooring.cli.curl import argument
from mooring.cli.replacing import replace_file
from mooring.cli.subject import opened
from mooring.contract import Level, edition
from mooring.contract.visible import visible
from mooring.engine import sigterm_unwinds
from mooring.errors import NotFound, Refused

if TYPE_CHECKING:
    from pathlib import Path

    from mooring.checks import Report
    from mooring.cli.asked import Asked

INTERRUPTED = 130


def check(asked: Asked, *, form: str, output: Path | None, verbose: bool) -> None:
    """Judge and report; typer.Exit with what the verdict means for a shell."""
    try:
        with sigterm_unwinds(), opened(asked) as case:
            report = cases.check(case)
    except KeyboardInterrupt:
        typer.echo("interrupted; what was started has been removed", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _write(report, form=form, output=output, verbose=verbose)
    raise typer.Exit(EXIT_CODES[report.verdict])


def _write(report: Report, *, form: str, output: Path | None, verbose: bool) -> None:
    terminal = output is None and sys.stdout.isatty()
    text = render(report, form, verbose=verbose, terminal=terminal)
    if output is None:
        _print(text)
        return
    replace_file(output, text.encode("utf-8", "replace"))
    counts = ", ".join(f"{len(report.findings(level))} {level}" for level in (Level.MUST, Level.SHOULD))
    typer.echo(f"{report.subject.name} {report.verdict} ({report.edition}): {counts}; wrote {output}", err=True)


def _print(text: str) -> None:
    """To standard output. A reader that has seen enough changes nothing; a full disk is said."""
    try:
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would be tried again at the end of the program.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Refused(f"the report cannot be written: {error.strerror}") from error


def fix(folder: Path, *, name: str | None, yes: bool) -> None:
    """Show what a rule knows how to put right in a project's folder, and put it right when that is wanted."""
    if not folder.is_dir():
        raise NotFound(f"{folder} is not a folder", hint="--fix mends a project's folder")
    wanted = changes(folder, edition(name) if name else edition())
    if not wanted:
        typer.echo(f"{folder}: nothing that mooring knows how to mend")
        return
    typer.echo(diff(wanted), nl=False)
    for change in wanted:
        typer.echo(visible(f"{change.path}: {change.why} ({', '.join(change.rules)})"), err=True)
    if not yes and not _agreed():
        typer.echo("nothing was changed; --yes mends without asking", err=True)
        raise typer.Exit(1)
    apply(wanted)
    count = len({change.path for change in wanted})
    typer.echo(f"mended {count} file{'s' if count > 1 else ''}; next: mooring check {argument(folder)}", err=True)


def _agreed() -> bool:
    return sys.stdin.isatty() and typer.confirm("Change these files?", err=True)
