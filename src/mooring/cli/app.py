"""The `mooring` command: its verbs, and what an error becomes for a shell."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import uuid
from pathlib import Path

import typer

from mooring import __version__, errors
from mooring.cli import (
    batch,
    build,
    check,
    config,
    deploy,
    editions,
    events,
    explain,
    flavors,
    gateway,
    importing,
    init,
    keys,
    lifecycle,
    models,
    predict,
    rules,
    run,
    sections,
    serve,
    services,
    show,
    up,
)

# Exit codes after sysexits.h: 2 the caller can mend it, 69 the world is not answering, 70 it is our bug.
# Exit code 1 is kept for findings about a subject, never for a fault of the tool.
EXIT_CODES: tuple[tuple[type[BaseException], int], ...] = (
    (errors.Unavailable, 69),
    (errors.MooringError, 2),
)
EXIT_INTERNAL = 70

# Each of these modules opens what is slow only when its verb runs.
VERBS = {
    "Make a model": (init, serve, build, run, predict),
    "Check it": (check, explain, rules, config, editions),
    "Deploy it on a platform": (
        up,
        importing,
        models,
        deploy,
        services,
        show,
        events,
        lifecycle,
        flavors,
        keys,
        gateway,
        batch,
    ),
}

app = typer.Typer(
    name="mooring",
    cls=sections.Sections,
    help="Make, check, run and deploy model images that keep the image contract.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
sections.register(app, VERBS)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mooring {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Make, check, run and deploy model images that keep the image contract."""


def main() -> None:
    """Run the command line; every error ends in one clear message and its exit code."""
    _open_outputs()
    try:
        app()
    except errors.MooringError as error:
        _tell(f"mooring: {error.message}")
        if error.hint:
            _tell(f"  hint: {error.hint}")
        sys.exit(next(code for kind, code in EXIT_CODES if isinstance(error, kind)))
    except Exception:  # noqa: BLE001 - the last line of defence: a bug of ours gets an id and a traceback
        bug = uuid.uuid4().hex[:12]
        with contextlib.suppress(OSError):
            traceback.print_exc()
        _tell(f"mooring: internal error {bug}; this is a bug in mooring, please report it with the above")
        sys.exit(EXIT_INTERNAL)


def _open_outputs() -> None:
    """A caller may have closed them; what is written then goes nowhere, and nothing fails for it."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the program
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - the same


def _tell(message: str) -> None:
    """A message for the person; names in it may come from images, and nobody may be there to read it."""
    from mooring.contract.visible import visible_lines  # noqa: PLC0415 - the room is slow to open

    with contextlib.suppress(OSError):
        for line in visible_lines(message):
            typer.echo(line, err=True)
