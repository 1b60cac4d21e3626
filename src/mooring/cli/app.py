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
