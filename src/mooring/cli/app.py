"""The `mooring` command: its verbs, and what an error becomes for a shell."""

from __future__ import annotations

import sys
import traceback
import uuid

import typer

from mooring import __version__, errors
from mooring.cli import build, check, config, editions, explain, init, predict, rules, run, serve

# Exit codes after sysexits.h: 2 the caller can mend it, 69 the world is not answering, 70 it is our bug.
# Exit code 1 is kept for findings about a subject, never for a fault of the tool.
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.Unavailable, 69),
    (errors.MooringError, 2),
)
EXIT_INTERNAL = 70

app = typer.Typer(
    name="mooring",
    help="Make, check and run model images that keep the image contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
)
for verb in (init, serve, build, check, run, predict, explain, rules, config, editions):
    verb.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mooring {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Make, check and run model images that keep the image contract."""


def main() -> None:
    """Run the command line; every error ends in one clear message and its exit code."""
    try:
        app()
    except errors.MooringError as error:
        typer.echo(f"mooring: {error.message}", err=True)
        if error.hint:
            typer.echo(f"  hint: {error.hint}", err=True)
        sys.exit(next(code for kind, code in EXIT_CODES if isinstance(error, kind)))
    except Exception:  # noqa: BLE001 - the last line of defence: a bug of ours gets an id and a traceback
        bug = uuid.uuid4().hex[:12]
        traceback.print_exc()
        typer.echo(
            f"mooring: internal error {bug}; this is a bug in mooring, please report it with the above", err=True
        )
        sys.exit(EXIT_INTERNAL)
