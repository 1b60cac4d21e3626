"""`mooring init`: a folder with a whole project in it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command()(init)


def init(
    folder: Path = typer.Argument(..., metavar="DIR", help="The folder to make; it may exist if it is empty."),
    template: str = typer.Option(
        "mnist", "--template", help="mnist, tabular, customize-service or bring-your-own.", show_default=True
    ),
) -> None:
    """Make a project: a model, the code that serves it, its config.json and tests."""
    from mooring.project import scaffold  # noqa: PLC0415 - keeps `mooring --help` quick

    scaffold(folder, template=template)
    name = folder.resolve().name.lower() or "model"
    typer.echo(f"{folder} is a copy of the template {template}; its README.md says what is what. Next:")
    steps = [
        (f"mooring serve {folder}", "serve it on this machine"),
        (f"mooring build {folder} -t {name}:1", "make the image"),
        (f"mooring run {name}:1", "start it"),
    ]
    if template == "bring-your-own":
        steps.pop(0)  # its server is in its Dockerfile
    width = max(len(command) for command, _ in steps)
    for command, purpose in steps:
        typer.echo(f"  {command:<{width}}   {purpose}")
